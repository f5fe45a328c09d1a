"""A batch of paragraphs to be labelled, and what comes back of it, whatever the file's format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from pipeline.domain import VALENCES
from pipeline.errors import UsageError
from pipeline.themes.labels import SETTLED_BY
from pipeline.themes.taxonomy import Taxonomy, Theme

OPEN = "?"
"""In a batch to settle: a theme that the readers dispute and nobody has settled yet."""

SETTLE = "settle"
"""The draw of a batch of disagreements."""

_SHOWN = ", suggestions shown"
_BATCH = re.compile(rf"\d{{4}}-\d\d-\d\d [a-z][a-z ]{{2,30}} [0-9a-f]{{6}}({_SHOWN})?")
_DRAWN = re.compile(r"[A-Za-z][\w :,.'&()/-]{0,149}")
_NAME = re.compile(r"[^\W_][^\x00-\x1f\x7f]{0,79}")


class Draw(StrEnum):
    """How paragraphs are chosen."""

    RANDOM = "random"
    UNCERTAIN = "uncertain"
    THEME = "theme"
    AUTHORITY = "authority"
    SUSPECT = "suspect"


class BatchFormat(StrEnum):
    """The file that a batch goes out in, and comes back in."""

    XLSX = "xlsx"
    CSV = "csv"
    LABELSTUDIO = "labelstudio"
    DOCCANO = "doccano"


SUFFIXES = {
    ".xlsx": BatchFormat.XLSX,
    ".csv": BatchFormat.CSV,
    ".json": BatchFormat.LABELSTUDIO,
    ".jsonl": BatchFormat.DOCCANO,
}
"""The format that each file name ending stands for."""


@dataclass(frozen=True)
class Item:
    """A paragraph to be labelled.

    Attributes
    ----------
    fingerprint, report, page
        As in the label file: where it is found again. ``report`` is ``<folder>/<file>``.
    drawn : str
        How it came to be chosen.
    suggested : tuple of (code, valence), or None
        What the model in use says; None where it was not asked.
    given : dict
        In a batch to settle: the cells to begin with, ``{code: valence or OPEN}``.
    said : str
        In a batch to settle: who said what about the disputed themes.
    """

    fingerprint: str
    report: str
    page: int
    authority: str
    published: date | None
    section: str
    text: str
    link: str
    drawn: str
    suggested: tuple[tuple[str, str], ...] | None = None
    given: dict[str, str] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True)
class Batch:
    """Paragraphs to be labelled, how they were drawn, and the codebook they are to be labelled by.

    Attributes
    ----------
    batch_id : str
        The day it was made, the draw, six hex digits of what was drawn; and whether suggestions were shown, because a
        reader who saw them is not independent of the model.
    description : str
        The draw in words.
    """

    batch_id: str
    made: date
    description: str
    suggestions: bool
    taxonomy: Taxonomy
    items: tuple[Item, ...]

    @property
    def themes(self) -> tuple[Theme, ...]:
        """The themes to be labelled, one column each."""
        return self.taxonomy.themes

    def record(self, item: Item) -> dict[str, object]:
        """What a labelling tool has to carry beside a paragraph's text, so that it can come back; and what to show."""
        return {
            "batch": self.batch_id,
            "key": item.fingerprint,
            "report": item.report,
            "page": item.page,
            "drawn": item.drawn,
            "themes": list(self.taxonomy.codes),
            "authority": item.authority,
            "published": item.published.isoformat() if item.published else "",
            "section": item.section.replace("_", " "),
            "link": item.link,
        }

    @property
    def to_settle(self) -> bool:
        """Whether it holds disagreements."""
        return is_to_settle(self.batch_id)


def batch_id(made: date, draw: str, digest: str, suggestions: bool) -> str:
    """The name of a batch, from which :func:`is_to_settle` and a reader can tell what it is."""
    return f"{made.isoformat()} {draw} {digest[:6]}{_SHOWN if suggestions else ''}"


def is_batch_id(text: str) -> bool:
    """Whether ``text`` is a name that :func:`batch_id` gives."""
    return _BATCH.fullmatch(text) is not None


def is_to_settle(text: str) -> bool:
    """Whether the batch of that name holds disagreements."""
    return text[11:].startswith(f"{SETTLE} ")


def is_drawn(text: str) -> bool:
    """Whether ``text`` can say how a paragraph was chosen: a letter first, no control characters, short."""
    return _DRAWN.fullmatch(text) is not None


def checked_annotator(name: str) -> str:
    """A person's name as it may stand in the label file.

    Raises
    ------
    UsageError
        Empty, over 80 characters, not beginning with a letter or digit (a spreadsheet could run it), or a name that
        settled labels have.
    """
    name = " ".join(name.split())
    if name.lower().startswith(SETTLED_BY.strip()):
        raise UsageError(f"The annotator '{name}' would pass for a settled label; use `pipeline label settle`.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"The annotator's name '{name[:80]}' must begin with a letter or digit and have at most 80 characters."
        )
    return name


@dataclass(frozen=True)
class Row:
    """What was said about one paragraph.

    Attributes
    ----------
    where : str
        Its place in the file: ``sheet 'Paragraphs', row 7``.
    labels : dict
        ``{code: valence}``.
    nothing : bool
        Said to carry no theme.
    date : date or None
        When, where the file says so for the paragraph.
    faults : tuple of str
        Sentences, each with its place, about cells that cannot be right.
    open : tuple of str
        Disputed themes that nobody has settled.
    """

    where: str
    fingerprint: str
    report: str
    page: str
    drawn: str
    batch: str
    text: str
    labels: dict[str, str]
    nothing: bool
    date: date | None = None
    faults: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def blank(self) -> bool:
        """Nothing was said about it: not read yet."""
        return not (self.labels or self.nothing or self.faults or self.open)


@dataclass(frozen=True)
class Filled:
    """A batch as it came back.

    Attributes
    ----------
    codes : tuple of str
        The themes that it asked about.
    annotator, date
        As the file says, where it does.
    notes : tuple of str
        Sentences about what was left alone.
    """

    path: Path
    codes: tuple[str, ...]
    rows: tuple[Row, ...]
    annotator: str | None = None
    date: date | None = None
    notes: tuple[str, ...] = ()


# What spreadsheets and phones make of a typed sign.
_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "－": "-", "＋": "+", "０": "0"})


def valence_of(cell: object) -> str | None:
    """The valence in a cell, ``""`` for an empty one, None for anything else."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return "0" if cell == 0 else None
    text = str(cell).strip().removeprefix("'").translate(_SIGNS).strip()
    return text if text in VALENCES or not text else None
