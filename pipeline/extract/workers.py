"""Each PDF in a worker process that may die without taking the run along."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from pipeline.domain import Document
from pipeline.errors import SetAside
from pipeline.extract.reading import ExtractOptions, read_document, too_long

_IN_FLIGHT = 3  # PDFs handed out for each worker: one read, two waiting, so that none idles
_TASKS = 500  # PDFs a worker reads before a fresh one takes over: what a library leaks stays bounded
_OUT_OF_MEMORY = 77  # exit status of a worker that ends itself
_LOOK_S = 0.05


def read_many(
    jobs: Iterable[tuple[str, Path]], options: ExtractOptions, workers: int = 1
) -> Iterator[tuple[str, Document | SetAside]]:
    """Read PDFs in worker processes, in the order in which they are done.

    Parameters
    ----------
    jobs : iterable of (key, path)
        Read as needed: at most a few for each worker are held at a time.
    workers : int
        Number of processes, at least 1.

    Yields
    ------
    (key, Document or SetAside)
        A worker that crashes, or goes over its time or memory, costs that PDF alone.
    """
    from pebble import ProcessPool

    waiting = iter(jobs)
    pending: dict[Future[Document | SetAside], str] = {}
    pool = ProcessPool(
        max_workers=max(1, workers),
        max_tasks=_TASKS,
        initializer=_start_worker,
        initargs=(options.memory_mb,),
        context=multiprocessing.get_context("spawn"),
    )
    try:
        more = True
        while more or pending:
            while more and len(pending) < _IN_FLIGHT * max(1, workers):
                job = next(waiting, None)
                if job is None:
                    more = False
                else:
                    future = pool.schedule(_read, args=(job[1], options), timeout=options.timeout_s)
                    pending[future] = job[0]
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield pending.pop(future), _outcome(future, options)
    finally:
        pool.stop()
        pool.join()


def _outcome(future: Future[Document | SetAside], options: ExtractOptions) -> Document | SetAside:
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        return SetAside(too_long(options))
    except ProcessExpired as expired:
        if expired.exitcode == _OUT_OF_MEMORY:
            return SetAside(f"too large to read: over {options.memory_mb} MiB of memory")
        return SetAside("damaged: the PDF reader crashed on it")


def _read(path: Path, options: ExtractOptions) -> Document | SetAside:
    try:
        return read_document(path, options)
    except SetAside as why:
        return why
    except MemoryError:
        return SetAside(f"too large to read: over {options.memory_mb} MiB of memory")
    except Exception as error:  # noqa: BLE001 - one odd PDF must not end the run; the reason names what went wrong
        return SetAside(f"could not be read: {type(error).__name__}: {error}"[:300])


def _start_worker(memory_mb: int) -> None:
    # What a PDF library prints about a broken file is no message for the user: the reason of the set-aside is.
    logging.disable(logging.CRITICAL)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    threading.Thread(target=_watch_memory, args=(memory_mb * 2**20,), daemon=True).start()


def _watch_memory(limit: int) -> None:
    """End this process once it holds more than ``limit`` bytes. Works alike on Linux, Windows and macOS."""
    import psutil

    process: Any = psutil.Process()
    while True:
        if process.memory_info().rss > limit:
            os._exit(_OUT_OF_MEMORY)
        time.sleep(_LOOK_S)
