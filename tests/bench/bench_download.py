"""What a run asks of the publisher's site, and how fast files come, beside curl in the same run.

    python -m tests.bench.bench_download ../shared/corpus

The site is the replica of ``tests/sources/replica.py`` with the real files, over HTTP on loopback, our rate limit off.
The first table counts what arrives at the replica; the second times the same files fetched by this program and by
``curl`` (one process, one connection) in turns, from a replica in a process of its own.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pipeline.authorities import Authorities
from pipeline.sources.base import Outcome
from tests.sources.replica import Document, from_index, pdf, serving
from tests.sources.visiting import Time, Visitor

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="the folder with index.csv and pdf/")
    parser.add_argument("--rounds", type=int, default=3, help="how often the files are fetched by each (default 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count_requests(options.corpus, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        time_beside_curl(options.corpus, Path(folder), options.rounds)


def count_requests(corpus: Path, folder: Path) -> None:
    """Cold, warm, one added, one withdrawn, one changed."""
    authorities = Authorities.load(REPOSITORY / "corpus" / "authorities.csv")
    with serving(from_index(corpus)) as replica:
        visitor = Visitor(folder, authorities, replica.base, Time())
        documents = replica.authorities[0].documents

        def add() -> None:
            documents.append(
                Document("99999999", "Children's services inspection", date(2026, 7, 1), pdf("new", 200_000))
            )

        def withdraw() -> None:
            del documents[0]

        def change() -> None:
            documents[0].body, documents[0].published = pdf("corrected", 200_000), date(2022, 1, 3)

        print(f"{'run':<14}{'search':>8}{'provider':>10}{'robots':>8}{'files':>7}{'bytes sent':>13}  {'outcome'}")
        changes: list[tuple[str, Callable[[], None]]] = [
            ("cold", lambda: None),
            ("warm", lambda: None),
            ("one added", add),
            ("one withdrawn", withdraw),
            ("one changed", change),
        ]
        for name, make in changes:
            make()
            replica.seen.clear()
            began = time.perf_counter()
            discovery, fetched = visitor.run()
            seconds = time.perf_counter() - began
            counts = {each: sum(one.outcome is each for one in fetched) for each in Outcome}
            parts = [f"{count} {each}" for each, count in counts.items() if count]
            parts += [
                f"{len(discovery.unchanged)} unchanged, {len(discovery.gone)} gone, {len(discovery.doubts)} doubts"
            ]
            print(
                f"{name:<14}{replica.count('/search'):>8}{replica.count('/provider'):>10}{replica.count('/robots'):>8}"
                f"{replica.count('/v1/file'):>7}{replica.sent():>13,}  {', '.join(parts)}; {seconds:.1f} s"
            )
        visitor.close()


def time_beside_curl(corpus: Path, folder: Path, rounds: int) -> None:
    """The same files by this program and by curl, in turns."""
    curl = shutil.which("curl")
    if curl is None:
        print("curl is not here: no comparison.")
        return
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.sources.replica", str(corpus.resolve())],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    base = server.stdout.readline().strip()
    authorities = Authorities.load(REPOSITORY / "corpus" / "authorities.csv")
    speeds: dict[str, list[float]] = {"pipeline": [], "curl": []}
    try:
        for round_ in range(rounds):
            visitor = Visitor(_new(folder / f"pipeline{round_}"), authorities, base, Time())
            discovery = visitor.discover()
            began = time.perf_counter()
            fetched = list(visitor.source().fetch(discovery.new))
            seconds = time.perf_counter() - began
            visitor.close()
            taken = [each.listing for each in fetched if each.outcome is Outcome.READY]
            size = sum(listing.size or 0 for listing in taken)
            speeds["pipeline"].append(size / 1e6 / seconds)

            target = _new(folder / f"curl{round_}")
            lines = [f'url = "{listing.url}"\noutput = "{target / str(at)}.pdf"' for at, listing in enumerate(taken)]
            (target / "list").write_text("\n".join(lines), encoding="utf-8")
            began = time.perf_counter()
            subprocess.run([curl, "--silent", "--fail", "--config", str(target / "list")], check=True)
            seconds = time.perf_counter() - began
            came = sum(path.stat().st_size for path in target.glob("*.pdf"))
            assert came == size, (came, size)
            speeds["curl"].append(size / 1e6 / seconds)
            print(f"round {round_ + 1}: {len(taken)} files, {size:,} bytes", flush=True)
    finally:
        server.kill()
        server.wait()
    for name, values in speeds.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:<10}{low:>8.0f}{middle:>8.0f}{high:>8.0f}  MB/s (min, median, max)")
    ratios = [ours / theirs for ours, theirs in zip(speeds["pipeline"], speeds["curl"], strict=True)]
    print(f"pipeline : curl, round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
