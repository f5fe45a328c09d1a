"""From a file's lines to a page's rows as a reader sees them: in order, without running heads, notes apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from pipeline.extract.pages import Line, Page
from pipeline.extract.text import closes

_SAME_ROW = 2.5  # points between the baselines of cells of one row
_MARGIN = 0.115  # of the page's height, at the top and at the foot, where running heads and feet stand
_FOOT = 0.6  # of the page's height: unmarked notes begin below it
_ROWS_ABOVE = 8  # and under so many rows of text
_GRADE = re.compile(r"(?:outstanding|good|inadequate|requires improvement(?: to be good)?)$", re.IGNORECASE)
_SHORT = 5  # pages: a letter's running foot stands on two or three of them
_PAGE_DIGITS = re.compile(r"^\d+|\d+$")
_PAGE_NUMBER = re.compile(r"^(?:page )?\d{1,4}(?: of \d{1,4})?$", re.IGNORECASE)
_NOTE_START = re.compile(r"^(\d{1,2})(?:[.)]?\s+|(?=[A-Z]))(?=\S)|^[*\u2020]\s*")


@dataclass(slots=True)
class Row:
    """One or more lines (cells) on the same baseline, from left to right."""

    page: int
    cells: list[Line]

    @property
    def text(self) -> str:
        """The cells' text, left to right."""
        return self.cells[0].text if len(self.cells) == 1 else " ".join(cell.text for cell in self.cells)

    @property
    def x0(self) -> float:
        """Left edge in points."""
        return self.cells[0].x0

    @property
    def x1(self) -> float:
        """Right edge in points."""
        return self.cells[-1].x1

    @property
    def baseline(self) -> float:
        """Distance of the baseline from the page's top, in points."""
        return self.cells[0].baseline

    @property
    def size(self) -> float:
        """Greatest font size, in points."""
        return max(cell.size for cell in self.cells)

    @property
    def bold(self) -> bool:
        """Whether every cell is bold."""
        return all(cell.bold for cell in self.cells)


@dataclass(slots=True)
class PageRows:
    """One page's rows in reading order, its footnotes apart."""

    number: int
    height: float
    body: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)


def arranged(pages: list[Page]) -> tuple[list[PageRows], float]:
    """Every page's rows in reading order, without running heads and feet, footnotes apart; and the body's font size."""
    rows = [_rows(page) for page in pages]
    body_size = _body_size(rows)
    running = _running(pages, rows, body_size)
    result = []
    for page, page_rows in zip(pages, rows, strict=True):
        kept = [row for index, row in enumerate(page_rows) if (page.number, index) not in running]
        body, notes = _notes_apart(kept, body_size, page.height)
        result.append(PageRows(page.number, page.height, body, notes))
    return result, body_size


def _rows(page: Page) -> list[Row]:
    lines = sorted(_marks_dropped(page.lines), key=lambda line: line.baseline)
    rows: list[Row] = []
    for line in lines:
        if rows and line.baseline - rows[-1].cells[0].baseline <= _SAME_ROW and line.size > 0:
            rows[-1].cells.append(line)
        else:
            rows.append(Row(page.number, [line]))
    for row in rows:
        if len(row.cells) > 1:
            row.cells.sort(key=lambda line: line.x0)
            _glue(row)
    return rows


def _glue(row: Row) -> None:
    """Join cells that touch: PDFium breaks a line at a raised letter or a change of font."""
    glued = [row.cells[0]]
    for cell in row.cells[1:]:
        last, gap = glued[-1], cell.x0 - glued[-1].x1
        words = cell.text.lstrip("0123456789") if cell.raised else cell.text
        if gap > 0.9 * cell.size:
            glued.append(cell)
        else:
            space = "" if gap < 0.12 * cell.size or words.startswith(" ") else " "
            glued[-1] = replace(
                last,
                text=f"{last.text}{space}{words}",
                x1=max(last.x1, cell.x1),
                size=max(last.size, cell.size),
                bold=last.bold and cell.bold,
            )
    row.cells = glued


def _marks_dropped(lines: list[Line]) -> list[Line]:
    """Footnote marks that stand as lines of their own, raised beside the line before, are dropped."""
    kept: list[Line] = []
    for line in lines:
        if (
            kept
            and line.text.isdigit()
            and len(line.text) <= 2
            and line.size < 0.82 * kept[-1].size
            and 0 < kept[-1].baseline - line.baseline < 0.8 * kept[-1].size
            and line.x0 > kept[-1].x0
        ):
            continue
        kept.append(line)
    return kept


def _body_size(pages: list[list[Row]]) -> float:
    sizes: Counter[float] = Counter()
    for rows in pages:
        for row in rows:
            sizes[round(row.size * 2) / 2] += len(row.text)
    return sizes.most_common(1)[0][0] if sizes else 12.0


def _running(pages: list[Page], rows: list[list[Row]], body_size: float) -> set[tuple[int, int]]:
    """Places (page number, index of row) of running heads, running feet and page numbers."""
    seen: dict[str, set[int]] = defaultdict(set)
    places: list[tuple[int, int, str, Row]] = []
    for page, page_rows in zip(pages, rows, strict=True):
        for index, row in enumerate(page_rows):
            edge = min(row.baseline, page.height - row.baseline)
            if edge < _MARGIN * page.height:
                words = _PAGE_DIGITS.sub("#", row.text.lower()).replace(" ", "")
                # Running rows stand at one height; a line of text that recurs at a page's edge seldom does.
                key = f"{words} {'top' if row.baseline < edge + 1 else 'foot'} {edge:.0f}"
                seen[key].add(page.number)
                places.append((page.number, index, key, row))
    enough = 2 if len(pages) < _SHORT else max(3, min(4, len(pages) // 3))
    found: set[tuple[int, int]] = set()
    for number, index, key, row in places:
        often = len(seen[key]) >= enough
        if _PAGE_NUMBER.match(row.text) or (often and (row.size < body_size - 0.9 or not _reads_on(row.text))):
            found.add((number, index))
    return found


def _reads_on(text: str) -> bool:
    """Whether a repeated row could be body text: a grade that happens to stand at the edge of several pages."""
    return _GRADE.match(text) is not None


def _notes_apart(rows: list[Row], body_size: float, height: float) -> tuple[list[Row], list[Row]]:
    """Split off the footnotes: the small rows at the foot, from the first that begins with a mark."""
    start = len(rows)
    while start > 0 and rows[start - 1].size < body_size - 0.9:
        start -= 1
    if start == len(rows) or any(closes(row.text) for row in rows[start:]):
        return rows, []
    for index in range(start, len(rows)):
        first = rows[index].cells[0]
        if first.raised or first.text.isdigit() or _NOTE_START.match(first.text):
            return rows[:index], rows[index:]
    # A note whose mark was lost is still small, at the foot, and stands apart from the text above it.
    small = all(row.size < body_size - 1.4 for row in rows[start:])
    apart = start > _ROWS_ABOVE and rows[start].baseline - rows[start - 1].baseline > 1.6 * body_size
    if small and apart and rows[start].baseline > _FOOT * height:
        return rows[:start], rows[start:]
    return rows, []
