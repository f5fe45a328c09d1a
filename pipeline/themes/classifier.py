"""The classifier that runs without an encoder: words, topics and the taxonomy's terms, one logistic regression a theme.

A second, smaller regression reads the valence of a theme from the sentences that hold its terms and from the paragraph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES
from pipeline.themes.terms import Reading, TermMatcher, term_counts

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

_PARAGRAPH_WEIGHT = 0.7  # of the whole paragraph's words, beside 1 for those of a theme's own sentences
NO_WORDS = str.maketrans(dict.fromkeys("’‘“”–—•…\u00a0\uf0b7", " "))


@dataclass(frozen=True)
class Topics:
    """Latent semantic analysis of texts without labels (Deerwester et al. 1990): what a text's words go along with.

    Attributes
    ----------
    vectorizer : TfidfVectorizer
        Of single words.
    svd : TruncatedSVD
    """

    vectorizer: TfidfVectorizer
    svd: TruncatedSVD

    def of(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Directions of unit length: shape (texts, dimensions), float32."""
        import numpy as np

        # Not svd.transform, which would turn to double precision and check what is already known.
        raw = self.vectorizer.transform(texts) @ self.svd.components_.T.astype(np.float32)
        length = np.sqrt((raw * raw).sum(axis=1, keepdims=True))
        directions: np.ndarray[Any, Any] = raw / np.where(length > 0, length, 1)
        return directions


@dataclass(frozen=True)
class WordFeatures:
    """What the regressions see of a text: words and word pairs, topics, how many of each theme's terms it has.

    Attributes
    ----------
    codes : tuple of str
        The themes whose terms are features, in the order of their columns.
    vectorizer : TfidfVectorizer
        Of words and pairs, fitted on the training texts.
    topics : Topics
        Fitted on texts without labels.
    """

    codes: tuple[str, ...]
    vectorizer: TfidfVectorizer
    topics: Topics

    def words(self, texts: Sequence[str]) -> sp.csr_matrix:
        """TF-IDF of words and pairs: shape (texts, words), float32."""
        # Typographic signs are no words; without them most texts are ASCII, and stripping accents costs nothing.
        words: sp.csr_matrix = self.vectorizer.transform([text.translate(NO_WORDS) for text in texts])
        return words

    def fitted_words(self, texts: Sequence[str]) -> sp.csr_matrix:
        """:meth:`words` after fitting the vectorizer on the same texts."""
        words: sp.csr_matrix = self.vectorizer.fit_transform([text.translate(NO_WORDS) for text in texts])
        return words

    def themes(self, readings: Sequence[Reading], matcher: TermMatcher, words: sp.csr_matrix) -> sp.csr_matrix:
        """Features of the theme regressions: shape (texts, words + dimensions + themes), float32.

        ``words`` are :meth:`words` of the texts.
        """
        import scipy.sparse as sp

        topics = self.topics.of([reading.text.translate(NO_WORDS) for reading in readings])
        parts = [words, sp.csr_matrix(topics), self.terms(readings, matcher)]
        features: sp.csr_matrix = sp.hstack(parts, format="csr", dtype="float32")
        return features

    def names(self) -> list[str]:
        """What each column of :meth:`themes` is; a topic and a theme's terms are in brackets."""
        dimensions = self.topics.svd.components_.shape[0]
        words = [str(name) for name in self.vectorizer.get_feature_names_out()]
        return [*words, *(f"(topic {i})" for i in range(dimensions)), *(f"(terms of {code})" for code in self.codes)]

    def terms(self, readings: Sequence[Reading], matcher: TermMatcher) -> sp.csr_matrix:
        """log(1 + number of the theme's terms in a text): shape (texts, themes), float32.

        A theme that the matcher does not know any more has an empty column.
        """
        import numpy as np
        import scipy.sparse as sp

        found = term_counts(readings, len(matcher.codes)).tocsc()
        found.data = np.log1p(found.data)
        place = {code: i for i, code in enumerate(matcher.codes)}
        none = sp.csc_matrix((found.shape[0], 1), dtype=np.float32)
        columns = [found[:, [place[code]]] if code in place else none for code in self.codes]
        terms: sp.csr_matrix = sp.hstack(columns, format="csr")
        return terms

    def valence(
        self,
        readings: Sequence[Reading],
        rows: Sequence[int],
        themes: Sequence[str],
        matcher: TermMatcher,
        words: sp.csr_matrix,
    ) -> sp.csr_matrix:
        """Features of the valence regression for theme ``themes[i]`` of ``readings[rows[i]]``.

        ``words`` are :meth:`words` of the texts of ``readings``.

        Returns
        -------
        csr_matrix of shape (len(rows), 2 * words + themes)
            TF-IDF of the sentences with the theme's terms, TF-IDF of the paragraph, and which theme it is.
        """
        import numpy as np
        import scipy.sparse as sp

        position = {code: i for i, code in enumerate(matcher.codes)}
        evidence = [readings[row].evidence(position.get(theme, -1)) for row, theme in zip(rows, themes, strict=True)]
        own = {code: i for i, code in enumerate(self.codes)}
        known = [(i, own[theme]) for i, theme in enumerate(themes) if theme in own]
        which = sp.csr_matrix(
            (np.ones(len(known), np.float32), ([i for i, _ in known], [j for _, j in known])),
            shape=(len(themes), len(self.codes)),
        )
        # A theme without terms in a text is read from the same words as the next one.
        place = {text: i for i, text in enumerate(dict.fromkeys(evidence))}
        sentences = self.words(list(place))[[place[text] for text in evidence]]
        parts = [sentences, _PARAGRAPH_WEIGHT * words[list(rows)], which]
        features: sp.csr_matrix = sp.hstack(parts, format="csr", dtype="float32")
        return features


@dataclass(frozen=True)
class Classifier:
    """Fitted regressions over :class:`WordFeatures`.

    Attributes
    ----------
    codes : tuple of str
        Themes with a regression, in its order.
    regressions : OneVsRestClassifier
        One binary logistic regression a theme.
    valence_regression : LogisticRegression
        Its classes are positions in :data:`~pipeline.domain.VALENCES`.
    """

    codes: tuple[str, ...]
    features: WordFeatures
    regressions: OneVsRestClassifier
    valence_regression: LogisticRegression

    @cached_property
    def _weights(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        import numpy as np

        estimators = self.regressions.estimators_
        weights = np.vstack([estimator.coef_ for estimator in estimators]).astype(np.float32)
        return weights, np.array([float(estimator.intercept_[0]) for estimator in estimators], np.float32)

    def words(self, readings: Sequence[Reading]) -> sp.csr_matrix:
        """What :meth:`scores` and :meth:`valence_probabilities` both need of the texts, to be made once."""
        return self.features.words([reading.text for reading in readings])

    def scores(
        self, readings: Sequence[Reading], matcher: TermMatcher, words: sp.csr_matrix | None = None
    ) -> np.ndarray[Any, Any]:
        """Decision values, uncalibrated: shape (texts, themes), float32."""
        weights, intercepts = self._weights
        inputs = self.features.themes(readings, matcher, self.words(readings) if words is None else words)
        scores: np.ndarray[Any, Any] = inputs @ weights.T + intercepts
        return scores

    def contributions(self, reading: Reading, theme: str, matcher: TermMatcher) -> list[tuple[str, float]]:
        """What each of the text's features (see :meth:`WordFeatures.names`) adds to the theme's score, most first."""
        weights, _ = self._weights
        row = self.features.themes([reading], matcher, self.words([reading]))
        own = weights[self.codes.index(theme)]
        names = self.features.names()
        added = [(names[i], float(value * own[i])) for i, value in zip(row.indices, row.data, strict=True)]
        return sorted(added, key=lambda pair: -pair[1])

    def valence_probabilities(
        self,
        readings: Sequence[Reading],
        rows: Sequence[int],
        themes: Sequence[str],
        matcher: TermMatcher,
        words: sp.csr_matrix | None = None,
    ) -> np.ndarray[Any, Any]:
        """Probabilities of :data:`~pipeline.domain.VALENCES`: shape (len(rows), 3)."""
        import numpy as np

        if not rows:
            return np.zeros((0, len(VALENCES)))
        given_words = self.words(readings) if words is None else words
        inputs = self.features.valence(readings, rows, themes, matcher, given_words)
        given = self.valence_regression.predict_proba(inputs)
        probabilities = np.zeros((len(rows), len(VALENCES)))
        probabilities[:, self.valence_regression.classes_] = given
        return probabilities
