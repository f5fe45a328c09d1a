"""What is published: every table counted once, so that the CSV, the workbook and the pages cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.correcting import Basis
from pipeline.publish.quotations import Quotation
from pipeline.store import Store
from pipeline.tables.columns import Field
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.tables.corpus import Corpus

_PERCENT_DECIMALS = 2
_SIGNIFICANT = 6


@dataclass(frozen=True)
class PublishedTable:
    """A table as it is published.

    Attributes
    ----------
    name : str
        Name of its files, without a suffix.
    title, about : str
        What it is, and how to read it, in a sentence each.
    fields : tuple of Field
        Its columns.
    frame : DataFrame
        Its rows, rounded once for all (see :func:`rounded`).
    """

    name: str
    title: str
    about: str
    fields: tuple[Field, ...]
    frame: pd.DataFrame


@dataclass(frozen=True)
class About:
    """What the tables were made from, for covers and for the page on method."""

    made: datetime
    run_id: int
    version: str
    reports: int
    authorities: int
    paragraphs: int
    tagged: int
    first: date | None
    last: date | None
    models: tuple[str, ...]
    taxonomy: str
    taxonomy_source: str | None
    draws: int
    set_aside: tuple[tuple[str, str], ...]
    bands: tuple[tuple[str, str], ...]
    correction: Basis


@dataclass(frozen=True)
class Publication:
    """Everything that the publications show.

    Attributes
    ----------
    tables : dict of str to PublishedTable
        By name, in the order in which they are listed.
    quotations : dict of (theme, valence) to list of Quotation
        The strongest paragraphs.
    """

    about: About
    taxonomy: Taxonomy
    config: Config
    store: Store
    corpus: Corpus
    tables: dict[str, PublishedTable]
    quotations: dict[tuple[str, str], list[Quotation]]

    def frame(self, name: str) -> pd.DataFrame:
        """The rows of the table of that name."""
        return self.tables[name].frame


def rounded(frame: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Percentages with two decimals, other measures with six significant digits: once, before anything is written."""
    import numpy as np

    result = frame.copy()
    for field in fields:
        if field.kind == "percent":
            result[field.name] = result[field.name].round(_PERCENT_DECIMALS)
        elif field.kind == "number":
            values = result[field.name].to_numpy(dtype=float)
            with np.errstate(divide="ignore", invalid="ignore"):
                place = np.where(np.isfinite(values) & (values != 0), np.floor(np.log10(np.abs(values))), 0)
            result[field.name] = [
                round(value, _SIGNIFICANT - 1 - int(digits)) if np.isfinite(value) else value
                for value, digits in zip(values.tolist(), place.tolist(), strict=True)
            ]
    return result
