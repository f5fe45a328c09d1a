"""Results that are given only once they would survive a power cut.

Waiting for the disk after every file would make the disk's delay the pace; so files are flushed by other threads while
the next ones arrive, and remembered some at a time. A run that is killed in between finds them on disk by their names.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline.sources.base import Fetched
from pipeline.sources.ofsted.state import Known, SiteState

_THREADS = 4
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one listing: what is told, what is to be remembered, the new file, what is to be tidied up."""

    fetched: Fetched
    publication: Known | None = None
    path: Path | None = None
    tidy: Callable[[], None] | None = None


class Settling:
    """Flushes and remembers results in order; a context manager."""

    def __init__(self, state: SiteState) -> None:
        self._state = state
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="flush")
        self._waiting: deque[tuple[Result, Future[None] | None]] = deque()

    def __enter__(self) -> Settling:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, result: Result) -> Iterator[Fetched]:
        """Take a result; give those that are safe, once there are some.

        Raises
        ------
        OSError
            A file could not be flushed.
        """
        self._waiting.append((result, self._pool.submit(_flush, result.path) if result.path is not None else None))
        if len(self._waiting) >= _AT_ONCE:
            yield from self.rest()

    def rest(self) -> Iterator[Fetched]:
        """Give all that wait."""
        results = []
        while self._waiting:
            result, flushed = self._waiting.popleft()
            if flushed is not None:
                flushed.result()
            results.append(result)
        self._state.keep(result.publication for result in results if result.publication is not None)
        for result in results:
            if result.tidy is not None:
                result.tidy()
        for result in results:
            yield result.fetched


def _flush(path: Path) -> None:
    with path.open("r+b") as file:  # Windows flushes only what was opened for writing
        os.fsync(file.fileno())
