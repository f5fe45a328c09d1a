"""The paper's claim put to the test: are its themes what good authorities are praised, and poor ones faulted, for?

The themes of the paper's section 3 are said to be those of well performing authorities, those of section 4 those of
poorly performing ones. Each is compared in two ways. ``paragraphs``: is a larger share of all paragraphs a strength
(or weakness) in this theme on the side it is claimed for? Good reports praise nearly everything more, so nearly every
theme passes. ``praise`` or ``criticism``: of the paragraphs that praise (or fault) anything, does a larger share go to
this theme? That is the sharper question: is it *this* theme that sets them apart?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.domain import VALENCES, Band, Domain, Framework, Valence
from pipeline.tables.clustered import MINIMUM_CLUSTERS, adjusted
from pipeline.tables.columns import CLAIMS, SectionInfo, frame_of
from pipeline.tables.contrasts import SIGNIFICANT, Units, risk_ratio, trend
from pipeline.tables.corpus import Corpus
from pipeline.tables.counts import Items, count
from pipeline.tables.grouping import BANDS, Grouping, grouping
from pipeline.tables.intervals import percent
from pipeline.tables.paper import FIRST_DAY, LAST_DAY


@dataclass(frozen=True)
class Period:
    """Reports published from ``first`` to ``last``, both included."""

    name: str
    first: date
    last: date


PERIODS = (
    Period("2013-14, as the paper", FIRST_DAY, LAST_DAY),
    Period("2014-17, the same framework", date(2014, 10, 29), date(2017, 12, 31)),
    Period("2018-22", date(2018, 1, 1), date(2022, 12, 31)),
    Period("2023 on", date(2023, 1, 1), date(9999, 1, 1)),
)
"""The paper's own time, the rest of its framework, and the two forms of the one that followed."""

_WELL = (BANDS.index(Band.OUTSTANDING.value), BANDS.index(Band.GOOD.value))
_NOT_JUDGED = BANDS.index(Band.NOT_JUDGED.value)
_FRAMEWORKS = (Framework.SIF.value, Framework.ILACS.value)
_STRENGTHS, _WEAKNESSES = "3", "4"


def claims(corpus: Corpus, *, sections: Sequence[SectionInfo], periods: Sequence[Period] = PERIODS) -> pd.DataFrame:
    """Test every section of the paper in every period, by overall effectiveness.

    Well performing are authorities judged outstanding or good, poorly performing those below, as the paper has it.

    Parameters
    ----------
    sections : sequence of SectionInfo
        Those whose number begins with 3 are tested as strengths of the well performing, those with 4 as weaknesses of
        the poorly performing.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.CLAIMS`, a row a period, measure and section. ``verdict`` is "holds" or
        "the opposite" where the q-value (over the sections of a period and measure) is below 0.05, else "not shown", or
        "too little to tell".
    """
    groups = grouping(corpus, Domain.OVERALL.value)
    reports = corpus.reports.iloc[groups.cell_report]
    judged = (groups.cell_group < _NOT_JUDGED) & reports["framework"].isin(_FRAMEWORKS).to_numpy()
    well = np.isin(groups.cell_group, _WELL)
    pieces = []
    for chapter, valence in ((_STRENGTHS, Valence.STRENGTH), (_WEAKNESSES, Valence.WEAKNESS)):
        praise = valence is Valence.STRENGTH
        own = [info for info in sections if info.section.startswith(f"{chapter}.")]
        if not own:
            continue
        counts = count(corpus, groups, Items.of([], own))
        carrying, claimed = (counts.strengths, well) if praise else (counts.weaknesses, ~well)
        measures = {
            "paragraphs": counts.of_paragraphs,
            "praise" if praise else "criticism": _with(corpus, groups, valence),
        }
        for period in periods:
            days = reports["published"].to_numpy()
            inside = judged & (days >= np.datetime64(period.first)) & (days <= np.datetime64(period.last))
            for name, bases in measures.items():
                pieces.append(_claim(corpus, period, name, own, carrying, bases, claimed, groups, inside))
    frame = pd.concat(pieces, ignore_index=True) if pieces else frame_of(CLAIMS, {field.name: [] for field in CLAIMS})
    return _judged(frame)


def _with(corpus: Corpus, groups: Grouping, valence: Valence) -> np.ndarray:
    """Paragraphs of each cell that put any theme so: int64, shape (cells,)."""
    tags = corpus.tags
    paragraph = np.unique(tags.loc[tags["valence"] == VALENCES.index(valence.value), "paragraph"].to_numpy())
    cell = groups.paragraph_cell[paragraph]
    return np.bincount(cell[cell >= 0], minlength=groups.cells)


def _claim(
    corpus: Corpus,
    period: Period,
    measure: str,
    sections: Sequence[SectionInfo],
    carrying: np.ndarray,
    bases: np.ndarray,
    claimed: np.ndarray,
    groups: Grouping,
    inside: np.ndarray,
) -> pd.DataFrame:
    report = groups.cell_report[inside]
    side, carrying, bases = claimed[inside], carrying[inside], bases[inside]
    cluster = corpus.reports["authority_key"].to_numpy()[report]
    stratum = pd.factorize(corpus.reports["framework"])[0][report]
    units = Units(side.astype(float), stratum, cluster)
    width = len(sections)
    statistic, p_values, ratio, low, high = np.full((5, width), np.nan)
    authorities = len(np.unique(cluster))
    if authorities >= MINIMUM_CLUSTERS and side.any() and not side.all():
        statistic, p_values = trend(carrying, bases, units)
        ratio, low, high = risk_ratio(carrying, bases, units, side, ~side)
    counted, others = carrying[side].sum(axis=0), carrying[~side].sum(axis=0)
    base, base_of_others = np.full(width, bases[side].sum()), np.full(width, bases[~side].sum())
    strengths = sections[0].section.startswith(_STRENGTHS)
    return frame_of(
        CLAIMS,
        {
            "period": [period.name] * width,
            "claim": ["strength of good authorities" if strengths else "weakness of poor authorities"] * width,
            "measure": [measure] * width,
            "section": [info.section for info in sections],
            "title": [info.title for info in sections],
            "reports": np.full(width, side.sum()),
            "reports_of_others": np.full(width, (~side).sum()),
            "authorities": np.full(width, authorities),
            "paragraphs": counted,
            "of_paragraphs": base,
            "percent": percent(counted, base),
            "others": others,
            "of_others": base_of_others,
            "others_percent": percent(others, base_of_others),
            "risk_ratio": ratio,
            "ratio_low": low,
            "ratio_high": high,
            "statistic": statistic,
            "p_value": p_values,
            "q_value": np.full(width, np.nan),
            "verdict": [""] * width,
        },
    )


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    """q-values over all sections of a period and way of comparing, and what follows from them."""
    family = frame["period"] + frame["measure"].replace({"criticism": "praise"})
    for _, rows in frame.groupby(family, sort=False):
        frame.loc[rows.index, "q_value"] = adjusted(rows["p_value"].to_numpy())
    shown = np.where(frame["statistic"] > 0, "holds", "the opposite")
    unclear = np.where(frame["q_value"].notna(), "not shown", "too little to tell")
    frame["verdict"] = np.where(frame["q_value"] < SIGNIFICANT, shown, unclear)
    return frame
