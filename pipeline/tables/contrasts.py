"""What sets the bands apart: for each theme a trend from the best band to the worst, and inadequate against good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.domain import Band, Domain
from pipeline.errors import UsageError
from pipeline.tables.clustered import MINIMUM_CLUSTERS, adjusted, clustered_error, clustered_sums, quantile, two_sided
from pipeline.tables.columns import CONTRASTS, SectionInfo, ThemeInfo, frame_of
from pipeline.tables.corpus import Corpus
from pipeline.tables.counts import MEASURES, Items, count
from pipeline.tables.grouping import BANDS, SECTION_JUDGEMENT, Grouping, grouping
from pipeline.tables.intervals import percent

SIGNIFICANT = 0.05
"""Differences are named where the q-value is below this."""

_GOOD, _INADEQUATE = BANDS.index(Band.GOOD.value), BANDS.index(Band.INADEQUATE.value)


@dataclass(frozen=True)
class Units:
    """Reports (within a band) of the judged bands.

    Attributes
    ----------
    score : ndarray of float, shape (units,)
        0 for outstanding to 3 for inadequate.
    stratum, cluster : ndarray of int64, shape (units,)
        Within which units are compared (framework), and which of them belong together (authority).
    """

    score: np.ndarray
    stratum: np.ndarray
    cluster: np.ndarray


def contrasts(
    corpus: Corpus,
    by: str = "overall_effectiveness",
    *,
    themes: Sequence[ThemeInfo],
    sections: Sequence[SectionInfo] | None = None,
    latest: bool = False,
    within: str | None = "framework",
) -> pd.DataFrame:
    """Test every theme for a trend across the bands, and size it as a risk ratio, inadequate against good.

    Parameters
    ----------
    by : str
        A judgement or ``section_judgement``; reports without it are left out, and counted out in ``reports``.
    within : str or None
        The attribute of reports within which bands are compared: frameworks differ both in what they write about and in
        how often they grade well, which would otherwise pass for a trend. None compares all reports at once.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.CONTRASTS`, a row a measure and theme. Values are missing where fewer
        than ten authorities, a band without reports, or a theme never found leave nothing to compare.

    Raises
    ------
    UsageError
        ``by`` is not a judgement.
    """
    if by != SECTION_JUDGEMENT and by not in {domain.value for domain in Domain}:
        raise UsageError(
            f"Bands come from a judgement, not from {by!r}: choose one of {', '.join(Domain)}, {SECTION_JUDGEMENT}."
        )
    items = Items.of(themes, sections)
    groups = grouping(corpus, by, latest)
    counts = count(corpus, groups, items)
    judged = groups.cell_group < BANDS.index(Band.NOT_JUDGED.value)
    units = _units(corpus, groups, judged, within)
    pieces = []
    for measure in MEASURES:
        carrying, bases = counts.measured(measure)
        pieces.append(_contrast(by, items, measure, units, carrying[judged], bases[judged]))
    return pd.concat(pieces, ignore_index=True)


def _units(corpus: Corpus, groups: Grouping, judged: np.ndarray, within: str | None) -> Units:
    report = groups.cell_report[judged]
    stratum = (
        np.zeros(len(report), dtype=np.int64) if within is None else pd.factorize(corpus.reports[within])[0][report]
    )
    return Units(groups.cell_group[judged].astype(float), stratum, corpus.reports["authority_key"].to_numpy()[report])


def _contrast(
    by: str, items: Items, measure: str, units: Units, carrying: np.ndarray, bases: np.ndarray
) -> pd.DataFrame:
    clusters = len(np.unique(units.cluster))
    enough = clusters >= MINIMUM_CLUSTERS
    nothing = np.full(len(items.codes), np.nan)
    statistic, p_values = trend(carrying, bases, units) if enough else (nothing, nothing)
    q_values = adjusted(p_values)
    good, inadequate = units.score == _GOOD, units.score == _INADEQUATE
    ratio, low, high = risk_ratio(carrying, bases, units, inadequate, good) if enough else (nothing, nothing, nothing)
    width = len(items.codes)
    bad_count, bad_base = carrying[inadequate].sum(axis=0), np.full(width, bases[inadequate].sum())
    good_count, good_base = carrying[good].sum(axis=0), np.full(width, bases[good].sum())
    return frame_of(
        CONTRASTS,
        {
            "by": [by] * width,
            "measure": [measure] * width,
            "theme": list(items.codes),
            "name": list(items.names),
            "reports": np.full(width, len(bases)),
            "authorities": np.full(width, clusters),
            "good": good_count,
            "of_good": good_base,
            "good_percent": percent(good_count, good_base),
            "inadequate": bad_count,
            "of_inadequate": bad_base,
            "inadequate_percent": percent(bad_count, bad_base),
            "risk_ratio": ratio,
            "ratio_low": low,
            "ratio_high": high,
            "trend": statistic,
            "p_value": p_values,
            "q_value": q_values,
            "direction": directions(statistic, q_values),
        },
    )


def directions(statistic: np.ndarray, q_values: np.ndarray) -> list[str]:
    """In words: which way a trend goes, or that none is shown."""
    words = np.where(statistic > 0, "more in worse bands", "more in better bands")
    unclear = np.where(np.isfinite(q_values), "no clear trend", "too little to tell")
    return [str(word) for word in np.where(q_values < SIGNIFICANT, words, unclear)]


def trend(carrying: np.ndarray, bases: np.ndarray, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """The Cochran-Armitage trend test within strata, with a variance that respects clusters.

    It is the generalised score test of a logistic model with a slope over the bands and an intercept a stratum, under
    working independence (Rotnitzky and Jewell 1990; Boos 1992), its variance over clusters taken about their mean and
    the statistic held against Student's t with one degree of freedom less than clusters.

    Parameters
    ----------
    carrying : ndarray of int, shape (units, items)
    bases : ndarray of int, shape (units,)

    Returns
    -------
    (statistic, p_value) : ndarrays, shape (items,)
        Positive where the theme is commoner in worse bands; NaN where nothing varies.
    """
    strata = int(units.stratum.max(initial=-1)) + 1
    base = np.bincount(units.stratum, weights=bases, minlength=strata)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_score = np.bincount(units.stratum, weights=bases * units.score, minlength=strata) / base
        share = _by_stratum(carrying, units.stratum, strata) / base[:, None]
        expected = np.nan_to_num(bases[:, None] * share[units.stratum])
        part = np.nan_to_num(units.score - mean_score[units.stratum])[:, None] * (carrying - expected)
        summed = clustered_sums(part, units.cluster)
        clusters = len(summed)
        total = summed.sum(axis=0)
        variance = ((summed - total / clusters) ** 2).sum(axis=0) * clusters / (clusters - 1)
        statistic = np.where(variance > 1e-12, total / np.sqrt(variance), np.nan)
    return statistic, two_sided(statistic, clusters - 1)


def risk_ratio(
    carrying: np.ndarray, bases: np.ndarray, units: Units, bad: np.ndarray, good: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The share in one set of units over the share in another, within strata, with a 95 % interval by clusters.

    Mantel and Haenszel's estimator (Greenland and Robins 1985); the interval is symmetric on the log scale, by
    linearisation.

    Parameters
    ----------
    carrying, bases, units
        As in :func:`trend`.
    bad, good : ndarray of bool, shape (units,)
        Whose share is divided by whose.

    Returns
    -------
    (ratio, low, high) : ndarrays, shape (items,)
        NaN where good has none (or either band no base in every stratum); the interval also where inadequate has none.
    """
    strata = int(units.stratum.max(initial=-1)) + 1
    n_bad, n_good = (np.bincount(units.stratum[side], weights=bases[side], minlength=strata) for side in (bad, good))
    y_bad, y_good = (_by_stratum(carrying[side], units.stratum[side], strata) for side in (bad, good))
    whole = n_bad + n_good
    with np.errstate(invalid="ignore", divide="ignore"):
        to_bad, to_good = np.nan_to_num(n_good / whole), np.nan_to_num(n_bad / whole)
        top, bottom = (y_bad * to_bad[:, None]).sum(axis=0), (y_good * to_good[:, None]).sum(axis=0)
        ratio = np.where(bottom > 0, top / bottom, np.nan)
        # How the logarithm moves with each report: through its own count, and through its base in the strata's weights.
        per_base = np.nan_to_num(1 / whole**2)
        top_by_bad, bottom_by_bad = -y_bad * (n_good * per_base)[:, None], y_good * (n_good * per_base)[:, None]
        top_by_good, bottom_by_good = y_bad * (n_bad * per_base)[:, None], -y_good * (n_bad * per_base)[:, None]
        s, n = units.stratum, bases[:, None]
        in_bad = (carrying * to_bad[s][:, None] + n * top_by_bad[s]) / top - n * bottom_by_bad[s] / bottom
        in_good = n * top_by_good[s] / top - (carrying * to_good[s][:, None] + n * bottom_by_good[s]) / bottom
        influence = np.where(bad[:, None], in_bad, np.where(good[:, None], in_good, 0.0))
        compared = bad | good
        error, freedom = clustered_error(np.nan_to_num(influence[compared]), units.cluster[compared])
        half = np.where((top > 0) & (bottom > 0) & (error > 0), quantile(freedom) * error, np.nan)
        return ratio, ratio * np.exp(-half), ratio * np.exp(half)


def _by_stratum(values: np.ndarray, stratum: np.ndarray, strata: int) -> np.ndarray:
    summed = np.zeros((strata, values.shape[1]))
    np.add.at(summed, stratum, values)
    return summed
