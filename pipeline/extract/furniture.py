"""What stands among the text and is not text: contents, and boxes that set a verdict beside a section's name."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.extract.judgements import grade_words, whole_grades
from pipeline.extract.layout import PageRows, Row

_CONTENTS = re.compile(r"(?:table of )?contents$", re.IGNORECASE)
_ENTRY_END = re.compile(r"[.\s]\d{1,3}$")
_BOX_LABEL = re.compile(
    r"^(?:the )?experiences? and progress of\b|^leadership,?\b|^children (?:who|looked)\b|^adoption\b|^care leavers\b",
    re.IGNORECASE,
)
_BOX_HEAD = re.compile(r"^(?:key )?judge?ments? (?:judge?ment )?grade$", re.IGNORECASE)
_BOX_ROWS = 6
_LABEL_WORDS = 20


def contents_rows(pages: list[PageRows]) -> set[tuple[int, float]]:
    """Rows (page, baseline) of a list of contents, its heading left out."""
    found: set[tuple[int, float]] = set()
    for page in pages[:8]:
        head = next((index for index, row in enumerate(page.body) if _CONTENTS.match(row.text)), None)
        if head is None:
            continue
        entries = [index for index, row in enumerate(page.body) if index > head and _ENTRY_END.search(row.text)]
        if len(entries) > 1:
            found.update((row.page, row.baseline) for row in page.body[head + 1 : entries[-1] + 1])
    return found


def boxes_opened(pages: list[PageRows], taken: set[tuple[int, float]], size: float) -> set[tuple[int, float]]:
    """Put a box's label in order as a heading, its verdict after it; return the rows that hold verdicts.

    A box sets "Leadership, management and governance" beside "Requires improvement", each over up to three lines at
    heights of their own, so that their rows interleave.
    """
    verdicts: set[tuple[int, float]] = set()
    for page in pages:
        index = 0
        while index < len(page.body):
            box = _box(page.body, index, taken)
            if box is None:
                index += 1
                continue
            start, end, label, grade = box
            if start > 0 and _BOX_HEAD.match(page.body[start - 1].text):
                verdicts.add((page.number, page.body[start - 1].baseline))
            page.body[start:end] = [_as_heading(row, size) for row in label] + grade
            verdicts.update((page.number, row.baseline) for row in grade)
            index = start + len(label) + len(grade)
    return verdicts


def _box(rows: list[Row], index: int, taken: set[tuple[int, float]]) -> tuple[int, int, list[Row], list[Row]] | None:
    """First row, end, label rows and verdict rows of the box whose label begins at ``index``."""
    first = rows[index]
    if (first.page, first.baseline) in taken or not _BOX_LABEL.match(first.cells[0].text):
        return None
    start = index
    while start > 0 and _is_verdict(rows[start - 1]) and first.baseline - rows[start - 1].baseline < 1.7 * first.size:
        start -= 1
    label: list[Row] = []
    grade: list[Row] = []
    end = start
    for row in rows[start : start + _BOX_ROWS]:
        if end > start and row.baseline - rows[end - 1].baseline > 1.9 * first.size:
            break
        kept = [cell for cell in row.cells if not (grade_words(cell.text) and cell.x0 > first.x0 + 60)]
        words = [cell for cell in row.cells if grade_words(cell.text) and cell.x0 > first.x0 + 60]
        if kept and (
            abs(kept[0].x0 - first.x0) > 30
            or abs(kept[0].size - first.cells[0].size) > 0.9
            or kept[0].bold != first.cells[0].bold
        ):
            break
        if kept:
            label.append(Row(row.page, kept))
        if words:
            # A verdict beside a line of the label gets a height of its own, so that the two stay apart.
            grade.append(Row(row.page, [replace(cell, baseline=cell.baseline + 0.01) for cell in words]))
        end += 1
    text = " ".join(row.text for row in label)
    grades = whole_grades(" ".join(row.text for row in grade))
    if len(grades) != 1 or len(text.split()) > _LABEL_WORDS or text.endswith((":", ".")):
        return None
    return start, end, label, grade


def _is_verdict(row: Row) -> bool:
    return len(row.cells) == 1 and grade_words(row.text)


def _as_heading(row: Row, size: float) -> Row:
    return Row(row.page, [replace(cell, bold=True, size=max(cell.size, size + 2)) for cell in row.cells])
