"""What every stage is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.store import Store

if TYPE_CHECKING:
    from pipeline.sources.stage import Found


class Stage(StrEnum):
    """The stages, in their order."""

    DISCOVER = "discover"
    DOWNLOAD = "download"
    EXTRACT = "extract"
    TAG = "tag"
    TABLES = "tables"
    PUBLISH = "publish"


Progress = Callable[[Stage, int, int], None]
"""Called with the stage, how many are done and how many there are."""


def no_progress(stage: Stage, done: int, total: int) -> None:
    """For runs that nobody watches."""


@dataclass(frozen=True)
class Context:
    """One run: its configuration, its store and how it reports."""

    config: Config
    store: Store
    run_id: int
    source: str | None = None  # only this one of the configured sources
    progress: Progress = no_progress
    found: list[Found] = field(default_factory=list)  # from discover to download


@dataclass
class Outcome:
    """What a stage did.

    Attributes
    ----------
    done, unchanged, set_aside : int
        Items (reports, for most stages) worked on, left as they were, and found unusable in this run.
    notes : list of str
        Sentences for the summary.
    doubts : list of str
        Sentences about a source that cannot be trusted today; the run then exits 3.
    """

    stage: Stage
    done: int = 0
    unchanged: int = 0
    set_aside: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
