"""How far annotators agree, theme by theme: Cohen's kappa and Krippendorff's alpha, with intervals.

Both are written out so that a thousand redrawn sets of paragraphs can be counted at once; the tests hold them against
scikit-learn, the krippendorff package and the textbooks' own examples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES
from pipeline.errors import UsageError
from pipeline.themes.labels import SETTLED_BY
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

DRAWS = 1000
SEED = 2014
CONFIDENCE = 0.95

ALL = "all"
"""The row in which the decisions about every theme are pooled."""

COLUMNS = {
    "theme": "Code; `all`: the decisions about every theme pooled",
    "name": "Name of the theme",
    "paragraphs": "Paragraphs that at least two of the annotators have read",
    "all_give": "Of these, given the theme by all their readers",
    "some_give": "Of these, given the theme by some of their readers: in dispute",
    "kappa": "Cohen's kappa of giving the theme; with more than two annotators the mean over pairs (Light 1971)",
    "kappa_low": "Lower end of its 95 % interval (paragraphs redrawn)",
    "kappa_high": "Upper end of its 95 % interval",
    "alpha": "Krippendorff's alpha of giving the theme, nominal, all annotators at once",
    "alpha_low": "Lower end of its 95 % interval (paragraphs redrawn)",
    "alpha_high": "Upper end of its 95 % interval",
    "valence_paragraphs": "Paragraphs that at least two annotators give the theme",
    "valence_alpha": "Krippendorff's alpha of their valences, nominal",
    "valence_alpha_low": "Lower end of its 95 % interval (paragraphs redrawn)",
    "valence_alpha_high": "Upper end of its 95 % interval",
}
"""Columns of :func:`agreement`; a measure is missing where all readers say the same one thing, or nobody does."""

_BLOCK_CELLS = 4_000_000  # of redrawn weights held at once


@dataclass(frozen=True)
class Readings:
    """Latest readings of paragraphs that at least two annotators have read.

    Attributes
    ----------
    given : int8 [annotators, paragraphs, themes]
        1 the theme is given, 0 it is not, -1 the annotator has not read the paragraph.
    valences : int8 [annotators, paragraphs, themes]
        Position of the valence among ``+ - 0``, -1 where the theme is not given.
    """

    annotators: tuple[str, ...]
    fingerprints: tuple[str, ...]
    codes: tuple[str, ...]
    given: Array
    valences: Array


def latest_readings(labels: pd.DataFrame) -> pd.DataFrame:
    """Each annotator's latest reading of each paragraph, whole: by date, then by place in the file."""
    reading = ["fingerprint", "annotator", "date", "batch"]
    heads = labels[reading].drop_duplicates().reset_index(names="_row").sort_values(["date", "_row"], kind="stable")
    last = heads.drop_duplicates(["fingerprint", "annotator"], keep="last")[reading]
    return labels.reset_index(names="_row").merge(last, on=reading).sort_values("_row").drop(columns="_row")


def is_settled(labels: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are settlements."""
    return labels["annotator"].str.startswith(SETTLED_BY)


def readings_of(labels: pd.DataFrame, taxonomy: Taxonomy, between: Sequence[str] = ()) -> Readings:
    """Readings of two or more annotators, settlements left out.

    Parameters
    ----------
    between : sequence of str
        Only these annotators.

    Raises
    ------
    UsageError
        An annotator who has labelled nothing, or no paragraph that two have read.
    """
    import numpy as np

    own = labels[~is_settled(labels)]
    known = list(dict.fromkeys(own["annotator"]))
    for name in between:
        if name not in known:
            raise UsageError(f"Nobody called '{name}' has labelled anything; there is {', '.join(known) or 'nobody'}.")
    if between:
        own = own[own["annotator"].isin(between)]
    own = latest_readings(own)
    readers = own.groupby("fingerprint")["annotator"].nunique()
    shared = sorted(readers[readers > 1].index)
    if not shared:
        raise UsageError(
            "No paragraph has been read by two annotators; draw some for a second reading: pipeline label export "
            "--second-reading-of NAME --annotator NAME."
        )
    own = own[own["fingerprint"].isin(shared)]
    annotators = tuple(name for name in known if name in set(own["annotator"]))
    codes = taxonomy.codes
    rows = {key: i for i, key in enumerate(shared)}
    given = np.full((len(annotators), len(shared), len(codes)), -1, np.int8)
    valences = np.full(given.shape, -1, np.int8)
    for key, annotator in own[["fingerprint", "annotator"]].drop_duplicates().itertuples(index=False, name=None):
        given[annotators.index(annotator), rows[key]] = 0
    columns = ["fingerprint", "annotator", "theme", "valence"]
    for key, annotator, theme, valence in own[columns].itertuples(index=False, name=None):
        if theme in codes:
            place = (annotators.index(annotator), rows[key], codes.index(theme))
            given[place], valences[place] = 1, VALENCES.index(valence)
    return Readings(annotators, tuple(shared), codes, given, valences)


def agreement(readings: Readings, taxonomy: Taxonomy, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """Agreement on each theme and on all pooled: :data:`COLUMNS`.

    Intervals are percentiles over ``draws`` sets of as many paragraphs redrawn with replacement; 0: none.
    """
    import numpy as np
    import pandas as pd

    counts = np.stack([(readings.given == value).sum(axis=0) for value in (0, 1)], axis=-1)
    signs = np.stack([(readings.valences == value).sum(axis=0) for value in range(len(VALENCES))], axis=-1)
    kappa_cells = _with_pooled(_pair_cells(readings.given))
    alpha_cells = _with_pooled(_alpha_cells(counts))
    sign_cells = _with_pooled(_alpha_cells(signs))
    rng = np.random.default_rng(seed)
    measured = {
        "kappa": _measured(kappa_cells, lambda sums: light(kappa(sums)), draws, rng),
        "alpha": _measured(alpha_cells, alpha, draws, rng),
        "valence_alpha": _measured(sign_cells, alpha, draws, rng),
    }
    read = counts.sum(axis=-1)
    all_give = (counts[..., 1] == read).sum(axis=0)
    some_give = ((counts[..., 1] > 0) & (counts[..., 0] > 0)).sum(axis=0)
    twice = (signs.sum(axis=-1) > 1).sum(axis=0)
    frame = pd.DataFrame(
        {
            "theme": [*readings.codes, ALL],
            "name": [*(taxonomy.theme(code).name for code in readings.codes), "All themes"],
            "paragraphs": len(readings.fingerprints),
            "all_give": [*all_give, all_give.sum()],
            "some_give": [*some_give, some_give.sum()],
            "valence_paragraphs": [*twice, twice.sum()],
            **{
                f"{name}{end}": values
                for name, three in measured.items()
                for end, values in zip(("", "_low", "_high"), three, strict=True)
            },
        }
    )
    return frame[list(COLUMNS)]


def kappa(cells: Array) -> Array:
    """Cohen's kappa (Cohen 1960) of two-by-two tables.

    Parameters
    ----------
    cells : ndarray of shape (..., 4)
        Numbers of paragraphs: both give it, only the first, only the second, neither.

    Returns
    -------
    ndarray of shape (...)
        NaN where chance alone would agree on everything, or nothing was read.
    """
    import numpy as np

    both, first, second, neither = np.moveaxis(cells.astype(float), -1, 0)
    total = both + first + second + neither
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (both + neither) / total
        chance = ((both + first) * (both + second) + (second + neither) * (first + neither)) / total**2
        found: Array = np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)
    return found


def light(kappas: Array) -> Array:
    """The mean over pairs of annotators, the last axis (Light 1971); pairs without a kappa are left out."""
    import numpy as np

    known = np.isfinite(kappas)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(known, kappas, 0).sum(axis=-1) / known.sum(axis=-1)
    return found


def alpha(cells: Array) -> Array:
    """Krippendorff's alpha for nominal data (Krippendorff 2018, "Content Analysis", chapter 12).

    Parameters
    ----------
    cells : ndarray of shape (..., 1 + categories)
        Sums over units of the disagreement within a unit and of the values in each category, as
        :func:`_alpha_cells` gives them for a unit.

    Returns
    -------
    ndarray of shape (...)
        NaN where only one category occurs.
    """
    import numpy as np

    within, values = cells[..., 0].astype(float), cells[..., 1:].astype(float)
    total = values.sum(axis=-1)
    between = total**2 - (values**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(between > 0, 1 - (total - 1) * within / between, np.nan)
    return found


def _alpha_cells(counts: Array) -> Array:
    """What each unit adds to alpha's sums: shape (units, themes, 1 + categories); nothing if it has fewer than two."""
    import numpy as np

    values = counts.sum(axis=-1)
    pairable = values > 1
    within = np.where(pairable, (values**2 - (counts**2).sum(axis=-1)) / np.maximum(values - 1, 1), 0)
    found: Array = np.concatenate([within[..., None], np.where(pairable[..., None], counts, 0)], axis=-1)
    return found


def _pair_cells(given: Array) -> Array:
    """Each paragraph's cell of each pair's two-by-two table: shape (paragraphs, themes, pairs, 4)."""
    import numpy as np

    cells = []
    for first, second in combinations(range(len(given)), 2):
        one, other = given[first], given[second]
        read = (one >= 0) & (other >= 0)
        yes, too = one == 1, other == 1
        cells.append(np.stack([read & yes & too, read & yes & ~too, read & ~yes & too, read & ~yes & ~too], axis=-1))
    found: Array = np.stack(cells, axis=-2).astype(float)
    return found


def _with_pooled(cells: Array) -> Array:
    """One more theme: the sum over the others."""
    import numpy as np

    found: Array = np.concatenate([cells, cells.sum(axis=1, keepdims=True)], axis=1)
    return found


def _measured(
    cells: Array, measure: Callable[[Array], Array], draws: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """A measure of sums over paragraphs, and its interval: three of shape (themes,)."""
    import numpy as np

    value = measure(cells.sum(axis=0))
    missing = np.full(value.shape, np.nan)
    if draws == 0:
        return value, missing, missing
    paragraphs = len(cells)
    flat = cells.reshape(paragraphs, -1)
    block = max(1, _BLOCK_CELLS // paragraphs)
    redrawn = []
    for start in range(0, draws, block):
        size = min(block, draws - start)
        weights = rng.multinomial(paragraphs, np.full(paragraphs, 1 / paragraphs), size=size)
        redrawn.append(measure((weights @ flat).reshape(size, *cells.shape[1:])))
    found = np.concatenate(redrawn)
    known = np.isfinite(found)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = missing.copy(), missing.copy()
    for theme in range(len(value)):
        if np.isfinite(value[theme]) and known[:, theme].mean() >= CONFIDENCE:
            low[theme], high[theme] = np.percentile(found[known[:, theme], theme], [tail, 100 - tail])
    return value, low, high
