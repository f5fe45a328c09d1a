"""Themes that the encoder was not tuned on, read from its vector by a regression of their own.

The encoder has seen the other themes of the labelled paragraphs, but no label of these, so its vectors of all labelled
paragraphs may be fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.themes.dataset import Labelled
from pipeline.themes.modelfile import VectorHead

if TYPE_CHECKING:
    import numpy as np

_C = 0.1  # on standardised vectors, of which there are more dimensions than a new theme has labels
_DIGITS = 6


@dataclass(frozen=True)
class VectorHeads:
    """The heads of c themes, and what heads fitted on the other folds say of n paragraphs (float64 [n, c])."""

    heads: dict[str, VectorHead]
    scores: np.ndarray[Any, Any]

    @property
    def codes(self) -> tuple[str, ...]:
        """The c themes, in the order of the columns."""
        return tuple(self.heads)


def fit_vector_heads(data: Labelled, codes: tuple[str, ...], vectors: np.ndarray[Any, Any]) -> VectorHeads:
    """Fit a balanced logistic regression a theme, and score each fold by one fitted on the others.

    Parameters
    ----------
    codes : tuple of str
        Themes of ``data``, each carried by paragraphs of more than one fold.
    vectors : ndarray of shape (n, d)
        The encoder's vectors alone, in the order of ``data``.
    """
    import numpy as np

    heads = {}
    scores = np.zeros((len(data), len(codes)))
    for column, code in enumerate(codes):
        labels = data.labels[:, data.codes.index(code)]
        for fold in np.unique(data.folds):
            held = data.folds == fold
            scores[held, column] = head_scores(_fitted(vectors[~held], labels[~held]), vectors[held])
        heads[code] = _fitted(vectors, labels)
    return VectorHeads(heads, scores)


def head_scores(head: VectorHead, vectors: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A head's log-odds, not calibrated: shape (n,), float64, from vectors of shape (n, d)."""
    import numpy as np

    scores: np.ndarray[Any, Any] = vectors.astype(float) @ np.array(head.weights) + head.intercept
    return scores


def _fitted(vectors: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> VectorHead:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=_C, class_weight="balanced", max_iter=1000))
    pipeline.fit(vectors.astype(float), labels)
    scaler, regression = pipeline[0], pipeline[1]
    weights = regression.coef_[0] / scaler.scale_
    intercept = float(regression.intercept_[0] - scaler.mean_ @ weights)
    return VectorHead(
        weights=tuple(round(float(weight), _DIGITS) for weight in weights), intercept=round(intercept, _DIGITS)
    )
