"""How the tables' cost grows: ``python tests/bench/bench_tables.py [MULTIPLE ...] [--store FILE]``.

A store (a random one of 375 reports, or a copy of ``--store``, an SQLite file) is multiplied by each MULTIPLE and
every table is made from it in a process of its own. Printed are seconds of processor time for each step and peak
memory, and how both compare with the smallest store, per paragraph: 1.0 is linear growth. Times of different days or
machines are not to be compared; the ratios of one run are.

Multiples 1 10 116 end at about 5 million paragraphs; that takes some 5 GB of disk and a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tables")]


def multiplied(base: Path, times: int, target: Path) -> None:
    """A copy of an SQLite store with every extracted report ``times`` times over, each copy with an id of its own.

    Copies stay in their authority: there are as many authorities and groups as before.
    """
    shutil.copy(base, target)
    with sqlite3.connect(target) as store:
        store.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        for table in ("reports", "judgements", "paragraphs", "tags"):
            columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
            # The copy's number takes the place of the id's first characters: fixed width, still unique.
            made = {name: name for name in columns}
            for name in ("report_id", "paragraph_id"):
                made[name] = f"printf('c%07d', copy) || substr({name}, 9)"
            chosen = ", ".join(made[name] for name in columns)
            store.execute(
                f"""WITH RECURSIVE copies(copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM copies LIMIT {times - 1})
                INSERT INTO {table} SELECT {chosen} FROM {table}, copies WHERE {times} > 1"""
            )
        store.commit()


def measured(store: str, answers: multiprocessing.Queue[str]) -> None:
    """Make every table of one store; answer with seconds a step, sizes and peak memory, as JSON."""
    from sqlalchemy import create_engine

    from pipeline.domain import Band, Grade
    from pipeline.tables.changes import changes
    from pipeline.tables.columns import ThemeInfo
    from pipeline.tables.contrasts import contrasts
    from pipeline.tables.corpus import Corpus
    from pipeline.tables.frequencies import frequencies
    from pipeline.tables.matrices import co_occurrence, quotations, report_matrix
    from pipeline.tables.terms import distinctive_terms

    bands = {grade: Band.REQUIRES_IMPROVEMENT if grade is Grade.ADEQUATE else Band(grade.value) for grade in Grade}
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        begun = time.process_time()
        made = step()
        seconds[name] = time.process_time() - begun
        return made

    with create_engine(f"sqlite:///{store}").connect() as connection:
        corpus = timed("read", lambda: Corpus.read(connection, bands))
        themes = [ThemeInfo(code, code) for code in sorted(corpus.themes)]
        timed("frequencies, no intervals", lambda: frequencies(corpus, themes=themes, draws=0))
        timed("frequencies, 1,000 draws", lambda: frequencies(corpus, themes=themes))
        timed("by section judgement", lambda: frequencies(corpus, "section_judgement", themes=themes))
        timed("contrasts", lambda: contrasts(corpus, themes=themes))
        timed("changes", lambda: changes(corpus, "overall_effectiveness", themes=themes))
        timed("report matrix", lambda: report_matrix(corpus, themes=themes))
        timed("co-occurrence", lambda: co_occurrence(corpus, themes=themes))
        timed("terms", lambda: distinctive_terms(connection, corpus))
        timed("quotations", lambda: sum(len(piece) for piece in quotations(connection, corpus, themes=themes)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = {"reports": len(corpus.reports), "paragraphs": len(corpus.paragraphs), "tags": len(corpus.tags)}
    answers.put(json.dumps({"seconds": seconds, "peak_mib": peak, **sizes}))


def random_store(path: Path) -> None:
    """375 random reports of 120 paragraphs on average."""
    from building import write_random
    from sqlalchemy import create_engine

    with create_engine(f"sqlite:///{path}").begin() as connection:
        write_random(connection, 375)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("multiple", nargs="*", type=int, default=[1, 10])
    parser.add_argument("--store", type=Path, help="an SQLite store to multiply instead of a random one")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    first = None
    with tempfile.TemporaryDirectory() as folder:
        base = options.store or Path(folder) / "base.db"
        if options.store is None:
            random_store(base)
        for times in sorted(set(options.multiple)):
            target = Path(folder) / "multiplied.db"
            multiplied(base, times, target)
            answers: multiprocessing.Queue[str] = context.Queue()
            process = context.Process(target=measured, args=(str(target), answers))
            process.start()
            found = json.loads(answers.get())
            process.join()
            first = first or found
            growth = found["paragraphs"] / first["paragraphs"]
            print(f"{found['reports']:,} reports, {found['paragraphs']:,} paragraphs, {found['tags']:,} tags")
            for name, spent in found["seconds"].items():
                print(f"  {name:28}{spent:9.2f} s   x {spent / max(first['seconds'][name], 1e-3) / growth:5.2f}")
            memory = found["peak_mib"]
            print(f"  {'peak memory':28}{memory:9.0f} MiB x {memory / first['peak_mib'] / growth:5.2f}", flush=True)
            target.unlink()


if __name__ == "__main__":
    main()
