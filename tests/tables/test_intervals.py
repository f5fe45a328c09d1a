"""The cluster bootstrap: its weights, its coverage where reports differ, and where it keeps silent."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.tables.intervals import MINIMUM_REPORTS, ratio_intervals, redrawn

REPLICATES = 400


def drawn(reports: int, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Paragraph counts of reports that differ: beta-binomial with intraclass correlation 0.05; (carrying, all)."""
    sizes = 1 + rng.gamma(2, 60, size=reports).astype(int)
    spread = (1 - 0.05) / 0.05
    own = rng.beta(share * spread, (1 - share) * spread, size=(reports, REPLICATES))
    return rng.binomial(sizes[:, None], own), sizes


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3])
@pytest.mark.parametrize(("reports", "least"), [(10, 0.87), (35, 0.91), (130, 0.925)])
def test_intervals_cover_where_the_naive_one_does_not(reports: int, least: float, share: float) -> None:
    rng = np.random.default_rng([reports, int(100 * share)])
    covered, naive = [], []
    for _ in range(4):
        carrying, sizes = drawn(reports, share, rng)
        low, high = ratio_intervals([(carrying, sizes)], 800, rng)
        covered.append((low[0] <= share) & (share <= high[0]))
        observed = carrying.sum(axis=0) / sizes.sum()
        half = 1.96 * np.sqrt(observed * (1 - observed) / sizes.sum())
        naive.append(np.abs(observed - share) <= half)
    assert least <= np.mean(covered) <= 0.975
    # As if paragraphs were drawn one by one, whatever report they stand in.
    assert np.mean(naive) < 0.75


def test_weights_redraw_every_report_equally_often_and_in_bounded_blocks() -> None:
    blocks = list(redrawn(3_000, 3_000, np.random.default_rng(0)))
    assert len(blocks) > 1
    weights = np.concatenate(blocks)
    assert weights.shape == (3_000, 3_000)
    assert (weights.sum(axis=1) == 3_000).all()
    # A Poisson-like spread: mean 1 and variance 1 - 1/n, as drawing with replacement has.
    assert weights.mean(axis=0).min() > 0.9
    assert abs(weights.var() - 1) < 0.01


def test_silence_where_nothing_can_be_said() -> None:
    rng = np.random.default_rng(0)
    sizes = np.full(20, 50)
    few = np.ones((MINIMUM_REPORTS - 1, 2))
    assert np.isnan(ratio_intervals([(few, sizes[: len(few)])], 100, rng)).all()
    assert np.isnan(ratio_intervals([(np.ones((20, 2)), sizes)], 0, rng)).all()
    never_and_alike = np.column_stack([np.zeros(20), np.full(20, 5)])
    assert np.isnan(ratio_intervals([(never_and_alike, sizes)], 100, rng)).all()
    assert np.isnan(ratio_intervals([(np.zeros((20, 2)), np.zeros(20))], 100, rng)).all()


def test_rare_and_common_side_by_side_keep_their_own_bounds() -> None:
    rng = np.random.default_rng(1)
    sizes = np.full(30, 100)
    counted = np.column_stack([rng.binomial(1, 0.1, 30), rng.binomial(100, 0.5, 30)])
    low, high = ratio_intervals([(counted, sizes)], 1_000, rng)
    assert 0 <= low[0, 0] < counted[:, 0].sum() / 3_000 < high[0, 0] < 0.02
    assert 0.4 < low[0, 1] < high[0, 1] < 0.6


def test_the_same_seed_gives_the_same_interval() -> None:
    counted, sizes = np.random.default_rng(2).poisson(8, (40, 3)), np.full(40, 100)
    first, second = (ratio_intervals([(counted, sizes)], 200, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
