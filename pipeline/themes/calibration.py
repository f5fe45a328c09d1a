"""From scores to probabilities and thresholds, a theme at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_EDGE = 1e-4  # probabilities nearer to 0 or 1 than this count as this: no model is ever that sure with reason


@dataclass(frozen=True)
class Calibration:
    """A sigmoid over a theme's score, and the probability from which on the theme is tagged.

    Attributes
    ----------
    slope, intercept : float
        ``probability = 1 / (1 + exp(-(slope * score + intercept)))`` (Platt 1999, "Probabilistic outputs for support
        vector machines").
    threshold : float
        See :func:`best_threshold`.
    """

    slope: float
    intercept: float
    threshold: float


def fit_calibration(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> Calibration:
    """Fit a theme's sigmoid and threshold.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores of paragraphs that the classifier was not trained on.
    labels : ndarray of shape (n,), bool
    """
    from sklearn.linear_model import LogisticRegression

    if labels.all() or not labels.any():
        return Calibration(1.0, 0.0, 0.5)
    sigmoid = LogisticRegression(C=1e4).fit(scores.reshape(-1, 1).astype(float), labels)
    slope, intercept = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    if slope <= 0:  # scores that say nothing, or the opposite: never a reason to turn the ranking round
        return Calibration(1.0, 0.0, 0.5)
    probabilities = sigmoid_of(scores, slope, intercept)
    return Calibration(slope, intercept, best_threshold(probabilities))


def sigmoid_of(scores: np.ndarray[Any, Any], slope: float, intercept: float) -> np.ndarray[Any, Any]:
    """Calibrated probabilities of ``scores``."""
    from scipy.special import expit

    probabilities: np.ndarray[Any, Any] = expit(slope * scores.astype(float) + intercept)
    return probabilities


def log_odds(probabilities: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Log-odds of probabilities, float64 of the same shape; those of 0 and 1 stay finite."""
    import numpy as np
    from scipy.special import logit

    odds: np.ndarray[Any, Any] = logit(np.clip(probabilities.astype(float), _EDGE, 1 - _EDGE))
    return odds


def best_threshold(probabilities: np.ndarray[Any, Any]) -> float:
    """The probability from which on a theme is to be tagged for the highest F1, if the probabilities are calibrated.

    Half the highest F1 that they promise (Lipton, Elkan and Narayanaswamy 2014, "Optimal thresholding of classifiers to
    maximize F1 measure"). It leans on all probabilities rather than on the few labels near the edge, so it holds better
    on paragraphs not seen than the threshold that was best on those seen.
    """
    import numpy as np

    ranked = np.sort(probabilities)[::-1]
    promised = 2 * np.cumsum(ranked) / (np.arange(1, len(ranked) + 1) + ranked.sum())
    return float(promised.max() / 2)
