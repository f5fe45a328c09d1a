"""What a run did, for people and for monitors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from pipeline.domain import Domain
from pipeline.schema import Status, frequencies, judgements, reports
from pipeline.stage import Outcome


@dataclass(frozen=True)
class NewReport:
    """A report that this run saw first."""

    report_id: str
    authority: str | None
    framework: str | None
    inspection_type: str | None
    published: str | None
    overall: str | None  # grade
    status: str
    source_path: str


@dataclass(frozen=True)
class SetAsideReport:
    """A report that cannot be used, and why."""

    report_id: str
    source_path: str
    reason: str


@dataclass(frozen=True)
class Moved:
    """A cell of the table by overall judgement that this run changed: reports carrying the theme, of the band's."""

    theme: str
    band: str
    reports_before: int
    of_reports_before: int
    reports: int
    of_reports: int
    paragraphs_before: int
    of_paragraphs_before: int
    paragraphs: int
    of_paragraphs: int


@dataclass
class Summary:
    """One run from its start to its end.

    ``exit_code``: 0 done, 1 failed, 3 done but reports were set aside in this run or a source is doubtful.
    """

    run_id: int
    started: str
    until: str
    seconds: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # reports by status, in the whole store
    new_reports: list[NewReport] = field(default_factory=list)
    set_aside: list[SetAsideReport] = field(default_factory=list)  # in the whole store
    moved: list[Moved] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    exit_code: int = 0

    @property
    def nothing_new(self) -> bool:
        """Whether no stage found anything to do."""
        return not any(outcome.done for outcome in self.outcomes)

    @property
    def notes(self) -> list[str]:
        """What the stages want said."""
        return [note for outcome in self.outcomes for note in outcome.notes]

    @property
    def doubts(self) -> list[str]:
        """What cannot be trusted today."""
        return [doubt for outcome in self.outcomes for doubt in outcome.doubts]

    def as_json(self) -> dict[str, object]:
        """For ``--json``: every field, and what is derived from them."""
        return {
            **asdict(self),
            "outcomes": [{**asdict(outcome), "stage": outcome.stage.value} for outcome in self.outcomes],
            "nothing_new": self.nothing_new,
            "notes": self.notes,
            "doubts": self.doubts,
        }


@dataclass(frozen=True)
class Plan:
    """What a run would fetch (``pipeline run --dry-run``)."""

    listings: list[str]
    unchanged: int
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or 3 where a source is doubtful."""
        return 3 if self.doubts else 0

    def as_json(self) -> dict[str, object]:
        """Every field."""
        return asdict(self)


def now() -> str:
    """The time, ISO 8601 in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def counts_by_status(connection: Connection) -> dict[str, int]:
    """How many reports have each status."""
    rows = connection.execute(
        select(reports.c.status, func.count()).group_by(reports.c.status).order_by(reports.c.status)
    )
    return {str(status): int(count) for status, count in rows}


def new_reports(connection: Connection, run_id: int) -> list[NewReport]:
    """The reports that this run saw first, with their overall judgement, newest first."""
    overall = judgements.alias()
    rows = connection.execute(
        select(reports, overall.c.grade)
        .select_from(
            reports.outerjoin(
                overall, (overall.c.report_id == reports.c.report_id) & (overall.c.domain == Domain.OVERALL.value)
            )
        )
        .where(reports.c.first_run == run_id)
        .order_by(reports.c.published.desc(), reports.c.source_path)
    )
    return [
        NewReport(
            report_id=row.report_id,
            authority=row.authority or row.listed_authority,
            framework=row.framework,
            inspection_type=row.inspection_type,
            published=str(row.published or row.listed_published or "") or None,
            overall=row.grade,
            status=row.status,
            source_path=row.source_path,
        )
        for row in rows
    ]


def set_aside(connection: Connection) -> list[SetAsideReport]:
    """Every report that is set aside today."""
    rows = connection.execute(
        select(reports.c.report_id, reports.c.source_path, reports.c.reason)
        .where(reports.c.status == Status.SET_ASIDE)
        .order_by(reports.c.source_path)
    )
    return [SetAsideReport(row.report_id, row.source_path, row.reason or "no reason was kept") for row in rows]


def moved(connection: Connection, run_id: int) -> list[Moved]:
    """The cells that changed since the snapshot before this run's, largest change in the share of paragraphs first.

    Empty where this run made no tables, or there were none before.
    """
    before_id = connection.scalar(select(func.max(frequencies.c.snapshot)).where(frequencies.c.snapshot < run_id))
    if before_id is None:
        return []
    f = frequencies.c

    def cells(snapshot: int) -> dict[tuple[str, str], tuple[int, ...]]:
        rows = connection.execute(
            select(f.theme, f.band, f.reports, f.of_reports, f.paragraphs, f.of_paragraphs).where(
                f.snapshot == snapshot
            )
        )
        return {(theme, band): tuple(counts) for theme, band, *counts in rows}

    before, after = cells(before_id), cells(run_id)
    nothing = (0, 0, 0, 0)
    changes = [
        Moved(theme, band, *before.get((theme, band), nothing)[:2], *now_cell[:2],
              *before.get((theme, band), nothing)[2:], *now_cell[2:])
        for (theme, band), now_cell in after.items()
        if before.get((theme, band), nothing) != now_cell
    ]  # fmt: skip
    return sorted(changes, key=lambda cell: (-abs(_points(cell)), cell.theme, cell.band))


def _points(cell: Moved) -> float:
    """Percentage points that a cell moved by; a band that was or is empty counts as having had none."""
    was = cell.paragraphs_before / cell.of_paragraphs_before if cell.of_paragraphs_before else 0.0
    now_share = cell.paragraphs / cell.of_paragraphs if cell.of_paragraphs else 0.0
    return 100 * (now_share - was)
