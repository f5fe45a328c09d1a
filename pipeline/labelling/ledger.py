"""Readings put into the label file: what is new, what is held already, what has changed. Nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline.themes.labels import COLUMNS, sketch

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reading:
    """What one annotator said about one paragraph of the store on one day; no labels: it carries no theme."""

    fingerprint: str
    report: str
    page: int
    text: str
    annotator: str
    date: date
    batch: str
    drawn: str
    labels: dict[str, str]

    def rows(self) -> list[dict[str, str]]:
        """As rows of the label file."""
        common = {
            "fingerprint": self.fingerprint,
            "report": self.report,
            "page": str(self.page),
            "annotator": self.annotator,
            "date": self.date.isoformat(),
            "batch": self.batch,
            "drawn": self.drawn,
            "sketch": sketch(self.text),
        }
        pairs = sorted(self.labels.items()) or [("", "")]
        return [{**common, "theme": theme, "valence": valence} for theme, valence in pairs]


@dataclass(frozen=True)
class Entered:
    """The label rows after readings were entered.

    Attributes
    ----------
    new, held, replaced, superseded : tuple of Reading
        Of paragraphs that the annotator had not read in this batch; the same as is held; changed, and put in the place
        of the one of the same day; changed on a later day, so that the earlier one stays as history.
    """

    labels: pd.DataFrame
    new: tuple[Reading, ...]
    held: tuple[Reading, ...]
    replaced: tuple[Reading, ...]
    superseded: tuple[Reading, ...]

    @property
    def changed(self) -> bool:
        """Whether the label rows are not what they were."""
        return bool(self.new or self.replaced or self.superseded)


def enter(labels: pd.DataFrame, readings: list[Reading]) -> Entered:
    """Enter readings, at most one a paragraph; entering them again changes nothing.

    A reading is compared with the latest one of the same annotator, batch and paragraph. Of the same content it is held
    already, whatever its date. Of other content it replaces that one if it is not dated later, else stands after it.
    """
    import pandas as pd

    wanted = {(reading.fingerprint, reading.annotator, reading.batch) for reading in readings}
    before: dict[tuple[str, str, str], tuple[str, dict[str, str]]] = {}
    for row in labels.to_dict("records"):
        key = (row["fingerprint"], row["annotator"], row["batch"])
        if key not in wanted:
            continue
        day, said = before.get(key, ("", {}))
        if key not in before or row["date"] > day:
            day, said = row["date"], {}
        if row["date"] == day and row["theme"]:
            said[row["theme"]] = row["valence"]
        before[key] = (day, said)
    sorted_out: dict[str, list[Reading]] = {"new": [], "held": [], "replaced": [], "superseded": []}
    gone: set[tuple[str, str, str, str]] = set()
    added: list[dict[str, str]] = []
    for reading in readings:
        key = (reading.fingerprint, reading.annotator, reading.batch)
        if key not in before:
            kind = "new"
        elif before[key][1] == reading.labels:
            kind = "held"
        elif before[key][0] >= reading.date.isoformat():
            kind = "replaced"
            gone.add((*key, before[key][0]))
        else:
            kind = "superseded"
        sorted_out[kind].append(reading)
        if kind != "held":
            added += reading.rows()
    kept = labels
    if gone:
        keys = zip(labels["fingerprint"], labels["annotator"], labels["batch"], labels["date"], strict=True)
        kept = labels[[key not in gone for key in keys]]
    parts: list[Any] = [kept[list(COLUMNS)], pd.DataFrame(added, columns=list(COLUMNS), dtype="str")]
    entered = pd.concat(parts, ignore_index=True) if added else kept
    return Entered(entered, *(tuple(sorted_out[kind]) for kind in ("new", "held", "replaced", "superseded")))
