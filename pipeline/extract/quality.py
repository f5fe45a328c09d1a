"""How well a document was cut: figures that need no reference, only the document's own order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.domain import Document, Paragraph, ParagraphKind
from pipeline.extract.text import ends_sentence

_RUNNING = frozenset(
    {ParagraphKind.NUMBERED, ParagraphKind.PARAGRAPH, ParagraphKind.BULLET, ParagraphKind.RECOMMENDATION}
)
_LISTED = frozenset(
    {ParagraphKind.BULLET, ParagraphKind.RECOMMENDATION}
)  # a list's items need neither capital nor stop


@dataclass(slots=True)
class Cut:
    """Counts over one or more documents.

    Attributes
    ----------
    numbers, missing : int
        Numbered points that each run must hold (1 to its last), and those of them not found.
    paragraphs, lower, open : int
        Substantive numbered and free paragraphs; those that begin in lower case; those that end without a stop.
    """

    numbers: int = 0
    missing: int = 0
    paragraphs: int = 0
    lower: int = 0
    open: int = 0
    gaps: list[str] = field(default_factory=list)
    odd: list[tuple[str, Paragraph]] = field(default_factory=list)


def cut_of(documents: Iterable[tuple[str, Document]]) -> Cut:
    """Measure the cut of documents, each with a name to say where a gap is."""
    cut = Cut()
    for name, document in documents:
        for first, numbers in runs(document.paragraphs):
            last = max(numbers)
            gone = [number for number in range(first, last + 1) if number not in numbers]
            cut.numbers += last - first + 1
            cut.missing += len(gone)
            if gone:
                cut.gaps.append(f"{name}: {first}-{last} without {gone}")
        for paragraph in document.paragraphs:
            if paragraph.kind in _RUNNING - _LISTED and paragraph.substantive:
                cut.paragraphs += 1
                lower = paragraph.text[:1].islower()
                unstopped = not ends_sentence(paragraph.text) and not paragraph.text.endswith((":", ";", ","))
                cut.lower += lower
                cut.open += unstopped
                if lower or unstopped:
                    cut.odd.append((name, paragraph))
    return cut


def runs(paragraphs: Iterable[Paragraph]) -> list[tuple[int, Counter[int]]]:
    """The runs of numbered points: a number that is not above the one before begins a run."""
    found: list[tuple[int, Counter[int]]] = []
    before = 0
    for paragraph in paragraphs:
        if paragraph.number is None or paragraph.kind is ParagraphKind.FOOTNOTE:
            continue
        number = int(paragraph.number)
        if not found or number <= before:
            found.append((1 if number <= 3 else number, Counter()))
        found[-1][1][number] += 1
        before = number
    return found
