"""Theme frequencies by rating band, with their bases and intervals; and what moved between two runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.errors import UsageError
from pipeline.tables.columns import FREQUENCIES, MOVEMENTS, SectionInfo, ThemeInfo, frame_of
from pipeline.tables.corpus import Corpus
from pipeline.tables.counts import Counts, Items, count
from pipeline.tables.grouping import Grouping, grouping
from pipeline.tables.intervals import DRAWS, SEED, percent, ratio_intervals, wilson


def frequencies(
    corpus: Corpus,
    by: str = "overall_effectiveness",
    *,
    themes: Sequence[ThemeInfo],
    sections: Sequence[SectionInfo] | None = None,
    theme: str | None = None,
    latest: bool = False,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """How often each theme (or section of the paper) stands in the reports of each band.

    Parameters
    ----------
    by : str
        A judgement, ``section_judgement``, an attribute of the report, or two of them joined by a comma
        (:data:`pipeline.tables.grouping.DIMENSIONS`).
    sections : sequence of SectionInfo, optional
        Count the paper's sections instead of the themes.
    theme : str, optional
        Only this theme (or, with ``sections``, this section).
    latest : bool
        Only the newest report of each authority.
    draws : int
        Bootstrap draws; 0 leaves the redrawn intervals out (missing).

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.FREQUENCIES`; a row a band and theme, bands in order, themes in the order
        given. A theme that no paragraph of a band carries has its row with 0 of N, a band without reports 0 of 0 and
        no percentages.

    Raises
    ------
    UsageError
        Unknown ``by`` or ``theme``.
    """
    items = Items.of(themes, sections, theme)
    if theme is not None and not items.codes:
        known = [info.section for info in sections] if sections is not None else [info.code for info in themes]
        raise UsageError(f"There is no theme {theme!r}; the taxonomy has {', '.join(known)}.")
    groups = grouping(corpus, by, latest)
    counts = count(corpus, groups, items)
    return _frame(groups, items, counts, draws, np.random.default_rng(seed))


def _frame(groups: Grouping, items: Items, counts: Counts, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    shape = (len(groups.names), len(items.codes))
    starts = np.searchsorted(groups.cell_group, np.arange(len(groups.names) + 1))

    def summed(per_cell: np.ndarray) -> np.ndarray:
        running = np.concatenate([np.zeros((1, *per_cell.shape[1:]), dtype=np.int64), np.cumsum(per_cell, axis=0)])
        return np.asarray(running[starts[1:]] - running[starts[:-1]])

    def spread(base: np.ndarray) -> np.ndarray:
        return np.broadcast_to(base[:, None], shape)

    reports, of_reports = summed((counts.paragraphs > 0).astype(np.int64)), spread(np.diff(starts))
    paragraphs, of_paragraphs = summed(counts.paragraphs), spread(summed(counts.of_paragraphs))
    words, of_words = summed(counts.words), spread(summed(counts.of_words))
    strengths, weaknesses = summed(counts.strengths), summed(counts.weaknesses)
    reports_low, reports_high = wilson(reports, of_reports)
    low, high = np.full((2, 3, *shape), np.nan)
    for number, (start, stop) in enumerate(itertools.pairwise(starts.tolist())):
        low[:, number], high[:, number] = _intervals(counts, slice(start, stop), draws, rng)
    columns = {
        "by": np.full(shape, groups.by, dtype=object),
        "band": np.broadcast_to(np.array(groups.names, dtype=object)[:, None], shape),
        "theme": np.broadcast_to(np.array(items.codes, dtype=object), shape),
        "name": np.broadcast_to(np.array(items.names, dtype=object), shape),
        "reports": reports,
        "of_reports": of_reports,
        "reports_percent": percent(reports, of_reports),
        "reports_low": 100 * reports_low,
        "reports_high": 100 * reports_high,
        "paragraphs": paragraphs,
        "of_paragraphs": of_paragraphs,
        "paragraphs_percent": percent(paragraphs, of_paragraphs),
        "paragraphs_low": 100 * low[0],
        "paragraphs_high": 100 * high[0],
        "paragraphs_per_report": percent(paragraphs, of_reports) / 100,
        "per_report_low": low[2],
        "per_report_high": high[2],
        "words": words,
        "of_words": of_words,
        "words_percent": percent(words, of_words),
        "words_low": 100 * low[1],
        "words_high": 100 * high[1],
        "strengths": strengths,
        "weaknesses": weaknesses,
        "mixed": paragraphs - strengths - weaknesses,
    }
    return frame_of(FREQUENCIES, {name: values.ravel() for name, values in columns.items()})


def _intervals(counts: Counts, cells: slice, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of paragraphs' share, words' share and paragraphs a report: two arrays of shape (3, items)."""
    paragraphs, words = counts.paragraphs[cells], counts.words[cells]
    measures = [
        (paragraphs, counts.of_paragraphs[cells]),
        (words, counts.of_words[cells]),
        (paragraphs, np.ones(len(paragraphs))),
    ]
    low, high = ratio_intervals(measures, draws, rng)
    high[:2] = np.minimum(high[:2], 1)
    return low, high


_COUNTED = ("reports", "of_reports", "paragraphs", "of_paragraphs")


def movements(previous: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """The cells that moved between two snapshots of frequencies, the largest change in the share of reports first.

    Parameters
    ----------
    previous, current : DataFrame
        Frames with ``by, band, theme, reports, of_reports, paragraphs, of_paragraphs`` at least: the store's
        ``frequencies`` or what :func:`frequencies` returns. Names are taken from ``current``.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.MOVEMENTS`. A cell that one side lacks counts as 0 of 0 there.
    """
    key = ["by", "band", "theme"]
    wanted = [*key, *_COUNTED]
    both = previous[wanted].merge(current[wanted], on=key, how="outer", suffixes=("_before", ""))
    counted = [*(f"{column}_before" for column in _COUNTED), *_COUNTED]
    both[counted] = both[counted].fillna(0).astype("int64")
    moved = np.zeros(len(both), dtype=bool)
    for column in _COUNTED:
        moved |= (both[column] != both[f"{column}_before"]).to_numpy()
    both = both[moved]
    named = current if "name" in current else previous
    names = dict(zip(named["theme"], named["name"], strict=True)) if "name" in named else {}
    shares = {
        f"{unit}{when}": percent(both[f"{unit}{when}"].to_numpy(), both[f"of_{unit}{when}"].to_numpy())
        for unit in ("reports", "paragraphs")
        for when in ("_before", "")
    }
    frame = frame_of(
        MOVEMENTS,
        {
            **{column: both[column].to_numpy() for column in (*key, *counted)},
            "name": [names.get(code, code) for code in both["theme"]],
            "reports_percent_before": shares["reports_before"],
            "reports_percent": shares["reports"],
            "reports_change": shares["reports"] - shares["reports_before"],
            "paragraphs_change": shares["paragraphs"] - shares["paragraphs_before"],
        },
    )
    order = frame.assign(
        first=-frame["reports_change"].abs().fillna(np.inf), then=-frame["paragraphs_change"].abs().fillna(np.inf)
    ).sort_values(["first", "then", *key], kind="stable")
    return frame.loc[order.index].reset_index(drop=True)
