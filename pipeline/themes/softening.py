"""Targets that doubt the labels a little: a hasty reading is now and then wrong, and a network learns that, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from pipeline.themes.calibration import log_odds
from pipeline.themes.dataset import Labelled, fold_of, trainable
from pipeline.themes.fitting import cross_calibrated, fit_and_test, fit_topics
from pipeline.themes.taxonomy import Taxonomy
from pipeline.themes.terms import TermMatcher

_OWN, _OTHER = 0.6, 0.4  # of the log-odds of both: about what joins them best on authorities left out
_DOUBT = 0.15  # how far a target is drawn towards what both say
_DISPUTED = 0.5  # how far, where the two together contradict the label and the other does not clearly support it
_CONTRADICTS = 0.5  # log-odds of the two together, beyond 0 on the other side
_STILL_PRESENT, _STILL_ABSENT = 0.3, -1.2  # log-odds from which on the other supports the label clearly


def softened(present: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Labels drawn towards what two models say of the same texts.

    Bootstrapping: Reed et al. 2015, "Training deep neural networks on noisy labels with bootstrapping".

    Parameters
    ----------
    present : float32 [n, k]
        The labels, 0 or 1.
    own : float [n, k]
        Probabilities by the network in training; it has learned from most of these labels.
    other : float [n, k]
        Probabilities by a model that has not seen the text's authority; NaN where it has none: ``own`` stands alone.

    Returns
    -------
    float32 [n, k]
        Between 0 and 1.
    """
    mine = log_odds(own)
    theirs = np.where(np.isnan(other), mine, log_odds(np.nan_to_num(other, nan=0.5)))
    both = _OWN * mine + _OTHER * theirs
    disputed = np.where(
        present > 0.5,
        (both < -_CONTRADICTS) & (theirs < _STILL_PRESENT),
        (both > _CONTRADICTS) & (theirs > _STILL_ABSENT),
    )
    share = np.where(disputed, _DISPUTED, _DOUBT)
    soft: np.ndarray = ((1 - share) * present + share * expit(both)).astype(np.float32)
    return soft


def left_out_readings(
    texts: Sequence[str],
    present: np.ndarray,
    valences: np.ndarray,
    authorities: Sequence[str],
    codes: Sequence[str],
    taxonomy: Taxonomy,
    seed: int,
) -> np.ndarray:
    """What the classifier without an encoder says of labelled texts with their authorities left out.

    Parameters
    ----------
    present : bool [n, k]
    valences : int [n, k]
        Positions in :data:`~pipeline.domain.VALENCES`, -1 where the theme is absent.

    Returns
    -------
    float [n, k]
        Calibrated probabilities; NaN for themes with too few labels.

    Raises
    ------
    UsageError
        The labels are nearly all of one valence.
    """
    data = Labelled(
        tuple(codes),
        tuple(str(i) for i in range(len(texts))),
        tuple(texts),
        present,
        valences.astype(np.int8),
        np.array(authorities),
        np.array([fold_of(name) for name in authorities]),
    )
    able = trainable(data)
    probabilities: np.ndarray[Any, Any] = np.full(present.shape, np.nan)
    if not able:
        return probabilities
    data = data.columns(able)
    matcher = TermMatcher(taxonomy.themes)
    topics = fit_topics(sorted(set(texts)), seed)
    _, left_out = fit_and_test(data, [matcher.read(text) for text in texts], matcher, topics, seed)
    calibrated, _ = cross_calibrated(left_out.scores, data.labels, data.folds)
    probabilities[:, [list(codes).index(code) for code in able]] = calibrated
    return probabilities
