"""Tags for texts: the model in use, the taxonomy in use, and the encoder if wanted, behind one object."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES
from pipeline.errors import UsageError
from pipeline.themes.registry import current_folder

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

    from pipeline.themes.encoder import Encoder
    from pipeline.themes.modelfile import Manifest, Model
    from pipeline.themes.taxonomy import Taxonomy
    from pipeline.themes.terms import Reading

TERMS_MODEL = "terms"
"""The ``model_id`` of tags that a theme's terms gave, because the model does not know the theme."""

ENCODER_FOLDER = "encoder"

_VERSION = "1"  # of this module's arithmetic; part of the stamp


@dataclass(frozen=True, slots=True)
class Tag:
    """A theme that a text carries.

    Attributes
    ----------
    probability : float
        Calibrated, except where the theme's terms alone gave it: then n / (n + 1) for n terms.
    valence : str
        ``+``, ``-`` or ``0``.
    model_id : str
        The model, or :data:`TERMS_MODEL`.
    """

    theme: str
    probability: float
    valence: str
    model_id: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text carries a theme.

    Attributes
    ----------
    sentence : str
        The sentence that carries most of it.
    terms : tuple of str
        The taxonomy's terms in the text, as they stand there.
    words : tuple of str
        The words that the classifier counted most towards it.
    probability, threshold : float
        Of the whole text, and what was needed.
    """

    theme: str
    sentence: str
    terms: tuple[str, ...]
    words: tuple[str, ...]
    probability: float
    threshold: float


def tagger_stamp(models: Path, taxonomy: Taxonomy, encoder: bool) -> str:
    """What :attr:`Tagger.stamp` would be, without loading a model: cheap enough for a run that has nothing to do.

    Raises
    ------
    PipelineError
        As :meth:`Tagger.load` does for a model that is missing or damaged.
    """
    from pipeline.themes.modelfile import read_manifest

    manifest = read_manifest(current_folder(models))
    return _stamp(manifest, taxonomy, _encoder_joined(models, manifest) if encoder else None)


def joins_encoder(models: Path) -> bool:
    """Whether the model in use takes the encoder in the folder of models, if the configuration wants it; light."""
    from pipeline.themes.modelfile import read_manifest

    return _encoder_joined(models, read_manifest(current_folder(models))) is not None


def _encoder_joined(models: Path, manifest: Manifest) -> str | None:
    """The encoder in the folder of models, if it is the one that the model was trained with; light."""
    if manifest.stack is None:
        return None
    from pipeline.themes.encoder import read_facts

    found = read_facts(models / ENCODER_FOLDER).encoder_id
    return found if found == manifest.stack.encoder_id else None


def _stamp(manifest: Manifest, taxonomy: Taxonomy, encoder_id: str | None) -> str:
    parts = [_VERSION, manifest.model_dump_json(exclude_none=True), taxonomy.fingerprint, encoder_id or "off"]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return f"{manifest.model_id}+{taxonomy.fingerprint}+{digest}"


class Tagger:
    """Made by :meth:`load`.

    Attributes
    ----------
    codes : tuple of str
        The taxonomy's themes in use: the columns of :meth:`probabilities`.
    model_id : str
    stamp : str
        At most 64 characters; changes when a tag could: with the model, the terms, the themes, the encoder.
    notes : tuple of str
        Sentences to show the user.
    encoder_id : str or None
        Names the encoder whose vectors :meth:`encode` gives; None where it is off.
    """

    def __init__(self, model: Model, taxonomy: Taxonomy, encoder: Encoder | None, wanted: bool) -> None:
        from pipeline.themes.terms import TermMatcher

        manifest = model.manifest
        self.codes = taxonomy.codes
        self.model_id = manifest.model_id
        self.encoder_id = encoder.encoder_id if encoder else None
        self.stamp = _stamp(manifest, taxonomy, self.encoder_id)
        self._model = model
        self._encoder = encoder
        self._stack = manifest.stack if encoder else None
        self._matcher = TermMatcher(taxonomy.themes)
        self._untrained = tuple(code for code in self.codes if code not in manifest.codes)
        self.notes = tuple(_notes(manifest, taxonomy, self._untrained, wanted and encoder is None))

    @classmethod
    def load(cls, models: Path, taxonomy: Taxonomy, encoder: bool = True) -> Tagger:
        """Read the model in use.

        Parameters
        ----------
        models : Path
            The folder of models, with the file ``current``.
        encoder : bool
            Whether the sentence encoder takes part: slower, and better.

        Raises
        ------
        UsageError
            The model was trained for another taxonomy: it knows fewer than half of this one's themes.
        PipelineError
            A model file is missing, damaged, of another version, or not to be trusted.
        """
        from pipeline.themes.modelfile import load_model, read_manifest

        folder = current_folder(models)
        check_fits(read_manifest(folder), taxonomy)
        loaded = None
        model = load_model(folder)
        if encoder and _encoder_joined(models, model.manifest):
            from pipeline.themes.encoder import Encoder

            loaded = Encoder.load(models / ENCODER_FOLDER)
        return cls(model, taxonomy, loaded, wanted=encoder)

    def encode(self, texts: Sequence[str]) -> np.ndarray[Any, Any] | None:
        """What to keep of each text so that it need not be encoded again: shape (texts, size), float16; None if off."""
        if self._encoder is None:
            return None
        from pipeline.themes.stacking import packed

        return packed(self._encoder.encode(texts))

    def tag(self, texts: Sequence[str], vectors: np.ndarray[Any, Any] | None = None) -> list[list[Tag]]:
        """Tags of each text, in the taxonomy's order.

        Parameters
        ----------
        vectors : ndarray of shape (texts, size), float16, optional
            What :meth:`encode` gave for these texts; without it they are encoded.
        """
        import numpy as np

        readings = [self._matcher.read(text) for text in texts]
        vectors = self._vectors(texts, vectors)
        words = self._model.classifier.words(readings) if readings else None
        probabilities = self._probabilities(readings, vectors, words)
        rows, columns = np.nonzero(probabilities >= self._thresholds())
        valences = self._valences(readings, vectors, words, rows.tolist(), columns.tolist())
        tags: list[list[Tag]] = [[] for _ in texts]
        for row, column, valence in zip(rows.tolist(), columns.tolist(), valences, strict=True):
            code = self.codes[column]
            source = TERMS_MODEL if code in self._untrained else self.model_id
            tags[row].append(Tag(code, round(float(probabilities[row, column]), 4), valence, source))
        return tags

    def probabilities(self, texts: Sequence[str], vectors: np.ndarray[Any, Any] | None = None) -> np.ndarray[Any, Any]:
        """Probability of each theme of :attr:`codes`: shape (texts, themes), float64."""
        return self._probabilities([self._matcher.read(text) for text in texts], self._vectors(texts, vectors))

    def thresholds(self) -> dict[str, float]:
        """The probability from which on each theme is tagged."""
        return dict(zip(self.codes, self._thresholds().tolist(), strict=True))

    def explain(self, text: str, theme: str) -> Explanation:
        """The sentence and the terms that carried a theme, whether or not it reached its threshold.

        The sentence is the one whose removal lowers the classifier's score of the theme most.

        Raises
        ------
        UsageError
            The theme is not one of :attr:`codes`.
        """
        if theme not in self.codes:
            raise UsageError(f"There is no theme {theme!r} in the taxonomy in use.")
        reading = self._matcher.read(text)
        column = self.codes.index(theme)
        own = [term for term in reading.terms if term.theme == column]
        words: tuple[str, ...] = ()
        if theme not in self._untrained:
            added = self._model.classifier.contributions(reading, theme, self._matcher)
            words = tuple(name for name, value in added if value > 0 and not name.startswith("("))[:8]
        return Explanation(
            theme=theme,
            sentence=self._sentence(reading, theme, column),
            terms=tuple(dict.fromkeys(text[term.start : term.end] for term in own)),
            words=words,
            probability=float(self.probabilities([text])[0, column]),
            threshold=float(self._thresholds()[column]),
        )

    def _sentence(self, reading: Reading, theme: str, column: int) -> str:
        spans = reading.sentences
        if len(spans) < 2:
            return reading.text
        if theme in self._untrained:
            held = [term.sentence for term in reading.terms if term.theme == column]
            return reading.text[slice(*spans[held[0]])] if held else reading.text
        without = [reading.text[:start] + " " + reading.text[end:] for start, end in spans]
        scores = self._model.classifier.scores([self._matcher.read(text) for text in without], self._matcher)
        lowest = int(scores[:, self._model.classifier.codes.index(theme)].argmin())
        return reading.text[slice(*spans[lowest])]

    def _vectors(self, texts: Sequence[str], vectors: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any] | None:
        if self._stack is None:
            return None
        return vectors if vectors is not None else self.encode(texts)

    def _thresholds(self) -> np.ndarray[Any, Any]:
        import numpy as np

        manifest = self._model.manifest
        stacked = self._stack.themes if self._stack else {}
        values = [
            stacked[code].threshold
            if code in stacked
            else manifest.calibration[code].threshold
            if code in manifest.calibration
            else 0.5
            for code in self.codes
        ]
        return np.array(values)

    def _probabilities(
        self,
        readings: Sequence[Reading],
        vectors: np.ndarray[Any, Any] | None,
        words: sp.csr_matrix | None = None,
    ) -> np.ndarray[Any, Any]:
        import numpy as np

        from pipeline.themes.calibration import sigmoid_of
        from pipeline.themes.stacking import stacked_probabilities
        from pipeline.themes.terms import term_counts

        model = self._model
        probabilities = np.zeros((len(readings), len(self.codes)))
        if not readings:
            return probabilities
        scores = model.classifier.scores(readings, self._matcher, words)
        joined = (
            stacked_probabilities(self._stack, model.classifier.codes, scores, vectors, self._encoder.codes)
            if self._stack and self._encoder and vectors is not None
            else {}
        )
        counts = term_counts(readings, len(self.codes)).toarray() if self._untrained else None
        for column, code in enumerate(self.codes):
            if code in joined:
                probabilities[:, column] = joined[code]
            elif counts is not None and code in self._untrained:
                probabilities[:, column] = counts[:, column] / (counts[:, column] + 1)
            else:
                entry = model.manifest.calibration[code]
                own = scores[:, model.classifier.codes.index(code)]
                probabilities[:, column] = sigmoid_of(own, entry.slope, entry.intercept)
        return probabilities

    def _valences(
        self,
        readings: Sequence[Reading],
        vectors: np.ndarray[Any, Any] | None,
        words: sp.csr_matrix | None,
        rows: list[int],
        columns: list[int],
    ) -> list[str]:
        from pipeline.themes.stacking import stacked_valence

        themes = [self.codes[column] for column in columns]
        given = self._model.classifier.valence_probabilities(readings, rows, themes, self._matcher, words)
        if self._stack and self._encoder and vectors is not None:
            given = stacked_valence(self._stack, given, rows, themes, vectors, self._encoder.codes)
        return [VALENCES[best] for best in given.argmax(axis=1)] if rows else []


def check_fits(manifest: Manifest, taxonomy: Taxonomy) -> None:
    """Refuse a model of another taxonomy; raises :class:`UsageError`."""
    shared = [code for code in taxonomy.codes if code in manifest.codes]
    if 2 * len(shared) < len(taxonomy.codes):
        raise UsageError(
            f"The model {manifest.model_id} was trained for another taxonomy: it knows {len(shared)} of the "
            f"{len(taxonomy.codes)} themes in use; run `pipeline train`, or set `taxonomy` or `models` in config.yaml."
        )


def _notes(manifest: Manifest, taxonomy: Taxonomy, untrained: tuple[str, ...], encoder_missing: bool) -> list[str]:
    notes = []
    if untrained:
        one = len(untrained) == 1
        notes.append(
            f"{len(untrained)} {'theme has' if one else 'themes have'} no trained classifier and "
            f"{'is' if one else 'are'} tagged by {'its' if one else 'their'} terms until `pipeline train`: "
            f"{', '.join(untrained)}."
        )
        bare = [code for code in untrained if not taxonomy.theme(code).terms and not taxonomy.theme(code).acronyms]
        if bare:
            notes.append(f"Never tagged, because the taxonomy gives no terms either: {', '.join(bare)}.")
    if encoder_missing:
        notes.append(
            f"The model {manifest.model_id} was not trained with the encoder in the folder of models, so no encoder "
            "takes part; run `pipeline train`, or set tagging.encoder: off."
        )
    return notes
