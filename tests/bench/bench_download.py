"""What a run asks of the publisher's site, and how fast files come, beside curl in the same run.

    python -m tests.bench.bench_download ../shared/corpus

The site is the replica of ``tests/sources/replica.py`` with the real files, over HTTP on loopback, our rate limit off.
The first table counts what arrives at the replica. The second times the same files, in turns, from a replica in a
process of its own: by this program (checked, hashed, each flushed to the disk, remembered), by ``curl`` to files (only
written, or flushed afterwards), by one and two ``curl`` that throw them away (what the server can give), and by bare
loops of urllib3 and httpx that throw them away (what a library can take). The server's share of a processor says who
waits for whom.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import urllib3

from pipeline.authorities import Authorities
from pipeline.sources.base import Fetched, Outcome
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
    """The same files by this program and by others, in turns."""
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
    runs: dict[str, list[Timed]] = {}
    try:
        for round_ in range(rounds):
            visitor = Visitor(_new(folder / f"pipeline{round_}"), authorities, base, Time())
            discovery = visitor.discover()
            source = visitor.source()
            fetched: list[Fetched] = []
            ours = _timed(server.pid, lambda: fetched.extend(source.fetch(discovery.new)))  # noqa: B023 - called here
            visitor.close()
            taken = [each.listing for each in fetched if each.outcome is Outcome.READY]
            size = sum(listing.size or 0 for listing in taken)
            urls = [str(listing.url) for listing in taken]
            target = _new(folder / f"curl{round_}")
            others: dict[str, Callable[[], object]] = {
                "curl, to files": partial(_curl, curl, urls, target, 1, True),
                "curl, to files, flushed": partial(_curl_flushed, curl, urls, _new(folder / f"flushed{round_}")),
                "curl, thrown away": partial(_curl, curl, urls, target, 1, False),
                "two curl, thrown away": partial(_curl, curl, urls, target, 2, False),
                "urllib3, thrown away": partial(_urllib3, urls),
                "httpx, thrown away": partial(_httpx, urls),
            }
            runs.setdefault("pipeline", []).append(ours)
            for name, fetch in others.items():
                runs.setdefault(name, []).append(_timed(server.pid, fetch))
            came = sum(path.stat().st_size for path in target.glob("*.pdf"))
            assert came == size, (came, size)
            print(f"round {round_ + 1}: {len(taken)} files, {size:,} bytes", flush=True)
    finally:
        server.kill()
        server.wait()
    print(f"{'MB/s':<24}{'min':>8}{'median':>8}{'max':>8}  {'of curl to files':<18}server busy")
    beside = runs["curl, to files"]
    for name, values in runs.items():
        speeds = [size / 1e6 / each.seconds for each in values]
        ratio = statistics.median(theirs.seconds / each.seconds for each, theirs in zip(values, beside, strict=True))
        busy = sum(each.server_seconds for each in values) / sum(each.seconds for each in values)
        low, middle, high = min(speeds), statistics.median(speeds), max(speeds)
        print(f"{name:<24}{low:>8.0f}{middle:>8.0f}{high:>8.0f}  {ratio:<18.2f}{busy:.0%}")


@dataclass(frozen=True)
class Timed:
    """How long something took, and how long the server worked on it; seconds."""

    seconds: float
    server_seconds: float


def _timed(server: int, work: Callable[[], object]) -> Timed:
    busy, began = _processor_seconds(server), time.perf_counter()
    work()
    return Timed(time.perf_counter() - began, _processor_seconds(server) - busy)


def _processor_seconds(process: int) -> float:
    """What a process has used of processors; ``nan`` where the system does not say it under /proc."""
    try:
        parts = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return math.nan
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _curl(curl: str, urls: list[str], folder: Path, processes: int, keep: bool) -> None:
    running = []
    for process in range(processes):
        mine = list(enumerate(urls))[process::processes]
        lines = [f'url = "{url}"\noutput = "{folder / f"{at}.pdf" if keep else os.devnull}"' for at, url in mine]
        (folder / f"list{process}").write_text("\n".join(lines), encoding="utf-8")
        command = [curl, "--silent", "--fail", "--config", str(folder / f"list{process}")]
        running.append(subprocess.Popen(command))
    for each in running:
        assert each.wait() == 0


def _curl_flushed(curl: str, urls: list[str], folder: Path) -> None:
    """As safe from a power cut as ours: each file, and the folder that names it."""
    _curl(curl, urls, folder, 1, True)
    for path in (*folder.glob("*.pdf"), folder):
        opened = os.open(path, os.O_RDONLY)
        os.fsync(opened)
        os.close(opened)


def _urllib3(urls: list[str]) -> int:
    size = 0
    with urllib3.PoolManager() as pool:
        for url in urls:
            answer = pool.urlopen("GET", url, preload_content=False, decode_content=False)
            while piece := answer.read1(1 << 18, decode_content=False):
                size += len(piece)
            answer.release_conn()
    return size


def _httpx(urls: list[str]) -> int:
    size = 0
    with httpx.Client(trust_env=False) as client:
        for url in urls:
            with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                size += sum(len(piece) for piece in response.iter_raw())
    return size


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
