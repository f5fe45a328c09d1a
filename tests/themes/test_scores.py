"""Scores against hand-counted cases and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from pipeline.themes.calibration import best_threshold, fit_calibration, sigmoid_of
from pipeline.themes.scores import Predictions, difference, score


def drawn(seed: int, noise: float, n: int = 600, k: int = 4) -> Predictions:
    random = np.random.default_rng(0)
    labels = random.random((n, k)) < [0.5, 0.3, 0.2, 0.1][:k]
    flipped = np.random.default_rng(seed).random((n, k)) < noise
    tagged = labels ^ flipped
    valences = np.where(labels, random.integers(0, 3, (n, k)), -1)
    authorities = np.array([f"a{i}" for i in random.integers(0, 20, n)])
    return Predictions(
        tuple("abcd"[:k]), labels, tagged, np.where(tagged, 0.8, 0.1), valences, np.zeros((n, k), int), authorities
    )


def test_f1_precision_and_recall_are_scikit_learn_s() -> None:
    given = drawn(1, 0.1)
    scores = score(given)
    for name, function in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        np.testing.assert_allclose(scores.themes[name], function(given.labels, given.tagged, average=None))
    assert scores.value("macro_f1") == pytest.approx(f1_score(given.labels, given.tagged, average="macro"))
    assert scores.value("micro_f1") == pytest.approx(f1_score(given.labels, given.tagged, average="micro"))


def test_valence_is_counted_over_themes_rightly_found() -> None:
    given = drawn(1, 0.1)
    both = given.labels & given.tagged
    right = (both & (given.label_valences == 0)).sum()
    scores = score(given)
    assert scores.value("valence_accuracy") == pytest.approx(right / both.sum())
    assert scores.themes["valence_of"].sum() == both.sum()


def test_intervals_hold_the_value_and_are_wider_for_rarer_themes() -> None:
    themes = score(drawn(1, 0.1)).themes.set_index("theme")
    assert ((themes["f1_low"] < themes["f1"]) & (themes["f1"] < themes["f1_high"])).all()
    width = themes["f1_high"] - themes["f1_low"]
    assert width["d"] > width["a"]


def test_calibration_error_is_the_gap_between_said_and_seen() -> None:
    n = 1000
    labels = (np.arange(n) % 10 < 3).reshape(-1, 1)
    ones = np.ones((n, 1))
    answers = Predictions(("a",), labels, labels, ones * 0.3, labels - 1, labels - 1, np.repeat(["x", "y"], n // 2))
    assert score(answers).themes["calibration_error"].iloc[0] == pytest.approx(0)
    sure = Predictions(("a",), labels, labels, ones * 0.9, labels - 1, labels - 1, answers.authorities)
    scores = score(sure)
    assert scores.themes["calibration_error"].iloc[0] == pytest.approx(0.6)
    assert scores.reliability.to_dict("records") == [
        {"theme": "a", "bin": 9, "paragraphs": n, "mean_probability": pytest.approx(0.9), "labelled_share": 0.3}
    ]


def test_a_theme_that_nobody_labelled_is_listed_and_not_averaged() -> None:
    given = drawn(1, 0.0)
    labels, tagged = given.labels.copy(), given.tagged.copy()
    labels[:, 3] = False
    tagged[:, 3] = False
    scores = score(
        Predictions(given.codes, labels, tagged, given.probabilities, given.valences, given.valences, given.authorities)
    )
    assert np.isnan(scores.themes["f1"].iloc[3])
    assert scores.value("macro_f1") == 1


def test_a_paired_difference_knows_better_from_equal() -> None:
    better, worse = drawn(1, 0.02), drawn(2, 0.15)
    apart = difference(better, worse)
    assert 0 < apart.low < apart.value < apart.high
    same = difference(better, better)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    back = difference(worse, better)
    assert back.value == pytest.approx(-apart.value)
    with pytest.raises(ValueError, match="same paragraphs"):
        difference(better, drawn(1, 0.02, n=500))


def test_sigmoids_turn_scores_into_the_share_that_is_right() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=4000) * 3
    labels = random.random(4000) < 1 / (1 + np.exp(-(0.5 * scores - 1)))
    fitted = fit_calibration(scores, labels)
    assert fitted.slope == pytest.approx(0.5, abs=0.05)
    assert fitted.intercept == pytest.approx(-1, abs=0.15)
    assert sigmoid_of(scores, fitted.slope, fitted.intercept).mean() == pytest.approx(labels.mean(), abs=0.01)


def test_scores_that_rank_backwards_are_not_turned_round() -> None:
    scores = np.arange(100.0)
    fitted = fit_calibration(scores, scores < 30)
    assert (fitted.slope, fitted.intercept, fitted.threshold) == (1, 0, 0.5)


def test_the_threshold_is_as_good_as_any_where_probabilities_are_true() -> None:
    random = np.random.default_rng(0)
    probabilities = random.beta(0.3, 1.2, 20_000)
    labels = random.random(20_000) < probabilities
    threshold = best_threshold(probabilities)
    tried = [f1_score(labels, probabilities >= t) for t in np.arange(0.05, 0.95, 0.01)]
    assert f1_score(labels, probabilities >= threshold) == pytest.approx(max(tried), abs=0.006)
    assert threshold == pytest.approx(max(tried) / 2, abs=0.02)
