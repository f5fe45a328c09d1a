"""Pages of the sample: text set line by line, so that the page of every paragraph is known while it is drawn.

reportlab does the fonts and the PDF; the flow over the pages is here because the truth beside the sample needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
LEFT, RIGHT = 72.0, WIDTH - 72.0
TOP, BOTTOM = HEIGHT - 88.0, 76.0

BODY, BOLD, SYMBOL = "SampleBody", "SampleBold", "SampleSymbol"
SQUARE, DASH, DOT, BLACK_SQUARE = "\uf06e", "\uf02d", "\uf0b7", "\u25fc"
# reportlab turns U+00A0 into a plain space; the narrow one stays, and real reports have it too.
SOFT_HYPHEN, NO_BREAK_SPACE = "\u00ad", "\u202f"

_MARKUP = re.compile(r"(\*\*|\[\^\d+\])")
_BREAKABLE = re.compile(r"(?<=\w-)(?=\w)")


def register_fonts() -> None:
    """Register Bitstream Vera, which comes with reportlab and may be embedded, and a symbol font of its glyphs."""
    body = TTFont(BODY, "Vera.ttf")
    # Word writes an optional hyphen that no line ends on as a glyph without ink.
    body.face.charToGlyph[0xAD] = body.face.charToGlyph[0x20]
    body.face.charWidths[0xAD] = 0
    body.face.charToGlyph[0x202F] = body.face.charToGlyph[0x20]
    body.face.charWidths[0x202F] = body.face.charWidths[0x20]
    pdfmetrics.registerFont(body)
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
    symbol = TTFont(SYMBOL, "Vera.ttf", asciiReadable=False)
    # The bullets of the real reports are private-use characters of a symbol font.
    shapes = {SQUARE: 0x2022, DOT: 0x2022, BLACK_SQUARE: 0x2022, DASH: 0x2013}
    for character, shape in shapes.items():
        symbol.face.charToGlyph[ord(character)] = symbol.face.charToGlyph[shape]
        symbol.face.charWidths[ord(character)] = symbol.face.charWidths[shape]
    symbol.face.name = b"SampleSymbols"
    pdfmetrics.registerFont(symbol)


@dataclass(frozen=True)
class Style:
    """Size and leading in points; ``after`` is the space below."""

    size: float = 11
    leading: float = 13.4
    font: str = BODY
    after: float = 11.0


TEXT = Style()
TITLE = Style(24, 29, BODY, 6)
SUBTITLE = Style(13, 16, BOLD, 6)
PART = Style(15, 19, BOLD, 8)
HEADING = Style(13, 16.5, BOLD, 9)
SUBHEADING = Style(11, 14, BOLD, 8)
SMALL = Style(9, 11, BODY, 4)


@dataclass(frozen=True)
class Piece:
    """A run of characters of one font on one line."""

    text: str
    font: str
    size: float
    rise: float
    x: float


@dataclass
class Line:
    """One line of pieces and the footnotes that it calls."""

    pieces: list[Piece] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)


def wrap(text: str, style: Style, width: float) -> list[Line]:
    """Break ``text`` greedily at spaces and after hyphens; ``**bold**`` and ``[^1]`` are read as markup."""
    lines = [Line()]
    x, font, gap = 0.0, style.font, False
    for part in _MARKUP.split(text):
        if part == "**":
            font = BOLD if font == BODY else BODY
            continue
        if part.startswith("[^"):
            lines[-1].notes.append(int(part[2:-1]))
            mark = part[2:-1] if x else part[2:-1] + " "
            size = style.size * 0.65
            lines[-1].pieces.append(Piece(mark, font, size, style.size * 0.456, x))
            x += pdfmetrics.stringWidth(mark, font, size)
            continue
        for index, word in enumerate(part.split(" ")):
            gap = gap or index > 0
            for atom in filter(None, _BREAKABLE.split(word)):
                space = pdfmetrics.stringWidth(" ", font, style.size) if gap and x else 0.0
                wide = pdfmetrics.stringWidth(atom, font, style.size)
                if x and x + space + wide > width:
                    lines.append(Line())
                    x, space = 0.0, 0.0
                _append(lines[-1], (" " if space else "") + atom, font, style.size, x)
                x += space + wide
                gap = False
    return lines


def _append(line: Line, text: str, font: str, size: float, x: float) -> None:
    last = line.pieces[-1] if line.pieces else None
    if last and last.font == font and last.rise == 0:
        line.pieces[-1] = Piece(last.text + text, font, size, 0, last.x)
    else:
        line.pieces.append(Piece(text, font, size, 0, x))


class Sheet:
    """A document that fills page after page from the top.

    Parameters
    ----------
    path : Path
    title, subject : str
        Metadata.
    margins : callable
        ``margins(sheet)`` draws running head and foot of the page that is being finished.
    footnotes : dict
        Number to text; a note is printed at the foot of the page whose line calls it.
    """

    def __init__(
        self, path: Path, title: str, subject: str, margins: Callable[[Sheet], None], footnotes: dict[int, str]
    ) -> None:
        # Without compression the bytes do not depend on which zlib Python was built with.
        self.canvas = Canvas(str(path), pagesize=A4, invariant=1, pageCompression=0, initialFontName=BODY)
        self.canvas.setTitle(title)
        self.canvas.setAuthor("Sample corpus")
        self.canvas.setSubject(subject)
        self.page = 1
        self.first_of_part = 1  # the page that bears the number 1
        self.y = TOP
        self._margins = margins
        self._footnotes = footnotes
        self._noted: list[int] = []
        self._box_top: float | None = None

    @property
    def label(self) -> int:
        """The number printed on the page."""
        return self.page - self.first_of_part + 1

    @property
    def floor(self) -> float:
        """How far down text may go on this page."""
        return BOTTOM + self._notes_height(self._noted)

    def _note_lines(self, number: int) -> list[Line]:
        return wrap(f"[^{number}]{self._footnotes[number]}", SMALL, RIGHT - LEFT)

    def _notes_height(self, notes: list[int]) -> float:
        if not notes:
            return 0.0
        return 18 + sum(len(self._note_lines(number)) * SMALL.leading + SMALL.after for number in notes)

    def new_page(self) -> None:
        """Finish the page and begin the next."""
        self._finish()
        self.canvas.showPage()
        self.page += 1
        self.y = TOP

    def _finish(self) -> None:
        if self._box_top is not None:
            self._draw_box(self.floor - 4)
            self._box_top = TOP + 14
        if self._noted:
            y = BOTTOM + self._notes_height(self._noted) - 10
            self.canvas.setLineWidth(0.5)
            self.canvas.line(LEFT, y, LEFT + 144, y)
            y -= 4
            for number in self._noted:
                for line in self._note_lines(number):
                    y -= SMALL.leading
                    self._draw(line, LEFT, y)
                y -= SMALL.after
            self._noted = []
        self._margins(self)

    def save(self) -> None:
        """Finish the last page and write the file."""
        self._finish()
        self.canvas.save()

    def _draw(self, line: Line, x: float, y: float) -> None:
        for piece in line.pieces:
            self.canvas.setFont(piece.font, piece.size)
            self.canvas.drawString(x + piece.x, y + piece.rise, piece.text)

    def text(
        self,
        text: str,
        style: Style = TEXT,
        indent: float = 0,
        marker: str | None = None,
        keep: float = 0,
        short: float = 0,
    ) -> tuple[int, int]:
        """Set a paragraph, over as many pages as it needs, and return its first and last page.

        ``marker`` hangs to the left of ``indent``; ``keep`` is the height that must still be free below it;
        lines end ``short`` of the right margin.
        """
        lines = wrap(text, style, RIGHT - LEFT - indent - short)
        if self.y - len(lines) * style.leading - keep < self.floor and keep:
            self.new_page()
        first = None
        while lines:
            room = self._lines_that_fit(lines, style)
            if room < len(lines):
                if len(lines) - room == 1:
                    room -= 1  # no single line at the top of a page
                if room < 2:
                    self.new_page()
                    continue
            first = first or self.page
            for line in lines[:room]:
                self.y -= style.leading
                if marker:
                    self._draw_marker(marker, style, indent)
                    marker = None
                self._draw(line, LEFT + indent, self.y)
                self._noted += [number for number in line.notes if number not in self._noted]
            lines = lines[room:]
            if lines:
                self.new_page()
        self.y -= style.after
        return first or self.page, self.page

    def _lines_that_fit(self, lines: list[Line], style: Style) -> int:
        noted, y, count = list(self._noted), self.y, 0
        for line in lines:
            noted += [number for number in line.notes if number not in noted]
            y -= style.leading
            if y < BOTTOM + self._notes_height(noted):
                break
            count += 1
        return count

    def _draw_marker(self, marker: str, style: Style, indent: float) -> None:
        symbol = marker in (SQUARE, DASH, DOT, BLACK_SQUARE)
        self.canvas.setFont(SYMBOL if symbol else style.font, style.size)
        self.canvas.drawString(LEFT + indent - (18 if symbol else 28), self.y, marker)

    def space(self, height: float) -> None:
        """Leave ``height`` points free."""
        self.y -= height

    def start_box(self) -> None:
        """Draw a frame around what comes, page by page, until :meth:`end_box`."""
        self._box_top = self.y + 6

    def end_box(self) -> None:
        """Close the frame."""
        self._draw_box(self.y)
        self._box_top = None
        self.y -= 12

    def _draw_box(self, bottom: float) -> None:
        if self._box_top is not None:
            self.canvas.setLineWidth(0.7)
            self.canvas.rect(LEFT - 6, bottom, RIGHT - LEFT + 12, self._box_top - bottom)

    def row(
        self,
        cells: list[str],
        widths: list[float],
        style: Style,
        indent: float = 0,
        bold: bool = False,
        centred: bool = True,
    ) -> int:
        """Set one ruled table row whole, on the next page where it does not fit; return its page.

        ``centred``: a cell of fewer lines than its neighbour stands at the middle of the row, else at its top.
        """
        columns = []
        x = LEFT + indent
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            inner = width - (indent if index == 0 else 0)
            marked = f"**{cell}**" if bold and index == 0 else cell
            columns.append((x, inner, wrap(marked, style, inner - 10)))
            x += inner
        height = max(len(lines) for _, _, lines in columns) * style.leading + 12
        if self.y - height < self.floor:
            self.new_page()
        self.canvas.setLineWidth(0.7)
        for x, inner, lines in columns:
            self.canvas.rect(x, self.y - height, inner, height)
            spare = (height - len(lines) * style.leading) / 2 if centred else 6
            for number, line in enumerate(lines, start=1):
                self._draw(line, x + 5, self.y - spare - number * style.leading + 2.5)
        self.y -= height
        return self.page
