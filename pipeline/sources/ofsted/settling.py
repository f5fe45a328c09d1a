"""Results that are given only once they would survive a power cut.

Waiting for the disk after every file would make the disk's delay the pace; so other threads hash, write and flush files
while the next ones arrive, and they are remembered some at a time. A run that is killed in between finds them on disk
by their names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.sources.base import Fetched
from pipeline.sources.ofsted.state import Known, SiteState

_THREADS = 4
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one listing: what is told, and what is to be remembered."""

    fetched: Fetched
    publication: Known | None = None


class Settling:
    """Keeps files and remembers results, in order; a context manager. What it was given is kept, however it ends."""

    def __init__(self, state: SiteState) -> None:
        self._state = state
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="keep")
        self._waiting: deque[Result | Future[Result]] = deque()

    def __enter__(self) -> Settling:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def add(self, result: Result | Callable[[], Result]) -> Iterator[Fetched]:
        """Take a result, or what makes one by keeping a file; give those that are safe, once there are some.

        Raises
        ------
        OSError
            A file could not be kept.
        """
        self._waiting.append(result if isinstance(result, Result) else self._pool.submit(result))
        if len(self._waiting) >= 2 * _AT_ONCE:  # the earlier half has had time to settle
            yield from self._give(_AT_ONCE)

    def rest(self) -> Iterator[Fetched]:
        """Give all that wait."""
        return self._give(len(self._waiting))

    def _give(self, count: int) -> Iterator[Fetched]:
        waiting = [self._waiting.popleft() for _ in range(count)]
        results = [each if isinstance(each, Result) else each.result() for each in waiting]
        self._state.keep(result.publication for result in results if result.publication is not None)
        for result in results:
            yield result.fetched
