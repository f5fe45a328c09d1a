"""How well tags agree with labels: F1, precision, recall, calibration and valence, with intervals over authorities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

THEME_COLUMNS = (
    "theme",
    "labelled",
    "tagged",
    "right",
    "of",
    "precision",
    "recall",
    "f1",
    "f1_low",
    "f1_high",
    "threshold",
    "calibration_error",
    "valence_right",
    "valence_of",
    "valence_accuracy",
)
"""Columns of :attr:`Scores.themes`.

``labelled``, ``tagged`` and ``right`` are paragraphs (of ``of``) that the labels, the model and both give the theme;
``calibration_error`` is the expected calibration error over ten equal-width bins (Naeini et al. 2015);
``valence_accuracy`` is over the themes rightly found.
"""

OVERALL_COLUMNS = ("measure", "value", "low", "high", "paragraphs", "authorities")
RELIABILITY_COLUMNS = ("theme", "bin", "paragraphs", "mean_probability", "labelled_share")

_BINS = 10
_DRAWS = 1000


@dataclass(frozen=True)
class Predictions:
    """Labels and a model's answers for the same paragraphs. n paragraphs, k themes.

    Attributes
    ----------
    labels, tagged : bool [n, k]
    probabilities : float [n, k]
    label_valences, valences : int8 [n, k]
        Positions in :data:`pipeline.domain.VALENCES`; -1 where there is none.
    authorities : str [n]
        The unit that intervals resample.
    thresholds : float [k] or None
    """

    codes: tuple[str, ...]
    labels: np.ndarray[Any, Any]
    tagged: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any]
    label_valences: np.ndarray[Any, Any]
    valences: np.ndarray[Any, Any]
    authorities: np.ndarray[Any, Any]
    thresholds: np.ndarray[Any, Any] | None = None


@dataclass(frozen=True)
class Scores:
    """Tables with :data:`OVERALL_COLUMNS`, :data:`THEME_COLUMNS` and :data:`RELIABILITY_COLUMNS`.

    Intervals are 95 % percentile intervals of a bootstrap over authorities.
    """

    overall: pd.DataFrame
    themes: pd.DataFrame
    reliability: pd.DataFrame

    def value(self, measure: str) -> float:
        """One overall measure, e.g. ``macro_f1``."""
        return float(self.overall.loc[self.overall["measure"] == measure, "value"].iloc[0])


def f1_of(right: np.ndarray[Any, Any], labelled: np.ndarray[Any, Any], tagged: np.ndarray[Any, Any]) -> Any:
    """F1 from counts; 0 where there is neither label nor tag."""
    import numpy as np

    both = labelled + tagged
    return np.divide(2 * right, both, out=np.zeros(np.shape(both), float), where=both > 0)


def score(given: Predictions, seed: int = 0) -> Scores:
    """Score a model's answers. Themes without a labelled paragraph are listed, and left out of the macro average."""
    import numpy as np
    import pandas as pd

    counts = _Counts.of(given)
    draws = _resampled(counts, seed)
    right, labelled, tagged = counts.right.sum(0), counts.labelled.sum(0), counts.tagged.sum(0)
    valence_right, valence_of = counts.valence_right.sum(0), right
    f1 = f1_of(right, labelled, tagged)
    low, high = np.percentile(draws.f1, [2.5, 97.5], axis=0)
    reliability, errors = _reliability(given)
    with np.errstate(invalid="ignore", divide="ignore"):
        themes = pd.DataFrame(
            {
                "theme": given.codes,
                "labelled": labelled,
                "tagged": tagged,
                "right": right,
                "of": len(given.labels),
                "precision": right / tagged,
                "recall": right / labelled,
                "f1": np.where(labelled > 0, f1, np.nan),
                "f1_low": low,
                "f1_high": high,
                "threshold": given.thresholds if given.thresholds is not None else np.nan,
                "calibration_error": errors,
                "valence_right": valence_right,
                "valence_of": valence_of,
                "valence_accuracy": valence_right / valence_of,
            },
            columns=list(THEME_COLUMNS),
        )
    seen = labelled > 0
    values = {
        "macro_f1": (f1[seen].mean() if seen.any() else np.nan, draws.macro),
        "micro_f1": (f1_of(right.sum(), labelled.sum(), tagged.sum()), draws.micro),
        "lowest_f1": (f1[seen].min() if seen.any() else np.nan, None),
        "valence_accuracy": (valence_right.sum() / max(valence_of.sum(), 1), draws.valence),
        "calibration_error": (np.nanmean(errors), None),
    }
    rows = [
        (name, float(value), *_interval(drawn), len(given.labels), len(counts.names))
        for name, (value, drawn) in values.items()
    ]
    return Scores(pd.DataFrame(rows, columns=list(OVERALL_COLUMNS)), themes, reliability)


@dataclass(frozen=True)
class Difference:
    """By how much one model's macro F1 is above another's on the same paragraphs, with its 95 % interval."""

    value: float
    low: float
    high: float
    themes: int
    paragraphs: int
    authorities: int


def difference(new: Predictions, old: Predictions, seed: int = 0) -> Difference:
    """Paired difference of macro F1, its interval from a bootstrap over authorities drawn for both alike.

    Both must have the same paragraphs in the same order, and the same codes.
    """
    import numpy as np

    if new.codes != old.codes or len(new.labels) != len(old.labels):
        raise ValueError("two models can only be compared on the same paragraphs and themes")
    first, second = _Counts.of(new), _Counts.of(old)
    drawn = _resampled(first, seed).macro - _resampled(second, seed).macro
    seen = new.labels.any(axis=0)
    values = [f1_of(c.right.sum(0), c.labelled.sum(0), c.tagged.sum(0))[seen].mean() for c in (first, second)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Difference(
        float(values[0] - values[1]), float(low), float(high), int(seen.sum()), len(new.labels), len(first.names)
    )


@dataclass(frozen=True)
class _Counts:
    """Paragraphs an authority and theme: [authorities, themes]."""

    names: np.ndarray[Any, Any]
    right: np.ndarray[Any, Any]
    labelled: np.ndarray[Any, Any]
    tagged: np.ndarray[Any, Any]
    valence_right: np.ndarray[Any, Any]

    @staticmethod
    def of(given: Predictions) -> _Counts:
        import numpy as np

        names, which = np.unique(given.authorities, return_inverse=True)
        member = np.zeros((len(names), len(which)))
        member[which, np.arange(len(which))] = 1
        both = given.labels & given.tagged
        same = both & (given.valences == given.label_valences)
        return _Counts(names, member @ both, member @ given.labels, member @ given.tagged, member @ same)


@dataclass(frozen=True)
class _Draws:
    f1: np.ndarray[Any, Any]
    macro: np.ndarray[Any, Any]
    micro: np.ndarray[Any, Any]
    valence: np.ndarray[Any, Any]


def _resampled(counts: _Counts, seed: int) -> _Draws:
    import numpy as np

    size = len(counts.names)
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=_DRAWS)
    right, labelled, tagged, same = (
        weights @ part for part in (counts.right, counts.labelled, counts.tagged, counts.valence_right)
    )
    f1 = f1_of(right, labelled, tagged)
    seen = counts.labelled.sum(0) > 0
    return _Draws(
        f1=f1,
        macro=f1[:, seen].mean(axis=1),
        micro=f1_of(right.sum(1), labelled.sum(1), tagged.sum(1)),
        valence=same.sum(1) / np.maximum(right.sum(1), 1),
    )


def _interval(drawn: np.ndarray[Any, Any] | None) -> tuple[float, float]:
    import numpy as np

    if drawn is None:
        return float("nan"), float("nan")
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _reliability(given: Predictions) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    import numpy as np
    import pandas as pd

    rows: list[tuple[str, int, int, float, float]] = []
    errors = np.zeros(len(given.codes))
    for column, code in enumerate(given.codes):
        p, y = given.probabilities[:, column], given.labels[:, column]
        bins = np.minimum((p * _BINS).astype(int), _BINS - 1)
        for number in np.unique(bins):
            here = bins == number
            mean, share = float(p[here].mean()), float(y[here].mean())
            rows.append((code, int(number), int(here.sum()), mean, share))
            errors[column] += here.mean() * abs(mean - share)
    return pd.DataFrame(rows, columns=list(RELIABILITY_COLUMNS)), errors
