"""How the encoder's reading of a text joins the classifier's: a small logistic regression a theme over both scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.themes.calibration import best_threshold, log_odds
from pipeline.themes.dataset import Labelled
from pipeline.themes.modelfile import Stack, StackEntry
from pipeline.themes.readings import EncoderReadings
from pipeline.themes.vectorheads import VectorHeads, head_scores

if TYPE_CHECKING:
    import numpy as np

    from pipeline.themes.encoder import Encoded
    from pipeline.themes.fitting import OutOfFold


def packed(encoded: Encoded) -> np.ndarray[Any, Any]:
    """Everything that later steps need of encoded texts, a row each.

    Returns
    -------
    ndarray of shape (texts, themes + 3 * themes + size of the vector), float16
        Log-odds of the encoder's themes, its valences' probabilities theme by theme, its vector. Half precision, so
        that a text read from the cache and one encoded now give the same tags.
    """
    import numpy as np

    n = len(encoded.vectors)
    parts = [log_odds(encoded.theme_probability), encoded.valence.reshape(n, -1), encoded.vectors]
    return np.hstack(parts).astype(np.float16)


def theme_scores(vectors: np.ndarray[Any, Any], themes: int) -> np.ndarray[Any, Any]:
    """The encoder's log-odds: shape (texts, themes), float32, from rows of :func:`packed`."""
    import numpy as np

    return vectors[:, :themes].astype(np.float32)


def valence_scores(vectors: np.ndarray[Any, Any], themes: int) -> np.ndarray[Any, Any]:
    """The encoder's valence probabilities: shape (texts, themes, 3), float32, from rows of :func:`packed`."""
    import numpy as np

    return vectors[:, themes : 4 * themes].astype(np.float32).reshape(len(vectors), themes, 3)


def plain_vectors(vectors: np.ndarray[Any, Any], themes: int) -> np.ndarray[Any, Any]:
    """The encoder's vectors alone: shape (texts, size), from rows of :func:`packed`."""
    return vectors[:, 4 * themes :]


def stacked_probabilities(
    stack: Stack,
    codes: Sequence[str],
    scores: np.ndarray[Any, Any],
    vectors: np.ndarray[Any, Any],
    encoder_codes: Sequence[str],
) -> dict[str, np.ndarray[Any, Any]]:
    """Calibrated probabilities of the themes that the stack knows.

    Parameters
    ----------
    scores : ndarray of shape (texts, len(codes))
        The classifier's.
    vectors : ndarray of shape (texts, size)
        Rows of :func:`packed`; where they lack the vector, themes that are read from it are left out.
    """
    from scipy.special import expit

    read = theme_scores(vectors, len(encoder_codes))
    joined = {}
    for code, entry in stack.themes.items():
        own = scores[:, codes.index(code)].astype(float)
        if entry.head is None:
            theirs = read[:, encoder_codes.index(code)].astype(float)
        elif vectors.shape[1] > 4 * len(encoder_codes):
            theirs = head_scores(entry.head, plain_vectors(vectors, len(encoder_codes)))
        else:
            continue
        joined[code] = expit(entry.classifier * own + entry.encoder * theirs + entry.intercept)
    return joined


def stacked_valence(
    stack: Stack,
    given: np.ndarray[Any, Any],
    rows: Sequence[int],
    themes: Sequence[str],
    vectors: np.ndarray[Any, Any],
    encoder_codes: Sequence[str],
) -> np.ndarray[Any, Any]:
    """The classifier's valence probabilities (len(rows), 3) joined with the encoder's, where it knows the theme."""
    read = valence_scores(vectors, len(encoder_codes))
    place = {code: i for i, code in enumerate(encoder_codes)}
    joined = given.copy()
    for i, (row, theme) in enumerate(zip(rows, themes, strict=True)):
        if theme in place:
            joined[i] = (1 - stack.valence_weight) * given[i] + stack.valence_weight * read[row, place[theme]]
    return joined


def fit_stack(
    encoder: EncoderReadings, data: Labelled, held_out: OutOfFold, heads: VectorHeads | None = None
) -> Stack | None:
    """Weights of both scores for each theme that the encoder knows; None where too little can be fitted on.

    Parameters
    ----------
    held_out : OutOfFold
        The classifier's scores for ``data``, none by a model that saw the paragraph's authority.
    heads : VectorHeads, optional
        Themes that the encoder does not know, read from its vectors of all of ``data``.
    """
    import numpy as np

    both = _Both.of(encoder, data, held_out)
    if both is None:
        return None
    entries = {}
    for column, code in enumerate(both.codes):
        weights, threshold = both.fitted(column, both.every)
        entries[code] = StackEntry(classifier=weights[0], encoder=weights[1], intercept=weights[2], threshold=threshold)
    for column, code in enumerate(heads.codes if heads else ()):
        assert heads is not None
        place = data.codes.index(code)
        pair = np.column_stack([held_out.scores[:, place].astype(float), heads.scores[:, column]])
        weights, threshold = _fitted(pair, data.labels[:, place])
        entries[code] = StackEntry(
            classifier=weights[0],
            encoder=weights[1],
            intercept=weights[2],
            threshold=threshold,
            head=heads.heads[code],
        )
    return Stack(encoder_id=encoder.encoder_id, themes=entries, valence_weight=both.valence_weight(both.every))


def stacked_out_of_fold(encoder: EncoderReadings, data: Labelled, held_out: OutOfFold) -> Joined | None:
    """What stacks fitted on the other folds say of the paragraphs of ``encoder``; themes new to it are left out."""
    import numpy as np

    both = _Both.of(encoder, data, held_out)
    if both is None:
        return None
    own = both.data
    probabilities = np.zeros(own.labels.shape)
    tagged = np.zeros(own.labels.shape, bool)
    valences = np.zeros(both.own_valences.shape)
    for fold in np.unique(own.folds):
        held, kept = own.folds == fold, own.folds != fold
        for column in range(len(both.codes)):
            weights, threshold = both.fitted(column, kept)
            probabilities[held, column] = both.joined(column, weights)[held]
            tagged[held, column] = probabilities[held, column] >= threshold
        weight = both.valence_weight(kept)
        valences[held] = (1 - weight) * both.own_valences[held] + weight * both.their_valences[held]
    return Joined(own, probabilities, tagged, valences)


@dataclass(frozen=True)
class Joined:
    """What both scores together say of ``data``: probabilities and tags (m, c), valence probabilities (m, c, 3)."""

    data: Labelled
    probabilities: np.ndarray[Any, Any]
    tagged: np.ndarray[Any, Any]
    valences: np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Both:
    """Scores of classifier and encoder for the paragraphs and themes that both know: m paragraphs, c themes."""

    data: Labelled
    own: np.ndarray[Any, Any]  # [m, c]
    theirs: np.ndarray[Any, Any]  # [m, c]
    own_valences: np.ndarray[Any, Any]  # [m, c, 3]
    their_valences: np.ndarray[Any, Any]  # [m, c, 3]

    @property
    def codes(self) -> tuple[str, ...]:
        return self.data.codes

    @property
    def every(self) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.ones(len(self.data), bool)

    @staticmethod
    def of(encoder: EncoderReadings, data: Labelled, held_out: OutOfFold) -> _Both | None:
        import numpy as np

        known = set(encoder.fingerprints)
        rows = np.array([i for i, key in enumerate(data.fingerprints) if key in known], int)
        codes = tuple(
            code
            for j, code in enumerate(data.codes)
            if code in encoder.codes and 0 < data.labels[rows, j].sum() < len(rows)
        )
        own = data.columns(codes).rows(rows)
        if not codes or len(np.unique(own.folds)) < 2:
            return None
        mine = [data.codes.index(code) for code in codes]
        theirs = [encoder.codes.index(code) for code in codes]
        vectors = encoder.of(own.fingerprints)
        return _Both(
            own,
            held_out.scores[rows][:, mine].astype(float),
            theme_scores(vectors, len(encoder.codes))[:, theirs].astype(float),
            held_out.valences[rows][:, mine].astype(float),
            valence_scores(vectors, len(encoder.codes))[:, theirs].astype(float),
        )

    def fitted(self, column: int, rows: np.ndarray[Any, Any]) -> tuple[tuple[float, float, float], float]:
        """Weights of classifier and encoder and the intercept, and the best threshold, from these rows."""
        return _fitted(self._inputs(column)[rows], self.data.labels[rows, column])

    def joined(self, column: int, weights: tuple[float, float, float]) -> np.ndarray[Any, Any]:
        """Calibrated probabilities of every paragraph."""
        from scipy.special import expit

        probabilities: np.ndarray[Any, Any] = expit(self._inputs(column) @ weights[:2] + weights[2])
        return probabilities

    def _inputs(self, column: int) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.column_stack([self.own[:, column], self.theirs[:, column]])

    def valence_weight(self, rows: np.ndarray[Any, Any]) -> float:
        """The encoder's share, in tenths, with which most labelled valences come out right."""
        import numpy as np

        chosen = self.data.labels & rows[:, None]
        truth = self.data.valences[chosen]
        own, theirs = self.own_valences[chosen], self.their_valences[chosen]
        shares = np.arange(11) / 10
        right = [(((1 - share) * own + share * theirs).argmax(axis=1) == truth).mean() for share in shares]
        return float(shares[int(np.argmax(right))])


def _fitted(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> tuple[tuple[float, float, float], float]:
    """Weights of two scores (n, 2), the intercept, and the best threshold of the probabilities that they give."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    if labels.all() or not labels.any():
        return (0.0, 1.0, 0.0), 0.5
    # Held back a little: two scores that agree so often tell little about the weight of each.
    fit = LogisticRegression(C=0.1, max_iter=1000).fit(scores, labels)
    weights = (float(fit.coef_[0, 0]), float(fit.coef_[0, 1]), float(fit.intercept_[0]))
    return weights, best_threshold(expit(scores @ weights[:2] + weights[2]))
