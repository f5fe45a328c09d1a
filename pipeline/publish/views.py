"""From the published tables to what the pages show: rows and cells, in order, nothing computed anew."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.domain import Band
from pipeline.publish.words import known, slug

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cell:
    """One row of a frequency table."""

    by: str
    band: str
    theme: str
    name: str
    reports: int
    of_reports: int
    reports_percent: float
    reports_low: float
    reports_high: float
    paragraphs: int
    of_paragraphs: int
    paragraphs_percent: float
    paragraphs_low: float
    paragraphs_high: float
    strengths: int
    weaknesses: int
    mixed: int


def scale_of(cells: Iterable[Cell]) -> int:
    """Where an axis of shares of paragraphs ends: the next multiple of 5 % above the largest share."""
    shares = [cell.paragraphs_percent for cell in cells if known(cell.paragraphs_percent)]
    return 5 * max(1, math.ceil(max(shares, default=0) / 5))


@dataclass(frozen=True)
class Group:
    """A column of a heat table."""

    name: str
    reports: int
    paragraphs: int


@dataclass(frozen=True)
class Row:
    """A row of a heat table; ``page`` where the theme has one."""

    code: str
    name: str
    page: str | None
    cells: tuple[Cell, ...]

    @property
    def label(self) -> str:
        """A section's number and title."""
        return f"{self.code} {self.name}"


@dataclass(frozen=True)
class HeatTable:
    """Themes, or sections, down and groups across."""

    what: str
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]

    @property
    def reports(self) -> int:
        """Reports in all groups."""
        return sum(group.reports for group in self.groups)

    @property
    def top(self) -> int:
        """Where the colours of shares of paragraphs end."""
        return scale_of(cell for row in self.rows for cell in row.cells)


@dataclass(frozen=True)
class Year:
    """A year's reports by band."""

    name: str
    parts: tuple[tuple[str, int], ...]
    whole: int

    @property
    def pieces(self) -> list[tuple[str, int]]:
        """Class of colour and number, for the stacked bar."""
        return [(slug(band), reports) for band, reports in self.parts]


_SHOWN = tuple(Cell.__dataclass_fields__)


def cells_of(frame: pd.DataFrame) -> Iterator[Cell]:
    """The rows of a frequency table, as plain Python numbers."""
    for row in frame[list(_SHOWN)].astype(object).to_dict("records"):
        yield Cell(**{str(key): value for key, value in row.items()})


def by_theme(frame: pd.DataFrame) -> dict[str, list[Cell]]:
    """The rows of each theme, bands in order."""
    found: dict[str, list[Cell]] = {}
    for cell in cells_of(frame):
        found.setdefault(cell.theme, []).append(cell)
    return found


def by_band(frame: pd.DataFrame) -> dict[str, dict[str, Cell]]:
    """The rows of each band, by theme."""
    found: dict[str, dict[str, Cell]] = {}
    for cell in cells_of(frame):
        found.setdefault(cell.band, {})[cell.theme] = cell
    return found


def records_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries of plain Python values."""
    return [{str(key): value for key, value in row.items()} for row in frame.astype(object).to_dict("records")]


def heat_table(frame: pd.DataFrame, what: str, pages: Mapping[str, str]) -> HeatTable:
    """Themes down, bands across. ``pages``: the page of each theme that has one."""
    rows = by_theme(frame)
    first: Sequence[Cell] = next(iter(rows.values()), [])
    return HeatTable(
        what,
        tuple(Group(cell.band, cell.of_reports, cell.of_paragraphs) for cell in first),
        tuple(Row(code, cells[0].name, pages.get(code), tuple(cells)) for code, cells in rows.items()),
    )


def years_of(judged: pd.DataFrame, domain: str) -> list[Year]:
    """Reports by year and band of one judgement, all years last; years in order."""
    own = judged[judged["domain"] == domain]
    years = []
    for name, rows in own.groupby("year", sort=False):
        counts: dict[Any, int] = dict(zip(rows["band"], rows["reports"].tolist(), strict=True))
        parts = tuple((band.value, counts[band.value]) for band in Band)
        years.append(Year("all years" if name == "all" else str(name), parts, int(rows["of_reports"].iloc[0])))
    return years


def unique_slugs(names: Sequence[str]) -> dict[str, str]:
    """A part of an address for each name, each one its own."""
    taken: set[str] = set()
    slugs = {}
    for name in names:
        base = candidate = slug(name)
        number = 2
        while candidate in taken:
            candidate, number = f"{base}-{number}", number + 1
        taken.add(candidate)
        slugs[name] = candidate
    return slugs
