"""A filled-in table, from a sheet or from CSV, cell by cell: found by its headings, wherever the columns have gone."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.labelling import layout
from pipeline.labelling.batch import OPEN, Filled, Row, is_to_settle, valence_of
from pipeline.themes.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its place. ``formula``: what stands there is computed, so nobody has said it."""

    value: object
    at: str
    formula: bool = False

    @property
    def text(self) -> str:
        """The value as text, without what only keeps a spreadsheet from running it."""
        if self.value is None:
            return ""
        if isinstance(self.value, float) and self.value.is_integer():
            return str(int(self.value))
        return str(self.value).strip().removeprefix("'")


@dataclass(frozen=True)
class Grid:
    """A table as it came back.

    Attributes
    ----------
    sheet : str
        ``"sheet 'Paragraphs', "``, or empty for CSV.
    rows : list of (place, cells)
        The first one the headings.
    heads : dict
        ``{code: heading or None}`` of the themes that the batch asked about, as far as is known; headings may also be
        codes.
    batch : str or None
        The batch, where it is not a column.
    """

    path: Path
    sheet: str
    rows: Sequence[tuple[str, Sequence[Cell]]]
    heads: dict[str, str | None]
    batch: str | None = None


def read_grid(
    grid: Grid,
    taxonomy: Taxonomy,
    notes: Sequence[str] = (),
    annotator: str | None = None,
    day: date | None = None,
) -> Filled:
    """What was said about each paragraph, with the faults of single cells.

    Raises
    ------
    UsageError
        A column is missing, renamed or there twice: one sentence with its heading and place.
    """
    if not grid.rows or not any(cell.text for cell in grid.rows[0][1]):
        raise UsageError(
            f"{grid.path}, {grid.sheet}row 1: there are no headings; export the batch again and fill that."
        )
    columns = _Columns(grid, taxonomy)
    rows = []
    for where, cells in grid.rows[1:]:
        if any(cell.text for cell in cells):
            rows.append(columns.row(where, cells))
    return Filled(grid.path, tuple(columns.themes), tuple(rows), annotator, day, (*notes, *_left_alone(grid, columns)))


def _left_alone(grid: Grid, columns: _Columns) -> list[str]:
    """A sentence on each filled column that is not the batch's; one that looks like labels is refused."""
    said = []
    for place, heading in columns.extra.items():
        cells = [cells[place] for _, cells in grid.rows[1:] if place < len(cells) and cells[place].text]
        at = grid.rows[0][1][place].at
        if {valence_of(cell.value) for cell in cells} & {"+", "-"} and all(valence_of(cell.value) for cell in cells):
            raise UsageError(
                f"{grid.path}, {grid.sheet}{at}: the column '{heading}' holds signs, but the taxonomy has no such "
                "theme; add it there first, or remove the column."
            )
        if cells:
            said.append(f"The column '{heading}' ({at}) is not one of the batch and was left alone.")
    return said


class _Columns:
    """Which column is which."""

    def __init__(self, grid: Grid, taxonomy: Taxonomy) -> None:
        self._grid = grid
        by_heading: dict[str, str] = {}
        for code, heading in grid.heads.items():
            by_heading[code.casefold()] = code
            if heading is not None:
                by_heading[heading.casefold()] = code
        for code, heading in layout.headings(taxonomy.all_themes).items():
            by_heading.setdefault(heading.casefold(), code)
            by_heading.setdefault(code.casefold(), code)
        known = {column.casefold(): column for column in layout.KNOWN}
        self.themes: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.extra: dict[int, str] = {}
        seen: dict[str, Cell] = {}
        for place, cell in enumerate(grid.rows[0][1]):
            heading = " ".join(cell.text.split())
            folded = heading.casefold()
            name = known.get(folded) or by_heading.get(folded)
            if not heading:
                continue
            if name is None:
                self.extra[place] = heading
                continue
            if name in seen:
                raise self._fault(cell, f"the column '{heading}' is there twice (first in {seen[name].at}); remove one")
            seen[name] = cell
            (self.places if folded in known else self.themes)[name] = place
        self._check_missing(grid)

    def _check_missing(self, grid: Grid) -> None:
        needed = list(layout.NEEDED) + ([layout.BATCH] if grid.batch is None else [])
        missing = [column for column in needed if column not in self.places]
        missing += [heading or code for code, heading in grid.heads.items() if code not in self.themes]
        if not missing:
            return
        near = difflib.get_close_matches(
            missing[0].casefold(), [h.casefold() for h in self.extra.values()], n=1, cutoff=0.5
        )
        hint = ""
        for place, heading in self.extra.items():
            if near and heading.casefold() == near[0]:
                hint = f" (is it '{heading}' in {grid.rows[0][1][place].at}?)"
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UsageError(
            f"{grid.path}, {grid.sheet}row 1: the column '{missing[0]}'{more} is missing or was renamed{hint}; "
            "give it back its heading."
        )

    def _fault(self, cell: Cell, said: str) -> UsageError:
        return UsageError(f"{self._grid.path}, {self._grid.sheet}{cell.at}: {said}.")

    def row(self, where: str, cells: Sequence[Cell]) -> Row:
        def cell(place: int) -> Cell:
            return cells[place] if place < len(cells) else Cell(None, where)

        def text(column: str) -> str:
            place = self.places.get(column)
            return cell(place).text if place is not None else ""

        batch = self._grid.batch if self._grid.batch is not None else text(layout.BATCH)
        settling = is_to_settle(batch)
        labels: dict[str, str] = {}
        faults: list[str] = []
        undecided: list[str] = []
        denied = False
        for code, place in self.themes.items():
            found = cell(place)
            if settling and found.text == OPEN:
                undecided.append(code)
                continue
            if settling and found.text.casefold() == "no":
                denied = True
                continue
            valence = None if found.formula else valence_of(found.value)
            if valence is None:
                shown = "a formula" if found.formula else f"'{found.text[:40]}'"
                faults.append(f"{found.at} ({code}): {shown} is not one of + - 0")
            elif valence:
                labels[code] = valence
        mark = cell(self.places[layout.NOTHING])
        nothing = mark.text.casefold() in (layout.NOTHING_MARK, "yes", "1", "true") and not mark.formula
        # Every dispute settled with "no" leaves a paragraph without a theme, which is not one without an answer.
        nothing = nothing or (denied and not (labels or undecided or faults))
        if mark.text and not nothing:
            faults.append(f"{mark.at} ({layout.NOTHING}): '{mark.text[:40]}' is not {layout.NOTHING_MARK}")
        if nothing and (labels or undecided):
            faults.append(f"{where}: it is said both to carry no theme and to carry {', '.join([*labels, *undecided])}")
        return Row(
            f"{self._grid.sheet}{where}",
            text(layout.KEY).lower(),
            text(layout.REPORT),
            text(layout.PAGE),
            text(layout.DRAWN),
            batch,
            text(layout.TEXT),
            labels,
            nothing,
            None,
            tuple(f"{self._grid.sheet}{fault}" for fault in faults),
            tuple(undecided),
        )
