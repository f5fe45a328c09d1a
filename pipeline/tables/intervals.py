"""How sure a share is, when reports and not paragraphs are what was sampled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import ndtri

CONFIDENCE = 0.95
DRAWS = 1_000
SEED = 20141203
"""Fixed, so that the same reports give the same table: the date of the paper."""

MINIMUM_REPORTS = 5
"""Fewer reports say too little of how much reports differ: no interval is given."""

_WEIGHTS_AT_A_TIME = 4_000_000


def percent(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part`` in 100 of ``whole`` as float64; NaN where ``whole`` is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(whole) > 0, 100 * np.asarray(part) / np.asarray(whole), np.nan)


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
    measures: Sequence[tuple[np.ndarray, np.ndarray]],
    draws: int,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of ratios of sums over reports by the bootstrap-t: whole reports are redrawn.

    Each draw's distance from the observed ratio is divided by the draw's own linearised standard error before
    quantiles are taken (Efron and Tibshirani 1993, chapter 12). Plain quantiles of the redrawn ratios were seen to
    cover 75 to 90 % of the time where a band has 5 to 20 reports, these 81 to 95 %; from 35 reports on 92 to 95 %.

    Parameters
    ----------
    measures : sequence of (ndarray of shape (reports, ratios), ndarray of shape (reports,))
        Numerators and denominators: paragraphs, words, or ones for an average a report.

    Returns
    -------
    (low, high) : ndarrays of float64, shape (measures, ratios)
        Not below 0. NaN where nothing can be said: fewer than :data:`MINIMUM_REPORTS` reports, no draws, nothing
        counted, or every report alike.
    """
    reports, ratios = measures[0][0].shape
    low, high = np.full((2, len(measures), ratios), np.nan)
    if reports < MINIMUM_REPORTS or draws < 1:
        return low, high
    sums = [_Ratio(top.astype(float), bottom.astype(float)) for top, bottom in measures]
    drawn: list[list[np.ndarray]] = [[] for _ in sums]
    for weights in redrawn(reports, draws, rng):
        for ratio, kept in zip(sums, drawn, strict=True):
            kept.append(ratio.studentised(weights))
    tails = [(1 + confidence) / 2, (1 - confidence) / 2]
    for number, (ratio, kept) in enumerate(zip(sums, drawn, strict=True)):
        value, error = ratio.estimate()
        told = np.isfinite(value) & (error > 0)
        upper, lower = np.nanquantile(np.concatenate(kept)[:, told], tails, axis=0) if told.any() else (0.0, 0.0)
        low[number, told] = np.maximum(value[told] - upper * error[told], 0)
        high[number, told] = value[told] - lower * error[told]
    return low, high


class _Ratio:
    """Sums over reports of numerators, denominators, their squares and products."""

    def __init__(self, top: np.ndarray, bottom: np.ndarray) -> None:
        self.ratios = top.shape[1]
        base = bottom[:, None]
        self.columns = np.hstack([top, top**2, top * base, base, base**2])
        self.value, self.error = self._of(np.ones((1, len(top))))

    def _of(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The ratios and their standard errors, for each row of weights."""
        summed = weights @ self.columns
        n = weights.shape[1]
        top, squares, products = (summed[:, k * self.ratios : (k + 1) * self.ratios] for k in range(3))
        bottom, bottom_squares = summed[:, -2:-1], summed[:, -1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            value = top / bottom
            variance = squares - 2 * value * products + value**2 * bottom_squares
            # Rounding can leave a variance of nothing a little off 0.
            variance = np.where(variance > 1e-9 * squares, variance, 0.0)
            return value, np.sqrt(variance * n / (n - 1)) / bottom

    def estimate(self) -> tuple[np.ndarray, np.ndarray]:
        """The ratios and their standard errors, each of shape (ratios,)."""
        return self.value[0], self.error[0]

    def studentised(self, weights: np.ndarray) -> np.ndarray:
        """(redrawn - observed) / redrawn standard error; NaN for a draw without spread. Shape (draws, ratios)."""
        value, error = self._of(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(error > 0, (value - self.value) / error, np.nan))
