"""Lines of text with position, size and weight: what both engines hand to the code that reads structure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """One line of text as it is printed.

    Attributes
    ----------
    x0, x1, baseline : float
        Left edge, right edge and baseline, in points from the upper left corner of the page as it is shown.
    size : float
        Font size of the greater of its first and last character, in points.
    bold : bool
        Whether both the first and the last character are bold.
    raised : bool
        Whether it begins with, or is nothing but, a digit printed small: the mark of a footnote's text.
    """

    text: str
    x0: float
    x1: float
    baseline: float
    size: float
    bold: bool
    raised: bool = False


@dataclass(slots=True)
class Page:
    """The lines of one page in the order of the file.

    Attributes
    ----------
    number : int
        From 1, in the PDF's own order.
    width, height : float
        Of the page as it is shown, in points.
    unmapped : int
        How many of the characters looked at have no Unicode value.
    images : bool
        Whether the page holds an image; looked at only where it holds no text.
    """

    number: int
    width: float
    height: float
    lines: list[Line] = field(default_factory=list)
    unmapped: int = 0
    images: bool = False
