"""How sure a share is, when reports and not paragraphs are what was sampled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri

CONFIDENCE = 0.95
DRAWS = 1_000
SEED = 20141203
"""Fixed, so that the same reports give the same table: the date of the paper."""

_WEIGHTS_AT_A_TIME = 4_000_000


def wilson(successes: np.ndarray, trials: np.ndarray, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a proportion of independent units, as proportions; NaN where there are no trials (Wilson 1927)."""
    z = ndtri(0.5 + confidence / 2)
    trials = np.asarray(trials, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(trials > 0, successes / trials, np.nan)
        centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
        half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def redrawn(cells: int, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Bootstrap weights: how often each of ``cells`` reports is drawn, in blocks of shape (some draws, cells), float64.

    Blocks keep memory bounded however many reports there are; their rows add up to ``draws``.
    """
    at_a_time = max(1, min(draws, _WEIGHTS_AT_A_TIME // max(cells, 1)))
    for start in range(0, draws, at_a_time):
        block = min(at_a_time, draws - start)
        drawn = rng.integers(0, cells, size=(block, cells)) + np.arange(block)[:, None] * cells
        yield np.bincount(drawn.ravel(), minlength=block * cells).reshape(block, cells).astype(np.float64)


def ratio_intervals(
    numerators: np.ndarray,
    denominators: np.ndarray,
    draws: int,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of ratios of sums over reports, by the cluster bootstrap: whole reports are redrawn.

    Parameters
    ----------
    numerators : ndarray, shape (reports, ratios)
    denominators : ndarray, shape (reports, ratios) or (reports, 1)
        Paragraphs, words, or 1 for an average a report.

    Returns
    -------
    (low, high) : ndarrays of float64, shape (ratios,)
        NaN where fewer than two reports, or no draw, leave nothing to judge the spread by.
    """
    reports, ratios = numerators.shape
    if reports < 2 or draws < 1:
        return np.full(ratios, np.nan), np.full(ratios, np.nan)
    top, bottom = numerators.astype(float), denominators.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.concatenate([(weights @ top) / (weights @ bottom) for weights in redrawn(reports, draws, rng)])
    low, high = np.nanquantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
