"""A source that reads a replica, and what a store would know of it from the runs before.

Also a program, for a run that is to be killed::

    python -m tests.sources.visiting FOLDER AUTHORITIES.csv http://127.0.0.1:PORT
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.authorities import Authorities
from pipeline.sources.base import Discovery, Fetched, KnownFile, Outcome
from pipeline.sources.ofsted.client import Clock
from pipeline.sources.ofsted.source import OfstedSite
from pipeline.sources.options import OfstedSource
from pipeline.store import Store


@dataclass
class Time:
    """A clock that sleeping moves on, and that can be moved to another day."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)
    ahead: timedelta = timedelta()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def now(self) -> float:
        return time.monotonic() + self.at

    def today(self) -> datetime:
        return datetime.now(UTC) + self.ahead + timedelta(seconds=self.at)

    def clock(self) -> Clock:
        return Clock(self.now, self.sleep, self.today)


class Visitor:
    """A source, and what a store would know of it from the runs before."""

    def __init__(self, folder: Path, authorities: Authorities, base: str, time: Time) -> None:
        self.folder = folder
        self.time = time
        self.known: dict[str, KnownFile] = {}
        self._authorities = authorities
        self._store = Store(f"sqlite:///{(folder / 'pipeline.db').as_posix()}")
        self.options: dict[str, Any] = {
            "name": "ofsted",
            "type": "ofsted",
            "contact": "tester@council.example",
            "site": base,
            "hosts": (urlsplit(base).netloc,),
            "requests_per_second": 0,
            "timeout_s": 10,
            "backoff_s": 0,
        }

    def source(self, **options: Any) -> OfstedSite:
        chosen = OfstedSource(**{**self.options, **options})
        return OfstedSite(chosen, self._authorities, self.folder / "ofsted", self._store.engine, self.time.clock())

    def discover(self, dry_run: bool = False, **options: Any) -> Discovery:
        return self.source(**options).discover(self.known, dry_run=dry_run)

    def run(self, **options: Any) -> tuple[Discovery, list[Fetched]]:
        """Discover and fetch; remember what a store would."""
        source = self.source(**options)
        discovery = source.discover(self.known)
        fetched = list(source.fetch(discovery.new))
        for each in fetched:
            if each.outcome in (Outcome.READY, Outcome.UNCHANGED):
                listing = each.listing
                assert listing.size is not None
                assert listing.mtime_ns is not None
                self.known[listing.source_path] = KnownFile(listing.size, listing.mtime_ns)
        return discovery, fetched

    def files(self) -> dict[str, bytes]:
        """Everything stored, by path below the source's folder."""
        folder = self.folder / "ofsted"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob("*/*.pdf"))}

    def close(self) -> None:
        self._store.close()


if __name__ == "__main__":
    visitor = Visitor(Path(sys.argv[1]), Authorities.load(Path(sys.argv[2])), sys.argv[3], Time())
    discovery, fetched = visitor.run()
    print(len(fetched), flush=True)
