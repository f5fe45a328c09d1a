"""Change over the years: how each theme's share moves, in percentage points a year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.tables.clustered import MINIMUM_CLUSTERS, adjusted, clustered_error, quantile, two_sided
from pipeline.tables.columns import CHANGES, SectionInfo, ThemeInfo, frame_of
from pipeline.tables.contrasts import SIGNIFICANT
from pipeline.tables.corpus import UNKNOWN, Corpus
from pipeline.tables.counts import MEASURES, Counts, Items, count
from pipeline.tables.grouping import grouping
from pipeline.tables.intervals import percent

ALL = "all"
"""The band that stands for all reports together."""


def changes(
    corpus: Corpus,
    by: str | None = None,
    *,
    themes: Sequence[ThemeInfo],
    sections: Sequence[SectionInfo] | None = None,
    first_year: int | None = None,
    last_year: int | None = None,
) -> pd.DataFrame:
    """The trend of every theme over the years, with its interval; for all reports, and within each band of ``by``.

    A straight line through the shares of the reports against the year they were published in, each report weighted by
    its paragraphs; the interval respects that an authority's reports are alike. It says how much the share moved on
    average, not that it moved evenly, and not why: frameworks changed in 2018 and 2023.

    Parameters
    ----------
    by : str, optional
        As in :func:`pipeline.tables.frequencies.frequencies`.
    first_year, last_year : int, optional
        Only reports of these years, both included.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.CHANGES`, a row a band, measure and theme. Missing where a band has
        fewer than ten authorities or a single year. q-values are over the themes of a band and measure.
    """
    items = Items.of(themes, sections)
    groups = grouping(corpus, by or "overall_effectiveness")
    counts = count(corpus, groups, items)
    year = np.array([np.nan if label == UNKNOWN else int(label) for label in corpus.reports["year"]])[
        groups.cell_report
    ]
    inside = np.isfinite(year)
    inside &= (year >= (first_year if first_year is not None else -np.inf)) & (
        year <= (last_year if last_year is not None else np.inf)
    )
    cluster = corpus.reports["authority_key"].to_numpy()[groups.cell_report]
    wanted = [(ALL, inside)]
    if by is not None:
        wanted += [(name, inside & (groups.cell_group == number)) for number, name in enumerate(groups.names)]
    pieces = [
        _change(by or ALL, name, measure, items, counts, year, cluster, np.flatnonzero(chosen))
        for name, chosen in wanted
        for measure in MEASURES
    ]
    return pd.concat(pieces, ignore_index=True)


def _change(
    by: str,
    band: str,
    measure: str,
    items: Items,
    counts: Counts,
    year: np.ndarray,
    cluster: np.ndarray,
    chosen: np.ndarray,
) -> pd.DataFrame:
    carrying, bases = (part[chosen] for part in counts.measured(measure))
    years, clusters = year[chosen], cluster[chosen]
    enough = len(np.unique(clusters)) >= MINIMUM_CLUSTERS
    slope, low, high, p_values = (
        slopes(carrying, bases, years, clusters) if enough else np.full((4, len(items.codes)), np.nan)
    )
    q_values = adjusted(p_values)
    words = np.where(slope > 0, "rising", "falling")
    unclear = np.where(np.isfinite(q_values), "no clear trend", "too little to tell")
    width = len(items.codes)
    whole = np.full(width, bases.sum(), dtype=np.int64)
    return frame_of(
        CHANGES,
        {
            "by": [by] * width,
            "band": [band] * width,
            "measure": [measure] * width,
            "theme": list(items.codes),
            "name": list(items.names),
            "first_year": [str(int(years.min())) if len(years) else UNKNOWN] * width,
            "last_year": [str(int(years.max())) if len(years) else UNKNOWN] * width,
            "reports": np.full(width, len(chosen)),
            "authorities": np.full(width, len(np.unique(clusters))),
            "carrying": carrying.sum(axis=0),
            "of_carrying": whole,
            "percent": percent(carrying.sum(axis=0), whole),
            "points_a_year": 100 * slope,
            "points_low": 100 * low,
            "points_high": 100 * high,
            "p_value": p_values,
            "q_value": q_values,
            "direction": [str(word) for word in np.where(q_values < SIGNIFICANT, words, unclear)],
        },
    )


def slopes(
    carrying: np.ndarray, bases: np.ndarray, year: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weighted least-squares slopes of shares on years, with clustered 95 % intervals and p-values.

    Parameters
    ----------
    carrying : ndarray, shape (units, items)
    bases, year, cluster : ndarrays, shape (units,)

    Returns
    -------
    (slope, low, high, p_value) : ndarrays, shape (items,)
        Slopes as proportions a year; NaN where all years are the same.
    """
    weight = bases.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = year - (weight @ year) / weight.sum()
        spread = weight @ centred**2
        if not spread > 0:
            return tuple(np.full((4, carrying.shape[1]), np.nan))  # type: ignore[return-value]
        slope = centred @ carrying / spread
        mean = carrying.sum(axis=0) / weight.sum()
        residual = carrying - weight[:, None] * (mean + np.outer(centred, slope))
        error, freedom = clustered_error(centred[:, None] * residual / spread, cluster)
        statistic = np.where(error > 1e-12, slope / error, np.nan)
    half = np.where(error > 1e-12, quantile(freedom) * error, np.nan)
    return slope, slope - half, slope + half, two_sided(statistic, freedom)
