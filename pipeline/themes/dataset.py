"""Labelled paragraphs as arrays, and the folds that every training and comparison uses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES
from pipeline.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FOLDS = 5

MINIMUM_POSITIVES = 15
"""A theme with fewer labelled paragraphs gets no classifier: its terms tag it."""


@dataclass(frozen=True)
class Labelled:
    """n paragraphs with their labels for k themes, in the order of their fingerprints.

    Attributes
    ----------
    labels : bool [n, k]
    valences : int8 [n, k]
        Positions in :data:`~pipeline.domain.VALENCES`, -1 where the theme is not labelled.
    authorities : str [n]
    folds : int [n]
        From the authority's name alone, so that an authority is in the same fold whatever else is labelled.
    """

    codes: tuple[str, ...]
    fingerprints: tuple[str, ...]
    texts: tuple[str, ...]
    labels: np.ndarray[Any, Any]
    valences: np.ndarray[Any, Any]
    authorities: np.ndarray[Any, Any]
    folds: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.texts)

    def columns(self, codes: tuple[str, ...]) -> Labelled:
        """The same paragraphs with these themes only."""
        places = [self.codes.index(code) for code in codes]
        return Labelled(
            codes,
            self.fingerprints,
            self.texts,
            self.labels[:, places],
            self.valences[:, places],
            self.authorities,
            self.folds,
        )

    def rows(self, which: np.ndarray[Any, Any]) -> Labelled:
        """Some of the paragraphs: ``which`` is a mask or positions."""
        import numpy as np

        places = np.arange(len(self))[which]
        return Labelled(
            self.codes,
            tuple(self.fingerprints[i] for i in places),
            tuple(self.texts[i] for i in places),
            self.labels[places],
            self.valences[places],
            self.authorities[places],
            self.folds[places],
        )


def as_arrays(labelled: pd.DataFrame, codes: tuple[str, ...], several: bool = True) -> Labelled:
    """Arrays from label rows with text.

    Parameters
    ----------
    labelled : DataFrame
        ``fingerprint, report, theme, valence, text``, a row a paragraph and theme (see :mod:`pipeline.themes.labels`),
        one reading a paragraph; and ``authority`` if known, else the report's folder stands for it. Themes that are not
        in ``codes`` (retired ones) count as not labelled.
    several : bool
        Whether authorities of more than one fold are needed.

    Raises
    ------
    UsageError
        Nothing is labelled, or all of it is of one authority, so that nothing could be tested.
    """
    import numpy as np

    if labelled.empty:
        raise UsageError("No labelled paragraph was found in the store; run `pipeline run` first, or label some.")
    heads = labelled.drop_duplicates("fingerprint").sort_values("fingerprint")
    fingerprints = tuple(heads["fingerprint"])
    row_of = {key: i for i, key in enumerate(fingerprints)}
    column_of = {code: j for j, code in enumerate(codes)}
    place = {sign: v for v, sign in enumerate(VALENCES)}
    labels = np.zeros((len(heads), len(codes)), bool)
    valences = np.full(labels.shape, -1, np.int8)
    for key, theme, valence in zip(labelled["fingerprint"], labelled["theme"], labelled["valence"], strict=True):
        if theme in column_of:
            labels[row_of[key], column_of[theme]] = True
            valences[row_of[key], column_of[theme]] = place[valence]
    named = heads["authority"] if "authority" in heads else heads["report"].map(folder_of)
    authorities = np.array([str(name) for name in named])
    folds = np.array([fold_of(name) for name in authorities])
    if several and len(set(folds.tolist())) < 2:
        raise UsageError(
            f"The labels are of too few authorities to test a model on others ({len(set(authorities.tolist()))}); "
            "label paragraphs of more."
        )
    return Labelled(codes, fingerprints, tuple(heads["text"]), labels, valences, authorities, folds)


def folder_of(report: str) -> str:
    """The folder that a report lies in, in lower case: its authority, where none is named."""
    return str(report).replace("\\", "/").rpartition("/")[0].rpartition("/")[2].lower()


def fold_of(authority: str) -> int:
    """The fold of an authority, from 0."""
    return hashlib.sha1(authority.encode(), usedforsecurity=False).digest()[0] % FOLDS


def trainable(data: Labelled) -> tuple[str, ...]:
    """Themes with enough labelled paragraphs, in more than one fold, and not in all paragraphs."""
    import numpy as np

    kept = []
    for column, code in enumerate(data.codes):
        positive = data.labels[:, column]
        spread = len(np.unique(data.folds[positive]))
        if MINIMUM_POSITIVES <= positive.sum() < len(data) and spread > 1:
            kept.append(code)
    return tuple(kept)
