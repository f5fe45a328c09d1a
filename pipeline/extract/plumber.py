"""The reference reading: lines put together from pdfplumber's characters.

An order of magnitude slower than :mod:`pipeline.extract.pdfium`, and another library down to the fonts; from the lines
on both go through the same code, so that a difference between them is a difference of the readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.errors import SetAside
from pipeline.extract.pages import Line, Page
from pipeline.extract.text import mended

_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_SMALL = 0.82
_BASELINE = 2.0  # points between characters of one line
_WORD_GAP = 0.17  # of the font size: wider is a space
_CELL_GAP = 1.9  # of the font size: wider is another column
_MARK_DIGITS = 2
_UNMAPPED_GLYPH = "\ue000"  # a glyph without a letter, such as a bullet: from the private use area, as PDFium gives it
_MARK_BEFORE = re.compile(r"[^\W\d_]$|[^\W\d_]{2}[.,;:?!)\u2019'\u201d]$")


class PlumberPages:
    """The pages of a PDF as pdfplumber reads them, one at a time.

    Raises
    ------
    SetAside
        Where the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        import pdfplumber
        from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
        from pdfplumber.utils.exceptions import PdfminerException

        self._error = PdfminerException
        try:
            self._document: Any = pdfplumber.open(path)
            self.count = len(self._document.pages)
        except PdfminerException as error:
            cause = error.args[0] if error.args else error
            if isinstance(cause, (PDFPasswordIncorrect, PDFEncryptionError)):
                raise SetAside("encrypted: it needs a password") from error
            raise SetAside("damaged: it cannot be opened as a PDF") from error

    def close(self) -> None:
        """Free the document's memory."""
        self._document.close()

    def __iter__(self) -> Iterator[Page]:
        for number, page in enumerate(self._document.pages, start=1):
            try:
                yield _page(page, number)
            except self._error as error:
                raise SetAside(f"damaged: page {number} cannot be read") from error
            finally:
                page.close()


def _page(page: Any, number: int) -> Page:
    result = Page(number, float(page.width), float(page.height))
    characters = page.chars
    result.unmapped = sum(character["text"].startswith("(cid:") for character in characters)
    for row in _rows(characters, result.height):
        for cell in _cells(row):
            if line := _line(cell):
                result.lines.append(line)
    result.images = not result.lines and bool(page.images)
    return result


def _baseline(character: dict[str, Any], height: float) -> float:
    """Distance of a character's baseline from the page's top, in points; of its lower edge where it is turned."""
    if character.get("upright", True):
        return height - float(character["matrix"][5])
    return float(character["bottom"])


def _rows(characters: list[dict[str, Any]], height: float) -> list[list[dict[str, Any]]]:
    """Characters of one baseline, left to right; raised digits keep to the row they stand in."""
    rows: list[tuple[float, list[dict[str, Any]]]] = []
    for character in characters:
        baseline = _baseline(character, height)
        character["baseline"] = baseline
        for index in range(len(rows) - 1, max(-1, len(rows) - 6), -1):
            if abs(rows[index][0] - baseline) <= _BASELINE:
                rows[index][1].append(character)
                break
        else:
            rows.append((baseline, [character]))
    found = [sorted(row, key=lambda character: float(character["x0"])) for _, row in rows]
    return _with_marks(found)


def _with_marks(rows: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """Put a footnote's raised mark, a row of its own by its baseline, before the text that it marks."""
    kept: list[list[dict[str, Any]]] = []
    marks: list[list[dict[str, Any]]] = []
    for row in rows:
        text = "".join(character["text"] for character in row).strip()
        (marks if text.isdigit() and len(text) <= _MARK_DIGITS else kept).append(row)
    for mark in marks:
        size, x1, baseline = float(mark[0]["size"]), float(mark[-1]["x1"]), float(mark[0]["baseline"])
        for row in kept:
            raised = float(row[0]["baseline"]) - baseline
            beside = -1 < float(row[0]["x0"]) - x1 < size
            if size < _SMALL * float(row[0]["size"]) and 0 < raised < size and beside:
                row[:0] = mark
                break
        else:
            kept.append(mark)
    return kept


def _cells(row: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The row's cells: parts with a wide gap between them, a number's or bullet's distance from its text aside."""
    cell: list[dict[str, Any]] = []
    seen = ""
    end = 0.0
    for character in row:
        if not character["text"].strip("\xa0 \u202f"):
            if cell:
                cell.append(character)
            continue
        size = float(character["size"])
        if cell and float(character["x0"]) - end > _CELL_GAP * size and len(seen) > 4:
            yield cell
            cell, seen = [], ""
        cell.append(character)
        seen += character["text"]
        end = float(character["x1"])
    if cell:
        yield cell


def _line(characters: list[dict[str, Any]]) -> Line | None:
    visible = [character for character in characters if character["text"].strip("\xa0 \u202f")]
    if not visible:
        return None
    first, last = visible[0], visible[-1]
    sizes = [float(first["size"]), float(last["size"])]
    size = max(sizes)
    if not first["text"].isalpha():
        size = next((float(character["size"]) for character in visible if character["text"].isalpha()), size)
    text = ""
    end: float | None = None
    for before, character in pairwise([None, *characters]):
        assert character is not None
        glyph = character["text"] if not character["text"].startswith("(cid:") else _UNMAPPED_GLYPH
        if not glyph.strip("\xa0 \u202f"):
            text += " "
            end = None
            continue
        gap = float(character["x0"]) - end if end is not None and before is not None else 0.0
        if gap > _WORD_GAP * float(character["size"]):
            text += " "
        end = float(character["x1"])
        if glyph.isdigit() and float(character["size"]) < _SMALL * size and _MARK_BEFORE.search(text):
            end = None
            continue
        text += glyph
    raised = sizes[0] < _SMALL * size and first["text"].isdigit()
    bold = all(_BOLD.search(str(character["fontname"])) for character in (first, last))
    baseline = float((last if raised else first)["baseline"])
    words = mended(text)
    return Line(words, float(first["x0"]), float(last["x1"]), baseline, size, bold, raised) if words else None
