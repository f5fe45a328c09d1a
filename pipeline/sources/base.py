"""What every source gives to the stages ``discover`` and ``download``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pipeline.domain import InspectionType

Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, how many are done, and of how many (``None``: not known yet)."""


def no_progress(what: str, done: int, total: int | None) -> None:
    """A :data:`Progress` that shows nothing."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One file that a source has. ``None`` where the source does not say it.

    Attributes
    ----------
    source : str
        The source's name in config.yaml.
    source_path : str
        Names the file for good, within the whole store: for a folder its path as configured, a slash and the file's
        path below it; for the publisher's site the source's name, a slash and the publisher's file number.
    file : pathlib.Path or None
        Where its bytes lie; ``None`` while they have not been fetched.
    size, mtime_ns : int or None
        Size in bytes and time of change, of ``file``.
    sha256 : str or None
        Of ``file``, where the source had to compute it anyway.
    """

    source: str
    source_path: str
    title: str | None = None
    urn: str | None = None
    authority: str | None = None
    published: date | None = None
    url: str | None = None
    kind: InspectionType | None = None
    file: Path | None = None
    size: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the store remembers of a file that it has read before."""

    size: int
    mtime_ns: int


Known = Mapping[str, KnownFile]
"""The files of this source that the store knows, by ``source_path``; withdrawn ones included."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a source has now, against what was known of it.

    Attributes
    ----------
    new : tuple of Listing
        Not known, or known with another size or time of change, or listed and not yet held: to be fetched, then read.
    unchanged : tuple of Listing
        Known and as they were.
    gone : tuple of str
        ``source_path`` of known files that the source has given up for certain. What was read of them is kept. Never
        filled from a page or folder that could not be read.
    doubts : tuple of str
        Sentences about what looked wrong: the source may have more than it showed. Any of them makes the run exit 3.
    notes : tuple of str
        Sentences that need no action.
    """

    new: tuple[Listing, ...]
    unchanged: tuple[Listing, ...] = ()
    gone: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def listings(self) -> tuple[Listing, ...]:
        """All that the source has."""
        return self.new + self.unchanged


class Outcome(StrEnum):
    """How fetching one listing ended."""

    READY = "ready"  # its file is on disk, new or changed
    UNCHANGED = "unchanged"  # asked, and what is held is still what is served
    WITHDRAWN = "withdrawn"  # the publisher serves its "Report not found" page
    FAILED = "failed"  # tried again in a later run
    LEFT = "left"  # not tried: the budget is used up, or the site refused


@dataclass(frozen=True, slots=True)
class Fetched:
    """A listing as it stands after :meth:`Source.fetch`; READY and UNCHANGED have ``file``, ``size``, ``mtime_ns``.

    ``reason`` is one sentence for every other outcome.
    """

    listing: Listing
    outcome: Outcome
    reason: str | None = None


class Source(Protocol):
    """A place that reports come from."""

    @property
    def name(self) -> str:
        """Its name in config.yaml."""
        ...

    def discover(self, known: Known, progress: Progress = no_progress, *, dry_run: bool = False) -> Discovery:
        """Find out what there is. With ``dry_run`` nothing is remembered of it.

        Raises
        ------
        UsageError
            The configuration names something that is not there.
        PipelineError
            The source cannot be read at all.
        """
        ...

    def fetch(self, listings: Iterable[Listing], progress: Progress = no_progress) -> Iterator[Fetched]:
        """Lay the files of ``Discovery.new`` on disk, one result each, in order; each is safe once given."""
        ...


def compared(found: Iterable[Listing], known: Known, doubts: Iterable[str] = ()) -> Discovery:
    """Sort files that lie on disk into new, unchanged and gone, by size and time of change."""
    new: list[Listing] = []
    unchanged: list[Listing] = []
    seen = set()
    for listing in found:
        seen.add(listing.source_path)
        before = known.get(listing.source_path)
        same = before is not None and (before.size, before.mtime_ns) == (listing.size, listing.mtime_ns)
        (unchanged if same else new).append(listing)
    gone = tuple(path for path in known if path not in seen)
    return Discovery(tuple(new), tuple(unchanged), gone, tuple(doubts))
