"""Fitting the classifier, and its scores for paragraphs that it was not fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES
from pipeline.errors import UsageError
from pipeline.themes.calibration import Calibration, fit_calibration, sigmoid_of
from pipeline.themes.classifier import NO_WORDS, Classifier, Topics, WordFeatures
from pipeline.themes.dataset import Labelled

if TYPE_CHECKING:
    import numpy as np

    from pipeline.themes.terms import Reading, TermMatcher

_MINIMUM_PARAGRAPHS = 5  # that a word or pair must be in to be a feature
_C = 10.0
_VALENCE_C = 3.0
_DIMENSIONS = 100
_TOPIC_TEXTS = 20_000
_AT_A_TIME = 256  # texts whose valences are read at once
_LARGE = 2000  # paragraphs from which on starting processes pays


def fit_topics(texts: Sequence[str], seed: int) -> Topics:
    """Latent semantic analysis of texts without labels (as many as 20,000 of them, evenly taken)."""
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    some = sorted(texts)[:: max(1, len(texts) // _TOPIC_TEXTS)]
    vectorizer = TfidfVectorizer(
        min_df=min(20, max(1, len(some) // 100)),
        max_df=0.5,
        sublinear_tf=True,
        strip_accents="unicode",
        dtype=np.float32,
    )
    words = vectorizer.fit_transform([text.translate(NO_WORDS) for text in some])
    svd = TruncatedSVD(min(_DIMENSIONS, min(words.shape) - 1), n_iter=3, random_state=seed)
    with _one_thread():
        svd.fit(words)
    return Topics(vectorizer, svd)


def processes_for(data: Labelled) -> int:
    """How many processes are worth starting for so many paragraphs, as joblib counts: -1 is one a core."""
    return -1 if len(data) > _LARGE else 1


def fit_classifier(
    data: Labelled, readings: Sequence[Reading], matcher: TermMatcher, topics: Topics, seed: int, processes: int = 1
) -> Classifier:
    """Fit words, regressions and valence on ``data``; ``readings`` are its texts', in its order.

    TF-IDF with sublinear term frequency over words and pairs; balanced logistic regressions by liblinear's dual
    coordinate descent (Yu, Huang and Lin 2011), which gets there in a tenth of the primal solver's time.

    Raises
    ------
    UsageError
        All labels are of one valence.
    """
    import numpy as np
    from joblib import parallel_config
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        min_df=min(_MINIMUM_PARAGRAPHS, max(1, len(data) // 100)),
        sublinear_tf=True,
        strip_accents="unicode",
        dtype=np.float32,
    )
    features = WordFeatures(data.codes, vectorizer, topics)
    words = features.fitted_words(data.texts)
    one = LogisticRegression(
        C=_C, class_weight="balanced", solver="liblinear", dual=True, tol=1.0, max_iter=1000, random_state=seed
    )
    rows, columns = np.nonzero(data.labels)
    signs = data.valences[rows, columns].astype(int)
    if len(np.unique(signs)) < 2:
        raise UsageError(
            "The labels are nearly all of one valence, so that strengths cannot be told from weaknesses; "
            "label paragraphs of several authorities with + and with -."
        )
    valence = LogisticRegression(C=_VALENCE_C, max_iter=40, tol=1e-3)
    with warnings.catch_warnings(), _one_thread():
        # Both stop early: what counts is the score on other authorities, and that is level long before the optimum
        # is met (models/README.md has the figures).
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Processes, not threads: liblinear draws from one generator for all threads, and no two runs would be alike.
        with parallel_config(backend="loky", n_jobs=processes):
            regressions = OneVsRestClassifier(one).fit(
                features.themes(readings, matcher, words).astype(float), data.labels
            )
        themes = [data.codes[column] for column in columns]
        inputs = features.valence(readings, rows.tolist(), themes, matcher, words)
        valence.fit(inputs, signs)
    return Classifier(data.codes, features, regressions, valence)


def _one_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread: over several, sums round otherwise, and another machine's model would differ."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


@dataclass(frozen=True)
class OutOfFold:
    """What models fitted on the other folds say of each paragraph.

    Attributes
    ----------
    scores : float32 [n, k]
        Uncalibrated.
    valences : float32 [n, k, 3]
        Probabilities, for every theme: which are tagged is known only when all folds are calibrated.
    """

    scores: np.ndarray[Any, Any]
    valences: np.ndarray[Any, Any]


def fit_and_test(
    data: Labelled, readings: Sequence[Reading], matcher: TermMatcher, topics: Topics, seed: int
) -> tuple[Classifier, OutOfFold]:
    """The classifier fitted on everything; and, fitted on all folds but one, what it says of that one, for each fold.

    Topics know no labels and are shared.
    """
    import numpy as np
    from joblib import Parallel, delayed

    def whole() -> Classifier:
        return fit_classifier(data, readings, matcher, topics, seed)

    def one(fold: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        held = np.flatnonzero(data.folds == fold)
        kept = np.flatnonzero(data.folds != fold)
        fitted = fit_classifier(data.rows(kept), [readings[i] for i in kept.tolist()], matcher, topics, seed)
        own = [readings[i] for i in held.tolist()]
        return held, fitted.scores(own, matcher), _all_valences(fitted, own, matcher)

    side_by_side = Parallel(n_jobs=processes_for(data))
    classifier, *of_folds = side_by_side([delayed(whole)(), *(delayed(one)(fold) for fold in np.unique(data.folds))])
    scores = np.zeros(data.labels.shape, np.float32)
    valences = np.zeros((*data.labels.shape, len(VALENCES)), np.float32)
    for held, own_scores, own_valences in of_folds:
        scores[held], valences[held] = own_scores, own_valences
    return classifier, OutOfFold(scores, valences)


def _all_valences(classifier: Classifier, readings: Sequence[Reading], matcher: TermMatcher) -> np.ndarray[Any, Any]:
    """Valence probabilities of every theme: shape (n, k, 3); some texts at a time, a row a theme being wide."""
    import numpy as np

    codes = classifier.codes
    valences = np.zeros((len(readings), len(codes), len(VALENCES)), np.float32)
    for start in range(0, len(readings), _AT_A_TIME):
        some = readings[start : start + _AT_A_TIME]
        rows = np.repeat(np.arange(len(some)), len(codes)).tolist()
        given = classifier.valence_probabilities(some, rows, list(codes) * len(some), matcher)
        valences[start : start + len(some)] = given.reshape(len(some), len(codes), len(VALENCES))
    return valences


def fit_calibrations(
    scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], codes: Sequence[str]
) -> dict[str, Calibration]:
    """A sigmoid and a threshold for each theme; scores and labels of shape (n, themes)."""
    return {code: fit_calibration(scores[:, i], labels[:, i]) for i, code in enumerate(codes)}


def cross_calibrated(
    scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], folds: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Probabilities and tags of each fold by sigmoids and thresholds fitted on the others: two arrays (n, themes)."""
    import numpy as np

    probabilities = np.zeros(scores.shape)
    tagged = np.zeros(scores.shape, bool)
    for fold in np.unique(folds):
        held, kept = folds == fold, folds != fold
        for column in range(scores.shape[1]):
            fitted = fit_calibration(scores[kept, column], labels[kept, column])
            own = sigmoid_of(scores[held, column], fitted.slope, fitted.intercept)
            probabilities[held, column] = own
            tagged[held, column] = own >= fitted.threshold
    return probabilities, tagged
