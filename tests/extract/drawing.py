"""Pages drawn as the reports are set: their sizes and distances, heads and feet, tables, footnotes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

LEFT, RIGHT, PITCH = 72.0, 523.0, 14.5
_SUBJECTS = ("children in need of help and protection", "children looked after", "care leavers")
SIF_TITLE = f"Inspection of services for {_SUBJECTS[0]}, {_SUBJECTS[1]} and {_SUBJECTS[2]}"
_HEIGHT = A4[1]


def wrapped(text: str, width: float, size: float = 12, font: str = "Helvetica") -> list[str]:
    """``text`` in lines of at most ``width`` points."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and stringWidth(f"{lines[-1]} {word}", font, size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


@dataclass
class Sheet:
    """A report on its way to paper: every method draws at the cursor and moves it down."""

    path: Path
    foot: str = ""
    bottom: float = 760.0
    y: float = 80.0
    number: int = 1
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.canvas = Canvas(str(self.path), pagesize=A4, invariant=True)

    def put(self, text: str, x: float = LEFT, size: float = 12, bold: bool = False, y: float | None = None) -> None:
        """Draw one line; without ``y`` at the cursor, which stays."""
        self.canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.canvas.drawString(x, _HEIGHT - (self.y if y is None else y), text)

    def down(self, points: float) -> None:
        """Move the cursor down; a new page begins where this one is full."""
        self.y += points
        if self.y > self.bottom:
            self.turn()

    def turn(self) -> None:
        """End the page: footnotes, running foot, page number."""
        y = self.bottom + 22 - 12 * len(self.notes)
        for mark, note in enumerate(self.notes, start=1):
            self.put(str(mark), size=6.5, y=y - 3.5)
            self.put(note, x=LEFT + 6, size=10, y=y)
            y += 12
        if self.foot and self.number > 1:
            self.put(self.foot, size=8, y=806)
            self.put(str(self.number), x=515, size=8, y=806)
        self.canvas.showPage()
        self.number, self.y, self.notes = self.number + 1, 80.0, []

    def title(self, *lines: str) -> None:
        """The large lines of a first page."""
        for line in lines:
            self.put(line, size=26)
            self.down(31)

    def heading(self, text: str, size: float = 14) -> None:
        """A bold heading, over as many lines as it needs."""
        for line in wrapped(text, RIGHT - LEFT, size, "Helvetica-Bold"):
            self.put(line, size=size, bold=True)
            self.down(1.2 * size)
        self.down(10)

    def paragraph(self, text: str, x: float = LEFT, first: str = "", indent: float = 28.0, after: float = 12.0) -> None:
        """A paragraph; with ``first`` (a number or bullet) at ``x`` and the text hanging beside it."""
        inner = x + indent if first else x
        for index, line in enumerate(wrapped(text, RIGHT - inner)):
            if index == 0 and first:
                self.put(first, x)
            self.put(line, inner)
            self.down(PITCH)
        self.down(after)

    def table(self, rows: list[tuple[list[str], list[str]]], column: float = 325.0, head: bool = True) -> None:
        """A judgement table: labels and grades over one or more lines, each centred in its row by height."""
        if head:
            self.put("Judgement", bold=True)
            self.put("Grade", column, bold=True)
            self.down(33)
        for label, grade in rows:
            height = PITCH * max(len(label), len(grade))
            if self.y + height > self.bottom:
                self.turn()
            for lines, x in ((label, LEFT + 4), (grade, column)):
                y = self.y + (height - PITCH * len(lines)) / 2
                for line in lines:
                    self.put(line, x, y=y)
                    y += PITCH
            self.down(height + 12)
        self.down(8)

    def save(self) -> Path:
        """Write the file."""
        self.turn()
        self.canvas.save()
        return self.path
