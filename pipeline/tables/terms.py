"""The words that set a band, or a theme, apart: log-odds with an informative Dirichlet prior.

Monroe, Colaresi and Quinn (2008), "Fightin' Words: Lexical feature selection and evaluation for identifying the
content of political conflict", Political Analysis 16(4), 372-403, equations 15, 18 and 22. One thing is added: a word
that a single report uses over and over is no finding about its band, so the variance is the larger of theirs, which
takes words for independent, and the one seen between reports.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer
from sqlalchemy import Connection

from pipeline import schema
from pipeline.domain import Grade
from pipeline.tables.columns import TERMS, ThemeInfo, frame_of
from pipeline.tables.corpus import Corpus
from pipeline.tables.counts import Items, carriers
from pipeline.tables.grouping import grouping
from pipeline.tables.intervals import SEED
from pipeline.tables.texts import paragraph_rows

MINIMUM_REPORTS = 5
"""A term that fewer reports of the band use is not shown; half of them, where the band has fewer than ten."""

PRIOR_REPORTS = 10
"""The prior weighs as much as this many average reports in which every term is as common as it is overall."""

VOCABULARY = 30_000
_SAMPLED_REPORTS = 400

# Small words that carry judgement: "not always", "too long", "few", "most".
_TELLING = frozenset(
    {"all", "almost", "always", "few", "less", "little", "many", "more", "most", "much", "never", "no", "none", "not"}
    | {"nothing", "often", "only", "rarely", "several", "some", "sometimes", "too", "very", "well", "without", "yet"}
)
_STOP_WORDS = (frozenset(ENGLISH_STOP_WORDS) | {"s", "t"}) - _TELLING
_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*")
_GRADES = frozenset(word for grade in Grade for word in grade.value.split() if word not in ("not", "improvement")) | {
    "require",
    "judgement",
}
"""The grade's own words set its band apart by definition."""


def terms_of(text: str) -> list[str]:
    """Words and pairs of neighbouring words of a text, lower case, without those that only hold sentences together."""
    words = _WORD.findall(text.lower().replace("’", "'"))
    kept = [word for word in words if word not in _STOP_WORDS]
    pairs = [f"{a} {b}" for a, b in pairwise(words) if a not in _STOP_WORDS and b not in _STOP_WORDS]
    return kept + pairs


def distinctive_terms(
    connection: Connection,
    corpus: Corpus,
    by: str = "overall_effectiveness",
    *,
    theme: ThemeInfo | None = None,
    limit: int = 25,
) -> pd.DataFrame:
    """The terms that each band's reports use more than all others' do.

    Names of authorities and the words of the grades themselves are left out.

    Parameters
    ----------
    by : str
        As in :func:`pipeline.tables.frequencies.frequencies`.
    theme : ThemeInfo, optional
        Compare only the paragraphs that carry this theme: how the bands speak of it.
    limit : int
        At most this many terms a band.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.TERMS`, the most distinctive terms of each band first.
    """
    chosen = np.arange(len(corpus.paragraphs))
    if theme is not None:
        chosen = carriers(corpus, Items.of([theme]))[0][0]
    names, members = _bands(corpus, by, chosen)
    return _frame(corpus, by, names, _counted(connection, corpus, members, chosen), limit, _GRADES)


def terms_of_bands_and_themes(
    connection: Connection,
    corpus: Corpus,
    by: str = "overall_effectiveness",
    *,
    themes: Sequence[ThemeInfo],
    band_limit: int = 25,
    theme_limit: int = 25,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """:func:`distinctive_terms` of the bands and of the themes, from one reading of the texts.

    A theme's are those that the paragraphs carrying it use more than all others do.

    Returns
    -------
    tuple of DataFrame
        Columns :data:`pipeline.tables.columns.TERMS` each; in the second, ``band`` is the theme's code.
    """
    everything = np.arange(len(corpus.paragraphs))
    names, of_bands = _bands(corpus, by, everything)
    items = Items.of(themes)
    of_themes = [carrying for carrying, _ in carriers(corpus, items)]
    terms, inside, outside = _counted(connection, corpus, [*of_bands, *of_themes], everything)
    split = len(names)
    return (
        _frame(corpus, by, names, (terms, inside[:split], outside[:split]), band_limit, _GRADES),
        _frame(corpus, "theme", items.codes, (terms, inside[split:], outside[split:]), theme_limit, frozenset()),
    )


def _bands(corpus: Corpus, by: str, chosen: np.ndarray) -> tuple[Sequence[str], list[np.ndarray]]:
    """The bands' names, and which of the chosen paragraphs are in each."""
    groups = grouping(corpus, by)
    if not groups.cells:
        return groups.names, [chosen[:0] for _ in groups.names]
    group_of = np.where(groups.paragraph_cell >= 0, groups.cell_group[groups.paragraph_cell], -1)
    return groups.names, [chosen[group_of[chosen] == number] for number in range(len(groups.names))]


@dataclass
class _Sums:
    """Sums over reports for one side of a comparison, term by term: what means and their variance are made of."""

    count: np.ndarray
    squares: np.ndarray  # of a report's count
    products: np.ndarray  # a report's count with its size
    reports: np.ndarray  # that use the term
    size: float = 0.0
    size_squares: float = 0.0
    units: int = 0

    @classmethod
    def none(cls, terms: int) -> _Sums:
        return cls(np.zeros(terms), np.zeros(terms), np.zeros(terms), np.zeros(terms))

    def add(self, counts: sparse.csr_matrix) -> None:
        """Add reports: counts of shape (reports, terms)."""
        sizes = np.asarray(counts.sum(axis=1)).ravel()
        self.count += np.asarray(counts.sum(axis=0)).ravel()
        self.squares += np.asarray(counts.multiply(counts).sum(axis=0)).ravel()
        self.products += np.asarray(counts.T @ sizes).ravel()
        self.reports += np.bincount(counts.indices[counts.data > 0], minlength=counts.shape[1])
        self.size += float(sizes.sum())
        self.size_squares += float((sizes**2).sum())
        self.units += int((sizes > 0).sum())

    def variance(self, prior: np.ndarray) -> np.ndarray:
        """Variance of the smoothed log-odds: equation 18 or, where it is larger, the one between reports."""
        independent = 1 / (self.count + prior)
        if self.units < 2 or not self.size:
            return np.asarray(independent)
        share = self.count / self.size
        between = self.squares - 2 * share * self.products + share**2 * self.size_squares
        between = between * self.units / (self.units - 1) / (self.count + prior) ** 2
        return np.asarray(np.maximum(independent, between))


def _frame(
    corpus: Corpus,
    by: str,
    names: Sequence[str],
    counted: tuple[list[str], list[_Sums], list[_Sums]],
    limit: int,
    without: Collection[str],
) -> pd.DataFrame:
    terms, inside, outside = counted
    unwanted = set(without) | _name_words(corpus)
    wanted = np.array([not unwanted.intersection(term.split()) for term in terms], dtype=bool)
    pieces = []
    for name, own, rest in zip(names, inside, outside, strict=True):
        log_odds, z = _compared(own, rest)
        least = min(MINIMUM_REPORTS, max(own.units / 2, 1))
        shown = np.flatnonzero(wanted & (own.reports >= least) & (z > 0)) if own.units else np.empty(0, dtype=np.int64)
        shown = shown[np.argsort(-z[shown], kind="stable")][:limit]
        pieces.append(
            frame_of(
                TERMS,
                {
                    "by": [by] * len(shown),
                    "band": [name] * len(shown),
                    "rank": np.arange(1, len(shown) + 1),
                    "term": [terms[place] for place in shown],
                    "log_odds": log_odds[shown],
                    "z": z[shown],
                    "uses": own.count[shown].astype(np.int64),
                    "reports": own.reports[shown].astype(np.int64),
                    "of_reports": np.full(len(shown), own.units),
                    "per_10000": 10_000 * own.count[shown] / max(own.size, 1),
                    "per_10000_elsewhere": 10_000 * rest.count[shown] / max(rest.size, 1),
                },
            )
        )
    return pd.concat(pieces, ignore_index=True) if pieces else frame_of(TERMS, {field.name: [] for field in TERMS})


def _name_words(corpus: Corpus) -> set[str]:
    """Words of the authorities' names: they set an authority's band apart, and say nothing of its services."""
    return {
        word for name in corpus.reports["authority"].unique() for word in _WORD.findall(str(name).lower())
    } - _TELLING


def _compared(own: _Sums, rest: _Sums) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds ratio of every term with the informative prior (equation 15), and its z (equation 22)."""
    together = own.count + rest.count
    whole = max(together.sum(), 1.0)
    units = max(own.units + rest.units, 1)
    prior = np.maximum(together, 1e-9) / whole * PRIOR_REPORTS * whole / units
    log_odds = _log_odds(own, prior) - _log_odds(rest, prior)
    return log_odds, log_odds / np.sqrt(own.variance(prior) + rest.variance(prior))


def _log_odds(side: _Sums, prior: np.ndarray) -> np.ndarray:
    smoothed = side.count + prior
    return np.asarray(np.log(smoothed / np.maximum(side.size + prior.sum() - smoothed, 1e-9)))


def _counted(
    connection: Connection, corpus: Corpus, members: Sequence[np.ndarray], chosen: np.ndarray
) -> tuple[list[str], list[_Sums], list[_Sums]]:
    """Terms, and for each group their sums inside it and in the rest of the chosen paragraphs.

    The vocabulary comes from at most some hundred reports drawn at random, so that memory stays bounded; where those
    are all, texts are read once.
    """
    report_of = corpus.paragraphs["report"].to_numpy()
    reports = np.unique(report_of[chosen])
    kept = np.zeros(len(report_of), dtype=bool)
    kept[chosen] = True
    few = len(reports) <= _SAMPLED_REPORTS
    sampled = reports if few else np.sort(np.random.default_rng(SEED).choice(reports, _SAMPLED_REPORTS, replace=False))
    vectorizer = CountVectorizer(analyzer=terms_of, dtype=np.float64)
    positions, texts = _texts(connection, corpus, sampled, kept)
    if not any(terms_of(text) for text in texts):
        return [], [_Sums.none(0) for _ in members], [_Sums.none(0) for _ in members]
    first = vectorizer.fit_transform(texts)
    columns = _frequent(first, report_of[positions])
    terms = vectorizer.get_feature_names_out()[columns].tolist()
    inside, outside = ([_Sums.none(len(terms)) for _ in members] for _ in range(2))
    for block, counts in [(positions, first[:, columns])] if few else _blocks(connection, corpus, reports, kept, terms):
        _add(counts, report_of[block], block, members, inside, outside)
    return terms, inside, outside


def _texts(
    connection: Connection, corpus: Corpus, reports: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Positions and texts of the kept paragraphs of these reports."""
    positions: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
    texts: list[str] = []
    for block, rows in paragraph_rows(connection, corpus, [schema.paragraphs.c.text], reports):
        here = kept[block]
        positions.append(block[here])
        texts.extend(row[0] for row, wanted in zip(rows, here, strict=True) if wanted)
    return np.concatenate(positions), texts


def _frequent(counts: sparse.csr_matrix, report: np.ndarray) -> np.ndarray:
    """Columns of the terms that most reports use: at least two, at most :data:`VOCABULARY` terms."""
    by_report = _summed_by(counts, report)
    used_by = np.bincount(by_report.indices, minlength=counts.shape[1])
    columns = np.flatnonzero(used_by >= min(2, by_report.shape[0]))
    return np.sort(columns[np.argsort(-used_by[columns], kind="stable")][:VOCABULARY])


def _blocks(
    connection: Connection, corpus: Corpus, reports: np.ndarray, kept: np.ndarray, terms: list[str]
) -> Iterator[tuple[np.ndarray, sparse.csr_matrix]]:
    vectorizer = CountVectorizer(analyzer=terms_of, vocabulary=terms, dtype=np.float64)
    for start in range(0, len(reports), _SAMPLED_REPORTS):
        positions, texts = _texts(connection, corpus, reports[start : start + _SAMPLED_REPORTS], kept)
        yield positions, vectorizer.transform(texts)


def _add(
    counts: sparse.csr_matrix,
    report: np.ndarray,
    positions: np.ndarray,
    members: Sequence[np.ndarray],
    inside: list[_Sums],
    outside: list[_Sums],
) -> None:
    for own, inner, outer in zip(members, inside, outside, strict=True):
        mine = np.isin(positions, own, assume_unique=True)
        for side, rows in ((inner, mine), (outer, ~mine)):
            if rows.any():
                side.add(_summed_by(counts[rows], report[rows]))


def _summed_by(counts: sparse.csr_matrix, report: np.ndarray) -> sparse.csr_matrix:
    """Rows added up by report."""
    numbers, present = pd.factorize(report)
    indicator = sparse.csr_matrix(
        (np.ones(len(report)), (numbers, np.arange(len(report)))), shape=(len(present), len(report))
    )
    return sparse.csr_matrix(indicator @ counts)
