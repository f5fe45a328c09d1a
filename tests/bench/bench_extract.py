"""Extraction measured: speed beside bare PDFium text and pdfplumber in one run; the cut beside poppler's reading.

python tests/bench/bench_extract.py                       speed, on the real reports of ../shared
python tests/bench/bench_extract.py --quality             numbers, words, labels
python tests/bench/bench_extract.py --engines 40          paragraphs of both engines, on 40 files
python tests/bench/bench_extract.py --growth 10 375 5000     cost a page and memory of the stage, the corpus multiplied
python tests/bench/bench_extract.py --fuzz 2000           random mutations of real files
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from pipeline.domain import Document, normalised  # noqa: E402
from pipeline.errors import SetAside  # noqa: E402
from pipeline.extract import ExtractOptions, read_document, read_many  # noqa: E402
from pipeline.extract.quality import cut_of  # noqa: E402
from tests.bench.growth import growth  # noqa: E402
from tests.extract.labelled import Found, labelled  # noqa: E402

Jobs = list[tuple[str, Path]]


def reports(corpus: Path) -> Jobs:
    """Every file of the corpus that is listed, by its path in the list."""
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        return [(row["path"], corpus / row["path"]) for row in csv.DictReader(file)]


def timed(label: str, pages: int, work: Callable[[], object]) -> float:
    """Run ``work``; print wall and processor seconds, children's included; return the processor's."""
    before, start = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    print(
        f"{label:34} {wall:8.2f} s wall {cpu:8.2f} s processor {1000 * cpu / max(pages, 1):7.2f} ms a page", flush=True
    )
    return cpu


def bare(jobs: Jobs) -> int:
    """The text of every page and nothing else; returns the number of pages."""
    import pypdfium2

    pages = 0
    for _, path in jobs:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        for page in document:
            text = page.get_textpage()
            text.get_text_range()
            text.close()
            page.close()
            pages += 1
        document.close()
    return pages


def in_process(jobs: Jobs, options: ExtractOptions) -> dict[str, Document]:
    """Documents by name, read in this process; what is set aside is left out."""
    documents = {}
    for name, path in jobs:
        try:
            documents[name] = read_document(path, options)
        except SetAside:
            continue
    return documents


def exhaust(jobs: Jobs, workers: int) -> int:
    """Read with worker processes and drop the results; returns how many there were."""
    return sum(1 for _ in read_many(iter(jobs), ExtractOptions(), workers=workers))


def speed(jobs: Jobs, plumber_files: int) -> None:
    """Bare text, ours with one and two processes, and pdfplumber on some of the same files, in one run."""
    pages = bare(jobs)
    print(f"{len(jobs)} files, {pages} pages")
    one = timed("bare pypdfium2 text", pages, lambda: bare(jobs))
    ours = timed("ours, in this process", pages, lambda: in_process(jobs, ExtractOptions()))
    print(f"  ours / bare: {ours / one:.2f}")
    two_processes(jobs, pages)
    if plumber_files:
        some = random.Random(1).sample(jobs, min(plumber_files, len(jobs)))
        pages = bare(some)
        mine = timed(f"ours, {len(some)} files", pages, lambda: in_process(some, ExtractOptions()))
        slow = timed(
            "engine pdfplumber, the same", pages, lambda: in_process(some, ExtractOptions(engine="pdfplumber"))
        )
        print(f"  pdfplumber / ours: {slow / mine:.1f}")


def two_processes(jobs: Jobs, pages: int) -> None:
    """One and two workers, beside what the machine itself gives: bare processes that each read a share of the files.

    The bare processes share nothing and hand nothing over: where two of them are not twice as fast as one (cores shared
    with other work, memory bandwidth), no scheduling could be. All four are measured twice, in turn, and the better
    time of each counts, so that a passing load falls on no one of them alone.
    """
    walls: dict[str, list[float]] = defaultdict(list)
    for _ in range(2):
        for count in (1, 2):
            shares = [jobs[first::count] for first in range(count)]
            start = time.perf_counter()
            timed(f"ours, {count} bare process(es)", pages, partial(bare_processes, shares))
            walls[f"bare {count}"].append(time.perf_counter() - start)
            start, mine = time.perf_counter(), time.process_time()
            cpu = timed(f"ours, {count} worker process(es)", pages, partial(exhaust, jobs, count))
            wall, mine = time.perf_counter() - start, time.process_time() - mine
            walls[f"workers {count}"].append(wall)
            print(f"  the workers' processors busy {(cpu - mine) / (count * wall):.0%}; the parent's own {mine:.2f} s")
    ceiling = min(walls["bare 1"]) / min(walls["bare 2"])
    reached = min(walls["workers 1"]) / min(walls["workers 2"])
    print(f"  one worker / two workers, wall: {reached:.2f}; bare, the machine's ceiling: {ceiling:.2f}")


def bare_processes(shares: list[Jobs]) -> None:
    """Read each share of the files in a process of its own, all at once."""
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=in_process, args=(share, ExtractOptions())) for share in shares]
    for process in running:
        process.start()
    for process in running:
        process.join()
        if process.exitcode:
            sys.exit(f"a bare process ended with {process.exitcode}")


def quality(jobs: Jobs, labels: Path) -> None:
    """Numbers without gaps, words beside pdftotext's, and the labelled paragraphs found again."""
    documents = in_process(jobs, ExtractOptions())
    cut = cut_of(documents.items())
    print(f"numbered points found: {cut.numbers - cut.missing} of {cut.numbers}")
    for gap in cut.gaps:
        print(f"  {gap}")
    print(
        f"numbered and free paragraphs: {cut.paragraphs};"
        f" {cut.lower} begin in lower case, {cut.open} end without a stop"
    )
    words(jobs, documents)
    if labels.is_file():
        found_again(documents, labels)


_WORD = re.compile(
    r"[^\W\d_]+"
)  # without digits: footnote marks stick to words ("board1"), and ours drops them on purpose


def words(jobs: Jobs, documents: dict[str, Document]) -> None:
    """Words of the body that ours has, and has too often, against poppler's pdftotext, without running heads."""
    expected = present = doubled = 0
    missed: Counter[str] = Counter()
    doubles: Counter[str] = Counter()
    for name, path in jobs:
        if name not in documents:
            continue
        theirs_words = poppler_words(path)
        ours_words = Counter(
            word for paragraph in documents[name].paragraphs for word in _WORD.findall(paragraph.text.lower())
        )
        gone = theirs_words - ours_words
        expected += theirs_words.total()
        present += theirs_words.total() - gone.total()
        doubled += (ours_words - theirs_words).total()
        doubles.update(ours_words - theirs_words)
        missed.update(gone)
        if gone.total() > 60:
            print(f"  {name}: {gone.total()} words not found, such as {[w for w, _ in gone.most_common(8)]}")
    print(
        f"words of pdftotext found in ours: {present} of {expected} ({present / expected:.3%});"
        f" in ours more often: {doubled}, such as {doubles.most_common(12)}"
    )
    print(f"  most missed: {missed.most_common(25)}")


def poppler_words(path: Path) -> Counter[str]:
    """Words that pdftotext reads, running heads and feet left out: rows at a page's ends that recur on other pages."""
    run = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    pages = [
        [line for line in page.splitlines() if line.strip()]
        for page in run.stdout.decode("utf-8", errors="replace").split("\f")
    ]
    seen: dict[str, set[int]] = defaultdict(set)
    for number, lines in enumerate(pages):
        for line in (*lines[:2], *lines[-3:]):
            seen[masked(line)].add(number)
    enough = max(2, min(4, len(pages) // 3))
    found: Counter[str] = Counter()
    for lines in pages:
        edge = {id(line) for line in (*lines[:2], *lines[-3:])}
        body = [line for line in lines if not (id(line) in edge and len(seen[masked(line)]) >= enough)]
        text = (
            "\n".join(body).replace("\u00ad", "").translate({0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi"})
        )
        found.update(_WORD.findall(text.lower()))
    return found


def masked(line: str) -> str:
    """A row with its digits and spaces levelled, so that running rows of different pages are equal."""
    return re.sub(r"\d+", "#", "".join(line.split()).lower())


def found_again(documents: dict[str, Document], labels: Path) -> None:
    """How many labelled paragraphs are found again, and which cut is right where theirs is another."""
    outcome = Counter(how for _, _, how in labelled(documents, labels))
    total = outcome.total()
    for how in Found:
        print(f"labelled paragraphs {how.value}: {outcome[how]} of {total} ({outcome[how] / total:.2%})")
    found = outcome[Found.SAME] + outcome[Found.PART]
    print(f"  found again, as the same or as a part of ours: {found} of {total} ({found / total:.2%})")


def engines(jobs: Jobs, count: int) -> None:
    """Substantive paragraphs of both engines on some files, and where they differ."""
    some = random.Random(2).sample(jobs, min(count, len(jobs)))
    equal = total = 0
    for name, path in some:
        both = [
            in_process([(name, path)], ExtractOptions(engine=engine)).get(name) for engine in ("pdfium", "pdfplumber")
        ]
        if both[0] is None or both[1] is None:
            continue
        fast, reference = (
            Counter(normalised(p.text) for p in document.paragraphs if p.substantive) for document in both if document
        )
        total += max(fast.total(), reference.total())
        equal += (fast & reference).total()
        for sign, difference in (("pdfium only", fast - reference), ("pdfplumber only", reference - fast)):
            for text in difference.elements():
                print(f"  {name}: {sign}: {text[:40]} ... {text[-30:]} ({len(text.split())} words)")
        if both[0].judgements != both[1].judgements:
            print(f"  {name}: judgements differ: {set(both[0].judgements) ^ set(both[1].judgements)}")
    print(f"paragraphs equal in both engines: {equal} of {total} ({equal / total:.3%}) in {len(some)} files")


def mutations(jobs: Jobs, count: int, folder: Path, seed: int = 7) -> Iterable[tuple[str, Path]]:
    """Real files with random damage: bytes changed, cut out, doubled, moved, zeroed, or numbers in them changed."""
    chance = random.Random(seed)
    for index in range(count):
        _, source = chance.choice(jobs)
        data = bytearray(source.read_bytes())
        for _ in range(chance.choice((1, 1, 3, 10, 100))):
            damage(data, chance)
        path = folder / f"{index}.pdf"
        path.write_bytes(data)
        yield str(path), path


def damage(data: bytearray, chance: random.Random) -> None:
    """One random damage to ``data``, in place."""
    if len(data) < 2:
        return
    at = chance.randrange(len(data))
    length = chance.choice((1, 4, 64, 1024, 16384))
    kind = chance.randrange(6)
    if kind == 0:
        data[at] = chance.randrange(256)
    elif kind == 1:
        del data[at : at + length]
    elif kind == 2:
        data[at:at] = data[at : at + length]
    elif kind == 3:
        data[at : at + length] = bytes(len(data[at : at + length]))
    elif kind == 4:
        to = chance.randrange(len(data))
        data[to:to] = data[at : at + length]
    else:
        found = list(re.finditer(rb"\d+", data[at : at + 4096]))
        if found:
            number = chance.choice(found)
            value = chance.choice((b"0", b"-1", b"4294967295", b"99999999999999999999", b"1"))
            data[at + number.start() : at + number.end()] = value


def fuzz(jobs: Jobs, count: int, workers: int) -> Counter[str]:
    """Read mutated files; returns how often each outcome came, and prints the slowest gap between two results."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        longest, last = 0.0, time.perf_counter()
        files = mutations(jobs, count, Path(name))
        for key, result in read_many(files, ExtractOptions(timeout_s=20, memory_mb=700), workers=workers):
            outcomes["read" if isinstance(result, Document) else re.sub(r"\d[\d,]*", "N", result.reason)] += 1
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            Path(key).unlink()
    print(f"{outcomes.total()} of {count} mutated files came back; longest wait for one {longest:.1f} s")
    for reason, times in outcomes.most_common():
        print(f"  {times:5}  {reason}")
    return outcomes


def main() -> None:
    """Parse the command line and run what it asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=REPOSITORY.parent / "shared" / "corpus")
    parser.add_argument("--labels", type=Path, default=REPOSITORY.parent / "shared" / "labels" / "labels.jsonl")
    parser.add_argument("--files", type=int, help="only so many files, drawn at random")
    parser.add_argument(
        "--plumber", type=int, default=12, metavar="N", help="files for the pdfplumber engine (0: none)"
    )
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--engines", type=int, metavar="N")
    parser.add_argument("--growth", type=int, nargs="+", metavar="N", help="numbers of files, each a run of its own")
    parser.add_argument("--fuzz", type=int, metavar="N")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    jobs = reports(arguments.corpus)
    if arguments.files:
        jobs = random.Random(0).sample(jobs, min(arguments.files, len(jobs)))
    if arguments.quality:
        quality(jobs, arguments.labels)
    elif arguments.engines:
        engines(jobs, arguments.engines)
    elif arguments.growth:
        growth([path for _, path in jobs], arguments.growth, arguments.workers)
    elif arguments.fuzz:
        fuzz(jobs, arguments.fuzz, arguments.workers)
    else:
        speed(jobs, arguments.plumber)


if __name__ == "__main__":
    main()
