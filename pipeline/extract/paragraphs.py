"""From rows to paragraphs: numbered points, bullets, free paragraphs and headings, each whole."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.domain import ParagraphKind
from pipeline.extract.layout import PageRows, Row
from pipeline.extract.text import (
    bare_number,
    dash_bullet,
    ends_sentence,
    glyph_bullet,
    joined,
    point_number,
    without_stray,
)

_INDENT = 6.0  # points: less is the play of a glyph within its box
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HEADING_WORDS = 25
_LINE_WORDS = 14
_PAGE_LETTERS = 500  # so much of one size is a page's running text


@dataclass(slots=True)
class Block:
    """One paragraph while it is put together.

    Attributes
    ----------
    x0, text_x : float or None
        Left edge of its first row, and of the rows after it.
    minor : bool
        A heading within a part, which opens no other part whatever it says.
    """

    kind: ParagraphKind
    number: str | None
    page: int
    page_end: int
    x0: float
    top: float
    size: float
    bold: bool
    lines: list[str]
    last: Row
    text_x: float | None = None
    text: str = ""
    minor: bool = False

    def add(self, row: Row) -> None:
        """Take ``row`` as the paragraph's next line."""
        if self.text_x is None:
            self.text_x = row.x0
        self.lines.append(row.text)
        self.last = row
        self.page_end = row.page


@dataclass(slots=True)
class _Measures:
    """What is usual in this document."""

    pitch: float
    size: float
    right: float = 0.0
    page_size: dict[int, float] = field(default_factory=dict)
    number: int = 0  # of the last numbered point

    def body_of(self, row: Row) -> float:
        """Font size of running text on the row's page: summaries for children are set larger."""
        return self.page_size.get(row.page, self.size)


def blocks(pages: list[PageRows], size: float, tables: set[tuple[int, float]]) -> list[Block]:
    """The document's paragraphs in reading order, footnotes after the text of their page.

    Parameters
    ----------
    size : float
        Font size of the body, in points.
    tables : set of (page, baseline)
        Rows of judgement tables: each becomes a paragraph of kind TABLE.
    """
    measures = _measures(pages, size)
    words = _words(pages)
    found: list[Block] = []
    open_block: Block | None = None
    for page in pages:
        above: Row | None = None
        for row in page.body:
            if (row.page, row.baseline) in tables:
                open_block = _table_row(row, above, open_block)
                if not found or found[-1] is not open_block:
                    found.append(open_block)
            elif open_block is not None and _goes_on(open_block, row, above, measures):
                open_block.add(row)
            else:
                open_block = _begun(row, measures)
                found.append(open_block)
            above = row
        found.extend(_footnotes(page.notes))
    for block in found:
        block.text = without_stray(joined(block.lines, words))
        if (
            block.kind is ParagraphKind.HEADING
            and len(block.text.split()) > _HEADING_WORDS
            and ends_sentence(block.text)
        ):
            block.kind = ParagraphKind.PARAGRAPH
    kept = [block for block in found if block.text]
    _name_headings(kept)
    return kept


def _name_headings(found: list[Block]) -> None:
    """A short line without a stop before a list of points is its heading, though nothing but its place sets it off."""
    for block, after in pairwise(found):
        if (
            block.kind is ParagraphKind.PARAGRAPH
            and after.kind in (ParagraphKind.NUMBERED, ParagraphKind.BULLET)
            and len(block.lines) == 1
            and len(block.text.split()) <= _LINE_WORDS
            and block.text[:1].isupper()
            and not ends_sentence(block.text)
            and not block.text.endswith((":", ";", ","))
        ):
            block.kind, block.minor = ParagraphKind.HEADING, True


def _measures(pages: list[PageRows], size: float) -> _Measures:
    pitches: Counter[float] = Counter()
    measures = _Measures(1.2 * size, size)
    edges: list[float] = []
    for page in pages:
        for row, after in pairwise(page.body):
            if abs(row.size - size) < 0.6 and abs(after.size - size) < 0.6:
                step = after.baseline - row.baseline
                if 0.9 * size < step < 1.9 * size:
                    pitches[round(step * 2) / 2] += 1
        edges.extend(row.x1 for row in page.body)
    if pitches:
        measures.pitch = pitches.most_common(1)[0][0]
    edges.sort()
    usual = edges[int(0.97 * (len(edges) - 1))] if edges else 0.0
    measures.right = usual
    for page in pages:
        sizes: Counter[float] = Counter()
        for row in page.body:
            if not row.bold:
                sizes[round(row.size * 2) / 2] += len(row.text)
        if sizes and sizes.most_common(1)[0][1] > _PAGE_LETTERS:
            measures.page_size[page.number] = max(sizes.most_common(1)[0][0], size)
    return measures


def _words(pages: list[PageRows]) -> set[str]:
    return {word for page in pages for row in page.body for word in _WORD.findall(row.text.lower())}


def _table_row(row: Row, above: Row | None, open_block: Block | None) -> Block:
    if (
        open_block is not None
        and open_block.kind is ParagraphKind.TABLE
        and above is open_block.last
        and row.page == open_block.page
        and row.baseline - above.baseline < 1.5 * row.size
    ):
        open_block.add(row)
        return open_block
    return _block(ParagraphKind.TABLE, None, row, row.text)


def _block(kind: ParagraphKind, number: str | None, row: Row, text: str) -> Block:
    top = row.baseline - 0.8 * row.size
    return Block(kind, number, row.page, row.page, row.x0, top, row.size, row.bold, [text], row)


def _is_heading(row: Row, measures: _Measures) -> bool:
    return (row.bold or row.size > measures.body_of(row) + 0.9) and row.size > measures.size - 0.9


def _begun(row: Row, measures: _Measures) -> Block:
    text = row.text
    if length := glyph_bullet(text) or dash_bullet(text):
        block = _block(ParagraphKind.BULLET, None, row, text[length:])
    elif (numbered := _number(text, measures)) and not (row.bold and row.size > measures.body_of(row) + 0.9):
        number, length = numbered
        measures.number = int(number)
        block = _block(ParagraphKind.NUMBERED, number, row, text[length:])
    elif _is_heading(row, measures):
        block = _block(ParagraphKind.HEADING, None, row, text)
    else:
        block = _block(ParagraphKind.PARAGRAPH, None, row, text)
        block.text_x = row.x0
    return block


def _goes_on(block: Block, row: Row, above: Row | None, measures: _Measures) -> bool:
    """Whether ``row`` continues ``block``."""
    if block.kind is ParagraphKind.TABLE or glyph_bullet(row.text):
        return False
    same_style = row.bold == block.bold and abs(row.size - block.size) < 0.9
    if block.kind is ParagraphKind.HEADING or _is_heading(row, measures):
        return _heading_goes_on(block, row, above) if same_style else _odd_style_goes_on(block, row, above, measures)
    if abs(row.size - block.size) > 0.9:
        return False
    hanging = block.text_x if block.text_x is not None else None
    marked = block.kind in (ParagraphKind.NUMBERED, ParagraphKind.BULLET)
    at_text = hanging is not None and abs(row.x0 - hanging) < _INDENT
    stopped = ends_sentence(block.last.text)
    if (_number(row.text, measures) or dash_bullet(row.text)) and _is_marker(
        block, row, at_text, stopped, above, measures
    ):
        return False
    if above is not None:
        gap = row.baseline - above.baseline
        if gap > 1.28 * measures.pitch * max(row.size / measures.size, 1.0):
            return False
        if hanging is not None and not at_text:
            return False
        if hanging is None and marked and row.x0 < block.x0 - _INDENT:
            return False
        return not (stopped and _would_have_fitted(block.last, row, measures, generous=True))
    # The first row of a page.
    if row.page - block.page_end > 1:
        return False
    if hanging is not None and not at_text and stopped:
        return False
    if not stopped and not block.last.text.endswith(":"):
        return True
    if row.text[:1].islower():
        return True
    if block.last.text.endswith(":"):
        return False
    if marked and hanging is None and row.x0 < block.x0 + _INDENT:
        return False
    return not _would_have_fitted(block.last, row, measures, generous=False)


def _is_marker(block: Block, row: Row, at_text: bool, stopped: bool, above: Row | None, measures: _Measures) -> bool:
    """Whether the number or dash that ``row`` begins with is a marker, not a part of a sentence."""
    gap = row.baseline - above.baseline if above is not None else 0.0
    if gap > 1.28 * measures.pitch:
        return True
    numbered = _number(row.text, measures)
    if numbered is None:
        return stopped or not at_text or block.last.text.endswith((":", ";", ","))
    due = int(numbered[0]) == measures.number + 1
    if block.kind is ParagraphKind.NUMBERED and (at_text or block.text_x is None) and row.x0 > block.x0 + _INDENT:
        return False
    return due or stopped


def _number(text: str, measures: _Measures) -> tuple[str, int] | None:
    """The number that ``text`` begins with; one without a full stop only where it is due."""
    if found := point_number(text):
        return found
    bare = bare_number(text)
    return bare if bare and measures.number > 0 and int(bare[0]) == measures.number + 1 else None


def _would_have_fitted(last: Row, row: Row, measures: _Measures, *, generous: bool) -> bool:
    """Whether the row's first word had room at the end of the line before: then a paragraph ended there."""
    word = row.text.split(" ", 1)[0]
    need = (len(word) + 1) * 0.56 * row.size
    if generous:
        need = 1.6 * need + 24
    return measures.right - last.x1 > need


def _heading_goes_on(block: Block, row: Row, above: Row | None) -> bool:
    if above is None or block.kind is not ParagraphKind.HEADING or (point_number(row.text) and not row.bold):
        return False
    gap = row.baseline - above.baseline
    # Two headings follow each other at about the distance of two lines of one: a line that ends early is whole.
    return gap < 1.45 * row.size and abs(row.x0 - block.x0) < 60


def _odd_style_goes_on(block: Block, row: Row, above: Row | None, measures: _Measures) -> bool:
    """A line that is bold by chance of its first and last word goes on with the running text around it."""
    if above is None or block.kind is ParagraphKind.HEADING or row.size > measures.body_of(row) + 0.9:
        return False
    gap = row.baseline - above.baseline
    return (
        gap < 1.28 * measures.pitch
        and not ends_sentence(block.last.text)
        and not block.last.text.endswith(":")
        and (block.text_x is None or abs(row.x0 - block.text_x) < _INDENT)
    )


def _footnotes(rows: list[Row]) -> list[Block]:
    found: list[Block] = []
    mark: str | None = None
    for row in rows:
        first = row.cells[0]
        if first.text.isdigit() and len(row.cells) == 1:
            mark = first.text
            continue
        starts = re.match(r"(\d{1,2}|[*\u2020])[.)]?\s*(?=\S)", first.text)
        if mark is not None:
            found.append(_block(ParagraphKind.FOOTNOTE, mark, row, row.text))
        elif starts and (first.raised or not found or row.baseline - found[-1].last.baseline > 1.35 * row.size):
            found.append(_block(ParagraphKind.FOOTNOTE, starts[1], row, row.text[starts.end() :]))
        elif found:
            found[-1].add(row)
        else:
            found.append(_block(ParagraphKind.FOOTNOTE, None, row, row.text))
        mark = None
    return found
