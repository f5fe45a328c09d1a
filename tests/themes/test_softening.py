"""Targets drawn towards what models say of the texts."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.themes.softening import left_out_readings, softened
from pipeline.themes.taxonomy import Taxonomy


def test_a_label_that_both_models_share_hardly_moves() -> None:
    soft = softened(np.array([[1.0, 0.0]]), np.array([[0.95, 0.02]]), np.array([[0.9, 0.05]]))
    assert soft[0, 0] > 0.98
    assert soft[0, 1] < 0.02


def test_a_label_that_both_models_contradict_is_left_half_open() -> None:
    soft = softened(np.array([[1.0, 0.0]]), np.array([[0.02, 0.97]]), np.array([[0.05, 0.9]]))
    assert soft[0] == pytest.approx([0.5, 0.5], abs=0.04)


def test_the_other_models_clear_support_saves_a_label() -> None:
    supported = softened(np.array([[1.0, 0.0]]), np.array([[0.02, 0.98]]), np.array([[0.6, 0.2]]))
    assert supported[0, 0] > 0.8
    assert supported[0, 1] < 0.2
    doubted = softened(np.array([[1.0, 0.0]]), np.array([[0.02, 0.98]]), np.array([[0.5, 0.3]]))
    assert doubted[0, 0] < 0.7
    assert doubted[0, 1] > 0.3


def test_a_label_that_one_model_contradicts_keeps_its_side() -> None:
    soft = softened(np.array([[1.0, 0.0]]), np.array([[0.3, 0.7]]), np.array([[0.9, 0.1]]))
    assert soft[0, 0] > 0.85
    assert soft[0, 1] < 0.15


def test_where_no_other_model_speaks_the_network_stands_alone() -> None:
    alone = softened(np.array([[1.0]]), np.array([[0.3]]), np.array([[np.nan]]))
    assert alone == pytest.approx(softened(np.array([[1.0]]), np.array([[0.3]]), np.array([[0.3]])))


def test_readings_are_of_authorities_left_out_and_missing_for_rare_themes(taxonomy: Taxonomy) -> None:
    texts, present, authorities = [], [], []
    for town in range(8):
        for i in range(8):
            praised = i % 2 == 0
            texts.append(
                f"Adopters are well prepared in ward {i}." if praised else f"Children wait for therapy, case {i}."
            )
            present.append([praised, not praised, town == i == 0])
            authorities.append(f"{town}_town")
    labels = np.array(present)
    # One authority's labels are the wrong way round: readings that had seen them would follow.
    labels[:8, :2] = ~labels[:8, :2]
    read = left_out_readings(
        texts,
        labels,
        np.where(labels, np.arange(len(texts))[:, None] % 3, -1),
        authorities,
        ("adoption", "camhs", "legal"),
        taxonomy,
        seed=0,
    )
    assert np.isnan(read[:, 2]).all()
    assert ((read[8:, :2] > 0.5) == labels[8:, :2]).all()
    assert ((read[:8, :2] > 0.5) == ~labels[:8, :2]).all()
