"""Standard errors, intervals and tests when what was sampled comes in clusters that are alike within.

An authority is inspected again and again, and its reports resemble each other in grade and in themes: tests that take
its reports for independent find trends where there are none (12 % of the time instead of 5 %, and 64 % if even
paragraphs are taken for independent: ``tests/tables/test_contrasts.py``). The authority is therefore the cluster of
every test here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from pipeline.tables.intervals import CONFIDENCE

MINIMUM_CLUSTERS = 10
"""With fewer authorities no test and no interval is given."""


def clustered_sums(influence: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Rows of ``influence`` added up by cluster: shape (clusters, items)."""
    numbers, present = pd.factorize(cluster)
    summed = np.zeros((len(present), influence.shape[1]))
    np.add.at(summed, numbers, influence)
    return summed


def clustered_error(influence: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, int]:
    """Standard error of an estimate from its influence values, and the degrees of freedom (clusters - 1).

    The sandwich estimator of Liang and Zeger (1986) with the factor G / (G - 1).

    Parameters
    ----------
    influence : ndarray, shape (units, items)
        Each unit's part in the estimate's deviation; they add up to 0.
    cluster : ndarray, shape (units,)
    """
    summed = clustered_sums(influence, cluster)
    count = len(summed)
    if count < 2:
        return np.full(influence.shape[1], np.nan), 0
    return np.sqrt((summed**2).sum(axis=0) * count / (count - 1)), count - 1


def two_sided(statistic: np.ndarray, freedom: int) -> np.ndarray:
    """p-values of Student's t; NaN where the statistic is, or where fewer than two clusters gave it."""
    if freedom < 1:
        return np.full(np.shape(statistic), np.nan)
    return np.asarray(2 * student.sf(np.abs(statistic), freedom))


def quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors an interval reaches to either side."""
    return float(student.ppf(0.5 + confidence / 2, freedom)) if freedom > 0 else float("nan")


def adjusted(p_values: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's (1995) q-values; missing p-values are no part of the family and stay missing."""
    from statsmodels.stats.multitest import multipletests

    q_values = np.full(p_values.shape, np.nan)
    told = np.isfinite(p_values)
    if told.any():
        q_values[told] = multipletests(p_values[told], method="fdr_bh")[1]
    return q_values
