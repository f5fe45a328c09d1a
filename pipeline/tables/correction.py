"""Prevalence corrected for the classifier's errors: prediction-powered inference on the randomly drawn labels.

The raw share counts what the classifier found; where it overlooks or invents, the raw share is off however many
reports are read. Randomly drawn labels measure by how much, and the correction moves the share by that much, with an
interval that covers both the labels' chance and the reports' (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023,
"Prediction-powered inference", Science 382; the weight is that of Angelopoulos, Duchi and Zrnic 2023, "PPI++").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import t as student

from pipeline.domain import RANDOM_DRAWS, VALENCES, Valence
from pipeline.errors import PipelineError
from pipeline.tables.columns import CORRECTED, LABELS, SectionInfo, ThemeInfo, frame_of
from pipeline.tables.corpus import Corpus
from pipeline.tables.counts import Items, carriers
from pipeline.tables.grouping import Grouping, grouping
from pipeline.tables.intervals import CONFIDENCE, percent

ERA_ENDS = "2017"
"""``random by era`` drew half of its paragraphs from reports up to this year, half from later ones."""

_VALENCES = {"paragraphs": None, "strengths": Valence.STRENGTH, "weaknesses": Valence.WEAKNESS}

MINIMUM_LABELLED_AUTHORITIES = 20
MINIMUM_CARRYING = 5
"""With fewer, intervals cover less than they say, as simulation showed: no corrected share is given."""

_LEVELS = 4  # strata of a band: era by length


@dataclass(frozen=True)
class Estimate:
    """Corrected shares, as proportions. Every array has the shape (items,)."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray


def prediction_powered_shares(
    labelled: np.ndarray,
    predicted: np.ndarray,
    weight: np.ndarray,
    cluster: np.ndarray,
    predicted_sums: np.ndarray,
    sizes: np.ndarray,
    confidence: float = CONFIDENCE,
    predicted_weight: np.ndarray | None = None,
) -> Estimate:
    """The prediction-powered mean with a tuned weight, its interval by the delete-one-cluster jackknife.

    ``share = mean(labelled) + L * (mean of the many predictions - mean(predicted))``. ``L`` between 0 (the classifier
    helps nothing: labels alone) and 1 is the PPI++ weight: it makes the variance over clusters least. The jackknife
    tunes it anew without each cluster, so that the tuning's own luck is in the interval, which is symmetric on the
    logit scale.

    Parameters
    ----------
    labelled, predicted : ndarray of bool or float, shape (labels, items)
        What the reader said, and what a classifier that had not seen the paragraph said.
    weight : ndarray, shape (labels,)
        Paragraphs that each label stands for.
    cluster : ndarray of int, shape (labels,)
        The report of each label, 0 to ``len(sizes) - 1``.
    predicted_sums : ndarray, shape (clusters, items)
        The classifier's count over all paragraphs of each report.
    sizes : ndarray, shape (clusters,)
        Number of those paragraphs.
    predicted_weight : ndarray, shape (labels,), optional
        Where only some of the labels have a prediction: paragraphs that each of these stands for, 0 for the others.
        All labels then give the first term, these alone the last.

    Returns
    -------
    Estimate
        The interval is NaN where the share is 0 or 1, or fewer than two clusters have labels.
    """
    clusters, items = predicted_sums.shape

    def summed(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        by_cluster = np.zeros((clusters, values.shape[1]))
        np.add.at(by_cluster, cluster, values * weights[:, None])
        return by_cluster

    testing = weight if predicted_weight is None else predicted_weight
    mass, mass_foretold = (
        np.bincount(cluster, weights=weights, minlength=clusters)[:, None] for weights in (weight, testing)
    )
    read, foretold = summed(labelled.astype(float), weight), summed(predicted.astype(float), testing)
    many, size = predicted_sums.astype(float), sizes.astype(float)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_read, mean_foretold, mean_many = (
            total / whole
            for total, whole in (
                (read.sum(0), mass.sum()),
                (foretold.sum(0), mass_foretold.sum()),
                (many.sum(0), size.sum()),
            )
        )
        # Each cluster's part in the two terms: the variance of a share is the sum of (b + L a) squared.
        a = (many - size * mean_many) / size.sum() - (foretold - mass_foretold * mean_foretold) / mass_foretold.sum()
        b = (read - mass * mean_read) / mass.sum()
        aa, ab = a**2, a * b
        tuned = _weight(aa.sum(0), ab.sum(0))
        share = mean_read + tuned * (mean_many - mean_foretold)
        tuned_without = _weight(aa.sum(0) - aa, ab.sum(0) - ab)
        without = (read.sum(0) - read) / (mass.sum() - mass) + tuned_without * (
            (many.sum(0) - many) / (size.sum() - size)
            - (foretold.sum(0) - foretold) / (mass_foretold.sum() - mass_foretold)
        )
        error = np.sqrt((clusters - 1) / clusters * ((without - without.mean(0)) ** 2).sum(0))
    low, high = _logit_interval(share, error, int((mass > 0).sum()) - 1, confidence)
    return Estimate(share, low, high, tuned if tuned.shape == (items,) else np.full(items, np.nan))


def _weight(aa: np.ndarray, ab: np.ndarray) -> np.ndarray:
    return np.clip(np.where(aa > 1e-300, -ab / np.where(aa > 1e-300, aa, 1), 0.0), 0, 1)


def _logit_interval(
    share: np.ndarray, error: np.ndarray, freedom: int, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    told = (share > 0) & (share < 1) & (error > 0) & (freedom > 0)
    low, high = np.full((2, *share.shape), np.nan)
    if told.any():
        centre = logit(share[told])
        half = student.ppf(0.5 + confidence / 2, freedom) * error[told] / (share[told] * (1 - share[told]))
        low[told], high[told] = expit(centre - half), expit(centre + half)
    return low, high


def corrected(
    corpus: Corpus,
    labels: pd.DataFrame,
    predictions: pd.DataFrame,
    by: str = "overall_effectiveness",
    *,
    themes: Sequence[ThemeInfo],
    sections: Sequence[SectionInfo] | None = None,
    latest: bool = False,
    measure: str = "paragraphs",
) -> pd.DataFrame:
    """The share of substantive paragraphs that carry each theme, corrected, beside the raw share.

    Only the share of paragraphs can be corrected so: labels are single paragraphs, and whether a whole report carries a
    theme was never labelled.

    Parameters
    ----------
    labels : DataFrame
        Columns :data:`pipeline.tables.columns.LABELS`: a row a labelled paragraph and theme, one row with an empty
        ``theme`` for a labelled paragraph that carries none; one reading a paragraph. All labels, not only the random
        ones: see ``predictions``. Labels of paragraphs that the corpus does not have are left out.
    predictions : DataFrame
        ``paragraph_id, theme, valence`` in the same manner: what the classifier says of each labelled paragraph
        *without having learned from its authority* (the folds of cross-validation). They take the place of the stored
        tags of those paragraphs, which the classifier has learned by heart (cross-prediction: Zrnic and Candès 2024,
        PNAS 121). A labelled paragraph without a row here keeps its stored tags. The column ``comparable`` (bool; all
        are, where it is missing) says whether that very kind of classifier gave the stored tags: only then do they tell
        how often those are wrong.
    measure : str
        ``paragraphs`` that carry the theme, or that put it as ``strengths`` or ``weaknesses``.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.CORRECTED`. Corrected values are missing where fewer than
        :data:`MINIMUM_LABELLED_AUTHORITIES` authorities have labels or fewer than :data:`MINIMUM_CARRYING` labelled
        paragraphs
        carry the theme.

    Raises
    ------
    PipelineError
        A frame lacks a column.
    """
    for name, frame, wanted in (("labels", labels, LABELS), ("predictions", predictions, LABELS[:3])):
        missing = [field.name for field in wanted if field.name not in frame.columns]
        if missing:
            raise PipelineError(
                f"The table of {name} lacks the column {missing[0]!r}; write it again with `pipeline train`."
            )
    items = Items.of(themes, sections)
    groups = grouping(corpus, by, latest)
    valence = _VALENCES[measure]
    sample = _Sample.of(corpus, labels, predictions, items, valence)
    return _frame(groups, items, measure, _Tallies.of(corpus, groups, items, sample, valence))


@dataclass(frozen=True)
class _Sample:
    """Labelled paragraphs that the store has, with what was read and foretold, and everybody's predictions.

    ``position`` (labels,), ``read`` and ``foretold`` (labels, items) hold all labels; ``random`` says which of them
    were drawn at random, ``predicted`` which have a prediction, ``tested`` which have a comparable one.
    """

    position: np.ndarray
    read: np.ndarray
    foretold: np.ndarray
    random: np.ndarray
    predicted: np.ndarray
    tested: np.ndarray

    @classmethod
    def of(
        cls, corpus: Corpus, labels: pd.DataFrame, predictions: pd.DataFrame, items: Items, valence: Valence | None
    ) -> _Sample:
        drawn = labels.drop_duplicates("paragraph_id").set_index("paragraph_id")["drawn"]
        position = corpus.positions(drawn.index.tolist())
        drawn, position = drawn[position >= 0], position[position >= 0]
        row_of = pd.Series(np.arange(len(drawn)), index=drawn.index)
        return cls(
            position,
            _matrix(labels, row_of, items, valence),
            _matrix(predictions, row_of, items, valence),
            drawn.isin(RANDOM_DRAWS).to_numpy(dtype=bool),
            drawn.index.isin(predictions["paragraph_id"]),
            drawn.index.isin(
                predictions.loc[predictions["comparable"], "paragraph_id"]
                if "comparable" in predictions
                else predictions["paragraph_id"]
            ),
        )


def _matrix(frame: pd.DataFrame, row_of: pd.Series, items: Items, valence: Valence | None) -> np.ndarray:
    """0/1 of shape (labels, items) from a long frame of paragraphs and themes: carried, or put so throughout."""
    matrix = np.zeros((len(row_of), len(items.codes)), dtype=bool)
    rows = frame["paragraph_id"].map(row_of)
    for place, union in enumerate(items.themes):
        own = frame["theme"].isin(union) & rows.notna()
        carrying = rows[own].to_numpy(dtype=np.int64)
        matrix[carrying, place] = True
        if valence is not None:
            matrix[carrying[(frame.loc[own, "valence"] != valence.value).to_numpy(dtype=bool)], place] = False
    return matrix


@dataclass(frozen=True)
class _Tallies:
    """What is known of each cell: ``raw`` and ``sums`` of shape (cells, items), ``sizes`` (cells,), and its labels.

    ``raw`` counts the stored tags; ``sums`` counts, for the labelled paragraphs, what was foretold without having
    learned from them. ``authority`` (cells,) numbers authorities. ``cell``, ``weight``, ``testing`` (labels,) and
    ``read``, ``foretold`` (labels, items) are the random labels; ``testing`` is the weight of those with a comparable
    prediction, 0 for the others.
    """

    raw: np.ndarray
    sums: np.ndarray
    sizes: np.ndarray
    authority: np.ndarray
    cell: np.ndarray
    weight: np.ndarray
    testing: np.ndarray
    read: np.ndarray
    foretold: np.ndarray

    @classmethod
    def of(cls, corpus: Corpus, groups: Grouping, items: Items, sample: _Sample, valence: Valence | None) -> _Tallies:
        cell, cells = groups.paragraph_cell, groups.cells
        replaced = np.zeros(len(cell), dtype=bool)
        replaced[sample.position[sample.predicted]] = True
        raw, sums = np.zeros((2, cells, len(items.codes)), dtype=np.int64)
        label_cell = cell[sample.position]
        for place, (carrying, signs) in enumerate(carriers(corpus, items)):
            if valence is not None:
                carrying = carrying[signs == VALENCES.index(valence.value)]
            inside = cell[carrying] >= 0
            raw[:, place] = np.bincount(cell[carrying[inside]], minlength=cells)
            unseen = carrying[inside & ~replaced[carrying]]
            foretold = label_cell[sample.foretold[:, place] & sample.predicted & (label_cell >= 0)]
            sums[:, place] = np.bincount(cell[unseen], minlength=cells) + np.bincount(foretold, minlength=cells)
        random = np.flatnonzero(sample.random & (label_cell >= 0))
        return cls(
            raw,
            sums,
            np.bincount(cell[cell >= 0], minlength=cells),
            corpus.reports["authority_key"].to_numpy()[groups.cell_report],
            label_cell[random],
            _weights(corpus, groups, sample.position[random]),
            _weights(corpus, groups, sample.position[random], sample.tested[random]),
            sample.read[random],
            sample.foretold[random],
        )

    def band(self, cells: slice) -> dict[str, np.ndarray]:
        """The counted and estimated columns of one band."""
        here = (self.cell >= cells.start) & (self.cell < cells.stop)
        read, foretold, tested = self.read[here], self.foretold[here], self.testing[here] > 0
        items = read.shape[1]
        # An authority's reports are alike, and where the classifier was tested on some authorities only, these are what
        # was drawn: the authority is the cluster.
        keys, authority = np.unique(self.authority[cells], return_inverse=True)
        cluster = authority[self.cell[here] - cells.start]
        carrying = read.sum(axis=0)
        labelled_authorities = len(np.unique(cluster))
        told = (carrying >= MINIMUM_CARRYING) & (labelled_authorities >= MINIMUM_LABELLED_AUTHORITIES)
        # Tested on too few authorities, the classifier counts for nothing, and the labels alone speak.
        counts = len(np.unique(cluster[tested])) >= MINIMUM_LABELLED_AUTHORITIES
        values = np.full((4, items), np.nan)
        if told.any():
            sums = np.zeros((len(keys), items))
            np.add.at(sums, authority, self.sums[cells])
            estimate = prediction_powered_shares(
                read[:, told],
                foretold[:, told] & counts,
                self.weight[here],
                cluster,
                sums[:, told] * counts,
                np.bincount(authority, weights=self.sizes[cells], minlength=len(keys)),
                predicted_weight=self.testing[here] if counts else None,
            )
            values[:, told] = 100 * estimate.share, 100 * estimate.low, 100 * estimate.high, estimate.weight
        paragraphs, of_paragraphs = self.raw[cells].sum(axis=0), np.full(items, self.sizes[cells].sum())
        return {
            "paragraphs": paragraphs,
            "of_paragraphs": of_paragraphs,
            "paragraphs_percent": percent(paragraphs, of_paragraphs),
            "corrected_percent": values[0],
            "corrected_low": values[1],
            "corrected_high": values[2],
            "labels": np.full(items, len(cluster)),
            "labelled_reports": np.full(items, len(np.unique(self.cell[here]))),
            "labelled_authorities": np.full(items, labelled_authorities),
            "labels_carrying": carrying,
            "tested": np.full(items, tested.sum()),
            "tested_carrying": read[tested].sum(axis=0),
            "found_of_them": (read & foretold)[tested].sum(axis=0),
            "found_wrongly": (~read & foretold)[tested].sum(axis=0),
            "classifier_weight": values[3],
        }


def _frame(groups: Grouping, items: Items, measure: str, tallies: _Tallies) -> pd.DataFrame:
    starts = np.searchsorted(groups.cell_group, np.arange(len(groups.names) + 1)).tolist()
    columns: dict[str, list[object]] = {field.name: [] for field in CORRECTED}
    for name, (start, stop) in zip(groups.names, itertools.pairwise(starts), strict=True):
        words = {
            "by": [groups.by] * len(items.codes),
            "band": [name] * len(items.codes),
            "measure": [measure] * len(items.codes),
        }
        for column, values in {
            **words,
            "theme": items.codes,
            "name": items.names,
            **tallies.band(slice(start, stop)),
        }.items():
            columns[column].extend(values)
    return frame_of(CORRECTED, columns)


def _weights(corpus: Corpus, groups: Grouping, positions: np.ndarray, wanted: np.ndarray | None = None) -> np.ndarray:
    """Paragraphs that each random label stands for: those of its band, era and length for each label of these.

    Half of the labels were drawn by era, so the eras must be weighted. Lengths are weighted too (post-stratification:
    shorter than the median paragraph of its era, or not), because a label whose paragraph another reader had cut
    otherwise may not be found again, and short paragraphs, which carry fewer themes, are cut otherwise more often.
    Where a band has a stratum of paragraphs without a label, its lengths, else its eras too, are taken together.

    Parameters
    ----------
    wanted : ndarray of bool, shape (labels,), optional
        Only these labels count; the others get the weight 0.
    """
    counted = np.ones(len(positions), dtype=bool) if wanted is None else wanted
    late = (corpus.reports["year"] > ERA_ENDS).to_numpy(dtype=bool)[corpus.paragraphs["report"].to_numpy()]
    words = corpus.paragraphs["words"].to_numpy()
    inside = groups.paragraph_cell >= 0
    long = np.zeros(len(words), dtype=bool)
    for era in (late, ~late):
        if (era & inside).any():
            long[era] = words[era] >= np.median(words[era & inside])
    band = groups.cell_group[groups.paragraph_cell]
    width = _LEVELS * len(groups.names)
    weights = np.zeros(len(positions))
    for stratum in (_LEVELS * band, _LEVELS * band + 2 * late, _LEVELS * band + 2 * late + long):
        paragraphs = np.bincount(stratum[inside], minlength=width)
        labels = np.bincount(stratum[positions[counted]], minlength=width)
        empty = ((paragraphs > 0) & (labels == 0)).reshape(-1, _LEVELS).any(axis=1)
        fine = counted & ~empty[band[positions]]
        # From coarse to fine: the finest division in which every stratum of the band has labels stays.
        weights[fine] = paragraphs[stratum[positions[fine]]] / labels[stratum[positions[fine]]]
    return weights
