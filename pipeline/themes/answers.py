"""What a model said of labelled paragraphs that it was not fitted on; kept beside it, so that models can be compared.

The same answers let a frequency be corrected for the model's errors: they are what it says of text new to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES
from pipeline.errors import PipelineError
from pipeline.files import written_whole
from pipeline.themes.calibration import sigmoid_of
from pipeline.themes.dataset import Labelled
from pipeline.themes.modelfile import Model
from pipeline.themes.readings import EncoderReadings
from pipeline.themes.stacking import stacked_probabilities, stacked_valence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipeline.themes.terms import Reading, TermMatcher

ANSWERS = "out_of_fold.npz"


@dataclass(frozen=True)
class Answers:
    """Answers for n paragraphs and k themes.

    Attributes
    ----------
    probabilities : float32 [n, k]
    tagged : bool [n, k]
    valences : int8 [n, k]
        Positions in :data:`~pipeline.domain.VALENCES`; -1 where the theme is neither labelled nor tagged
        (in older files also where it is tagged but not labelled).
    """

    codes: tuple[str, ...]
    fingerprints: tuple[str, ...]
    probabilities: np.ndarray[Any, Any]
    tagged: np.ndarray[Any, Any]
    valences: np.ndarray[Any, Any]

    @staticmethod
    def of(
        data: Labelled,
        probabilities: np.ndarray[Any, Any],
        tagged: np.ndarray[Any, Any],
        valences: np.ndarray[Any, Any],
    ) -> Answers:
        """From arrays in the order of ``data``; ``valences`` are probabilities of shape (n, k, 3)."""
        import numpy as np

        best = np.where(data.labels | tagged, valences.argmax(axis=2), -1).astype(np.int8)
        return Answers(data.codes, data.fingerprints, probabilities.astype(np.float32), tagged, best)

    def columns(self, codes: tuple[str, ...]) -> Answers:
        """The same paragraphs with these themes only."""
        places = [self.codes.index(code) for code in codes]
        return Answers(
            codes, self.fingerprints, self.probabilities[:, places], self.tagged[:, places], self.valences[:, places]
        )

    def ordered(self, fingerprints: Sequence[str]) -> Answers:
        """These paragraphs in this order."""
        place = {key: i for i, key in enumerate(self.fingerprints)}
        rows = [place[key] for key in fingerprints]
        return Answers(
            self.codes, tuple(fingerprints), self.probabilities[rows], self.tagged[rows], self.valences[rows]
        )

    def joined(self, more: Answers) -> Answers:
        """These and more paragraphs, for the same themes."""
        import numpy as np

        more = more.columns(self.codes)
        return Answers(
            self.codes,
            (*self.fingerprints, *more.fingerprints),
            np.vstack([self.probabilities, more.probabilities]),
            np.vstack([self.tagged, more.tagged]),
            np.vstack([self.valences, more.valences]),
        )

    @property
    def has_all_valences(self) -> bool:
        """Whether every tagged theme has its valence; files of older trainings lack those of wrongly tagged ones."""
        return not bool((self.tagged & (self.valences < 0)).any())

    def frame(self) -> pd.DataFrame:
        """``fingerprint, theme, probability, tagged, valence``: a row a paragraph and theme; ``valence`` is a sign."""
        import numpy as np
        import pandas as pd

        signs = np.array([*VALENCES, ""])
        return pd.DataFrame(
            {
                "fingerprint": np.repeat(self.fingerprints, len(self.codes)),
                "theme": np.tile(self.codes, len(self.fingerprints)),
                "probability": self.probabilities.ravel(),
                "tagged": self.tagged.ravel(),
                "valence": signs[self.valences.ravel()],  # -1: the last, which is empty
            }
        )


def write_answers(folder: Path, without: Answers, with_encoder: Answers | None) -> None:
    """Write a model's answers into its folder."""
    import numpy as np

    arrays: dict[str, Any] = {}
    for name, answers in (("off", without), ("on", with_encoder)):
        if answers is not None:
            arrays[f"{name}_codes"] = np.array(answers.codes)
            arrays[f"{name}_fingerprints"] = np.array(answers.fingerprints, dtype="S12")
            arrays[f"{name}_probabilities"] = answers.probabilities.astype(np.float16)
            arrays[f"{name}_tagged"] = np.packbits(answers.tagged, axis=1)
            arrays[f"{name}_valences"] = answers.valences
    with written_whole(folder / ANSWERS) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_answers(folder: Path, encoder: bool) -> Answers:
    """Answers of the model in ``folder``, with or without the encoder.

    Raises
    ------
    PipelineError
        The file is missing or damaged, or has no answers of that kind.
    """
    import zipfile

    import numpy as np

    path = folder / ANSWERS
    name = "on" if encoder else "off"
    try:
        with np.load(path, allow_pickle=False) as file:
            codes = tuple(str(code) for code in file[f"{name}_codes"])
            fingerprints = tuple(key.decode("ascii") for key in file[f"{name}_fingerprints"].tolist())
            probabilities = file[f"{name}_probabilities"].astype(np.float32)
            tagged = np.unpackbits(file[f"{name}_tagged"], axis=1, count=len(codes)).astype(bool)
            valences = file[f"{name}_valences"].astype(np.int8)
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile, EOFError) as error:
        raise PipelineError(f"{path} cannot be used ({' '.join(str(error).split())[:120]}).") from None
    shape = (len(fingerprints), len(codes))
    if not probabilities.shape == tagged.shape == valences.shape == shape:
        raise PipelineError(f"{path} is damaged: its parts do not fit each other.")
    return Answers(codes, fingerprints, probabilities, tagged, valences)


def answers_of(
    model: Model,
    data: Labelled,
    readings: Sequence[Reading],
    matcher: TermMatcher,
    fingerprints: Sequence[str],
    encoder: EncoderReadings | None,
) -> Answers:
    """What a model says of some paragraphs of ``data`` that it never saw."""
    import numpy as np

    place = {key: i for i, key in enumerate(data.fingerprints)}
    rows = [place[key] for key in fingerprints]
    some = [readings[row] for row in rows]
    manifest, codes = model.manifest, model.classifier.codes
    scores = model.classifier.scores(some, matcher)
    probabilities = np.zeros(scores.shape)
    thresholds = np.zeros(len(codes))
    for column, code in enumerate(codes):
        entry = manifest.calibration[code]
        probabilities[:, column] = sigmoid_of(scores[:, column], entry.slope, entry.intercept)
        thresholds[column] = entry.threshold
    if encoder is not None and manifest.stack is not None:
        vectors = encoder.of(fingerprints)
        joined = stacked_probabilities(manifest.stack, codes, scores, vectors, encoder.codes)
        for code, values in joined.items():
            probabilities[:, codes.index(code)] = values
            thresholds[codes.index(code)] = manifest.stack.themes[code].threshold
    tagged = probabilities >= thresholds
    known = [(column, data.codes.index(code)) for column, code in enumerate(codes) if code in data.codes]
    wanted = tagged.copy()
    for column, own in known:
        wanted[:, column] |= data.labels[rows, own]
    at, columns = (places.tolist() for places in np.nonzero(wanted))
    themes = [codes[column] for column in columns]
    valences = model.classifier.valence_probabilities(some, at, themes, matcher)
    if encoder is not None and manifest.stack is not None:
        valences = stacked_valence(manifest.stack, valences, at, themes, encoder.of(fingerprints), encoder.codes)
    best = np.full(scores.shape, -1, np.int8)
    if themes:
        best[at, columns] = valences.argmax(axis=1)
    return Answers(codes, tuple(fingerprints), probabilities.astype(np.float32), tagged, best)
