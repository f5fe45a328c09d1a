"""The extract stage over ever more files: the real ``pipeline run``, its processes watched while it reads."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
_LOOK_S = 0.1
_MIB = 2**20


@dataclass
class Cost:
    """What one ``pipeline run`` took: seconds, and the peak of resident bytes of the run and of its largest worker."""

    wall: float
    processor: float
    run_bytes: int
    worker_bytes: int


def growth(files: list[Path], counts: list[int], processes: int) -> None:
    """Print what the extract stage costs a page, and the memory it holds, for each number of files.

    What a run with nothing new to read takes (Python's start, the store opened) is measured on the same store and
    taken off: it weighs on ten files, not on thousands. The listing and copying of the files is no part of it.
    """
    print(f"{'files':>6} {'pages':>7} {'wall':>8} {'wall, a page':>13} {'processor, a page':>18}  run's peak  worker's")
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            multiplied(files, count, folder / "reports")
            configuration = configured(folder, processes)
            watched(configuration, "download")
            cost = watched(configuration, "extract")
            idle = watched(configuration, "extract")
            with sqlite3.connect(folder / "store.db") as store:
                read, pages = store.execute(
                    "select count(*), sum(pages) from reports where status = 'extracted'"
                ).fetchone()
        if not pages:
            sys.exit("The run read nothing: its own messages, above, say why.")
        print(
            f"{read:6} {pages:7} {cost.wall - idle.wall:6.1f} s {1000 * (cost.wall - idle.wall) / pages:10.2f} ms"
            f" {1000 * (cost.processor - idle.processor) / pages:15.2f} ms"
            f" {cost.run_bytes / _MIB:7.0f} MiB {cost.worker_bytes / _MIB:11.0f} MiB",
            flush=True,
        )


def multiplied(files: list[Path], count: int, target: Path) -> None:
    """``count`` files, each of its own content: after a file's end mark comes a comment that says which copy it is."""
    for index in range(count):
        copy, place = divmod(index, len(files))
        source = files[place]
        path = target / f"copy {copy:04}" / source.parent.name / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes() + (f"\n% copy {copy}\n".encode() if copy else b""))


def configured(folder: Path, processes: int) -> Path:
    """A configuration that reads ``folder``'s reports into a store beside them."""
    path = folder / "config.yaml"
    path.write_text(
        f"corpus: data\nmodels: {REPOSITORY / 'models'}\ntaxonomy: {REPOSITORY / 'corpus' / 'taxonomy.yaml'}\n"
        f"store: sqlite:///store.db\noutput: output\nextract:\n  workers: {processes}\n"
        "sources:\n  - name: multiplied\n    type: folder\n    path: reports\n",
        encoding="utf-8",
    )
    return path


def watched(configuration: Path, until: str) -> Cost:
    """Run the pipeline up to a stage; exit code 3, reports set aside, is no failure."""
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--config", str(configuration), "--until", until]
    before, start = os.times(), time.perf_counter()
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as run:
        process = psutil.Process(run.pid)
        peak = largest = 0
        while run.poll() is None:
            with suppress(psutil.NoSuchProcess):  # one may end while it is looked at
                peak = max(peak, process.memory_info().rss)
                largest = max([largest, *(child.memory_info().rss for child in process.children(recursive=True))])
            time.sleep(_LOOK_S)
    wall, after = time.perf_counter() - start, os.times()
    if run.returncode not in (0, 3):
        sys.exit(f"pipeline run --until {until} ended with {run.returncode}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, processor, peak, largest)
