"""Lines straight from PDFium: the page's text in one call, then a handful of look-ups a line.

A look-up for every character costs more than reading the text; a line needs only those of its first and last character,
and of digits that may be footnote marks.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import SetAside
from pipeline.extract.pages import Line, Page
from pipeline.extract.text import LINE_END_HYPHEN, SPACES, mended

_BREAK = re.compile("\r\n|\ufffe|\r|\n")
_FOOTNOTE_MARK = re.compile(r"(?:[^\W\d_]|[^\W\d_]{2}[.,;:?!)’'”])(\d{1,2})(?=$|[\s.,;:?!)’”])")
# A grade at a line's end may stand in a column of its own, which PDFium runs on from the column before.
_COLUMN = re.compile(
    r"(?<=\s)(?:outstanding|good|adequate|inadequate|requires?(?:\s+improvement)?(?:\s+to)?(?:\s+be)?(?:\s+good)?|not\s+judged"
    r"|improvement(?:\s+to)?(?:\s+be)?(?:\s+good)?|to\s+be(?:\s+good)?|be\s+good|grade)$",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_SMALL = 0.82  # of the line's own size: raised marks are set at 0.65 or less
_BOLD = 600


class PdfiumPages:
    """The pages of a PDF, one at a time.

    Raises
    ------
    SetAside
        Where the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        import pypdfium2 as pdfium
        import pypdfium2.raw as raw

        self._raw: Any = raw
        try:
            self._document: Any = pdfium.PdfDocument(path)
        except pdfium.PdfiumError as error:
            code = getattr(error, "err_code", None)
            if code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
                raise SetAside("encrypted: it needs a password") from error
            raise SetAside("damaged: it cannot be opened as a PDF") from error
        self._error = pdfium.PdfiumError
        self.count = len(self._document)

    def close(self) -> None:
        """Free the document's memory."""
        self._document.close()

    def __iter__(self) -> Iterator[Page]:
        for index in range(self.count):
            try:
                page = self._document[index]
                text_page = page.get_textpage()
            except self._error as error:
                raise SetAside(f"damaged: page {index + 1} cannot be read") from error
            try:
                yield self._page(page, text_page.raw, index + 1)
            finally:
                text_page.close()
                page.close()

    def _page(self, page: Any, handle: Any, number: int) -> Page:
        width, height = page.get_size()
        result = Page(number, width, height)
        text, exact = self._text(handle)
        if text.strip(SPACES):
            look = _Look(self._raw, handle, exact, _to_shown(page))
            start = 0
            while start <= len(text):
                found = _BREAK.search(text, start)
                end, after = (found.start(), found.end()) if found else (len(text), len(text) + 1)
                broken = bool(found and found.group() == "\ufffe")
                for cell_start, cell_end in look.cells(text, start, end):
                    line = look.line(text, cell_start, cell_end, broken)
                    if line is not None:
                        result.lines.append(line)
                start = after
            result.unmapped = look.unmapped
        else:
            result.images = any(True for _ in page.get_objects(filter=(self._raw.FPDF_PAGEOBJ_IMAGE,), max_depth=3))
        return result

    def _text(self, handle: Any) -> tuple[str, bool]:
        """The page's text, and whether one character of it is one UTF-16 unit."""
        count = self._raw.FPDFText_CountChars(handle)
        if count <= 0:
            return "", True
        # Twice the room: PDFium counts characters, of which some are two UTF-16 units.
        buffer = (ctypes.c_ushort * (2 * count + 2))()
        units = self._raw.FPDFText_GetText(handle, 0, count, buffer)
        data = ctypes.string_at(buffer, 2 * max(units - 1, 0))
        text = data.decode("utf-16-le", errors="replace")
        return text, len(text) == units - 1


class _Look:
    """Looks up position, size and weight of single characters of one page."""

    def __init__(self, raw: Any, handle: Any, exact: bool, to_shown: Any) -> None:
        self._raw, self._handle, self._exact, self._to_shown = raw, handle, exact, to_shown
        self._a, self._b, self._c, self._d = (ctypes.c_double() for _ in range(4))
        self._pointers = tuple(ctypes.byref(value) for value in (self._a, self._b, self._c, self._d))
        self._matrix = raw.FS_MATRIX()
        self._scale: dict[float, float] = {}
        self.unmapped = 0

    def cells(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        """Start and end of the line's cells: two where a grade stands apart at its end, else the line."""
        part = text[start:end].rstrip(SPACES)
        found = _COLUMN.search(part)
        if found is None:
            return [(start, end)]
        at = start + found.start()
        before = start + len(part[: found.start()].rstrip(SPACES)) - 1
        if before < start:
            return [(start, end)]
        index, a, b, c, d = self._index(text, before), *self._pointers
        self._raw.FPDFText_GetCharBox(self._handle, index, a, b, c, d)
        edge, size = self._b.value, self.size(index)
        self._raw.FPDFText_GetCharOrigin(self._handle, self._index(text, at), a, b)
        return [(start, at), (at, end)] if abs(self._a.value - edge) > 0.9 * size else [(start, end)]

    def line(self, text: str, start: int, end: int, broken: bool) -> Line | None:
        while start < end and text[start] in SPACES:
            start += 1
        while end > start and text[end - 1] in SPACES:
            end -= 1
        if start >= end:
            return None
        raw, handle = self._raw, self._handle
        first, last = self._index(text, start), self._index(text, end - 1)
        a, b, c, d = self._pointers
        raw.FPDFText_GetCharOrigin(handle, first, a, b)
        x0, y0 = self._a.value, self._b.value
        raw.FPDFText_GetCharBox(handle, last, a, b, c, d)  # left, right, bottom, top
        left, right, bottom, top = self._a.value, self._b.value, self._c.value, self._d.value
        first_size, last_size = self.size(first), self.size(last)
        bold = raw.FPDFText_GetFontWeight(handle, first) >= _BOLD and raw.FPDFText_GetFontWeight(handle, last) >= _BOLD
        if raw.FPDFText_HasUnicodeMapError(handle, first) == 1:
            self.unmapped += 1
        size = max(first_size, last_size)
        if not text[start].isalpha() and (letter := _LETTER.search(text, start, end)):
            # A bullet's or number's size is its own: the line's is its words'.
            size = self.size(self._index(text, letter.start()))
        raised = first_size < _SMALL * size and text[start].isdigit()
        x, baseline = self._to_shown(x0, y0)
        if raised:
            raw.FPDFText_GetCharOrigin(handle, last, a, b)
            baseline = self._to_shown(self._a.value, self._b.value)[1]
        x1 = max(self._to_shown(left, bottom)[0], self._to_shown(right, top)[0])
        words = self._without_marks(text, start, end, size)
        if broken:
            words += LINE_END_HYPHEN
        return Line(words, x, x1, baseline, size, bold, raised)

    def size(self, index: int) -> float:
        """Font size as printed: some producers set size 1 and scale by the matrix."""
        size: float = self._raw.FPDFText_GetFontSize(self._handle, index)
        if size > 4:
            return size
        if self._raw.FPDFText_GetMatrix(self._handle, index, ctypes.byref(self._matrix)):
            return size * math.hypot(self._matrix.b, self._matrix.d) or size
        return size

    def _without_marks(self, text: str, start: int, end: int, size: float) -> str:
        part = text[start:end]
        for found in reversed(list(_FOOTNOTE_MARK.finditer(part))):
            at = found.start(1)
            if self.size(self._index(text, start + at)) < _SMALL * size:
                part = part[:at] + part[found.end(1) :]
        return mended(part)

    def _index(self, text: str, place: int) -> int:
        units = place if self._exact else len(text[:place].encode("utf-16-le")) // 2
        index: int = self._raw.FPDFText_GetCharIndexFromTextIndex(self._handle, units)
        return max(index, 0)


def _to_shown(page: Any) -> Callable[[float, float], tuple[float, float]]:
    """A function from PDF space to points from the shown page's upper left corner."""
    left, bottom, right, top = page.get_bbox()
    rotation = page.get_rotation()
    if rotation == 90:
        return lambda x, y: (y - bottom, x - left)
    if rotation == 180:
        return lambda x, y: (right - x, y - bottom)
    if rotation == 270:
        return lambda x, y: (top - y, right - x)
    return lambda x, y: (x - left, top - y)
