"""Evaluation of the model in use, the learning curve, and what is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline.themes.evaluation import CURVE_COLUMNS, evaluate, learning_curve, write_evaluation
from pipeline.themes.taxonomy import Taxonomy, parse_taxonomy
from pipeline.themes.training import TrainingResult
from tests.themes.invented import TAXONOMY, invented


def test_labels_that_it_was_trained_on_are_scored_by_answers_from_before(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    evaluation = evaluate(labelled, taxonomy, trained.folder.parent)
    pd.testing.assert_frame_equal(evaluation.scores.overall, trained.scores.overall, atol=1e-3)
    assert evaluation.notes[0].startswith("300 of 300 paragraphs were among those that the model was trained on")


def test_labels_from_elsewhere_are_scored_by_the_model_itself(trained: TrainingResult, taxonomy: Taxonomy) -> None:
    others = invented(("housing", "money", "travel"), authorities=1, each=60, seed=77)
    evaluation = evaluate(others, taxonomy, trained.folder.parent)
    assert evaluation.notes[0].startswith("0 of 60 paragraphs")
    assert set(evaluation.scores.themes["of"]) == {60}
    assert evaluation.scores.value("macro_f1") > 0.9


def test_paragraphs_drawn_at_random_are_scored_by_themselves_too(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    assert evaluate(labelled.drop(columns="drawn", errors="ignore"), taxonomy, trained.folder.parent).at_random is None
    keys = sorted(labelled["fingerprint"].unique())
    wrong = {"housing": "money", "money": "travel", "travel": "housing", "": ""}
    picked = labelled["fingerprint"].isin(keys[::2])
    mixed = labelled.assign(
        drawn=picked.map({True: "uncertain", False: "random by era"}),
        theme=labelled["theme"].where(~picked, labelled["theme"].map(wrong)),
    )
    evaluation = evaluate(mixed, taxonomy, trained.folder.parent)
    assert evaluation.at_random is not None
    assert set(evaluation.at_random.themes["of"]) == {len(keys) - len(keys[::2])}
    assert evaluation.at_random.value("micro_f1") > 0.95 > evaluation.scores.value("micro_f1")


def test_wrong_labels_are_scored_as_such(trained: TrainingResult, taxonomy: Taxonomy) -> None:
    others = invented(("housing", "money", "travel"), authorities=2, each=40, seed=78)
    following = {"housing": "money", "money": "travel", "travel": "housing", "": ""}
    evaluation = evaluate(others.assign(theme=others["theme"].map(following)), taxonomy, trained.folder.parent)
    assert evaluation.scores.value("macro_f1") < 0.5


def test_a_theme_without_a_classifier_is_named(trained: TrainingResult, labelled: pd.DataFrame) -> None:
    grown = parse_taxonomy(
        TAXONOMY.replace("sections:", "  - {code: art, name: Art, definition: Pictures.}\nsections:")
    )
    evaluation = evaluate(labelled, grown, trained.folder.parent)
    assert "Not scored, because the model has no classifier for them: art." in evaluation.notes


def test_more_labels_score_better_and_all_of_it_is_written(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    curve = learning_curve(labelled, taxonomy)
    assert list(curve.columns) == list(CURVE_COLUMNS)
    assert curve["paragraphs"].is_monotonic_increasing
    assert curve["macro_f1"].iloc[-1] > curve["macro_f1"].iloc[0]
    assert curve["macro_f1"].iloc[-1] == pytest.approx(trained.scores.value("macro_f1"))
    evaluation = evaluate(labelled, taxonomy, trained.folder.parent)
    written = write_evaluation(evaluation, tmp_path, curve)
    assert len(written) == len(list(tmp_path.iterdir())) == 10
    themes = pd.read_csv(tmp_path / "evaluation_themes.csv")
    assert set(themes["theme"]) == {"housing", "money", "travel"}
    assert (tmp_path / "evaluation_themes.png").read_bytes().startswith(b"\x89PNG")
    assert ">travel<" in (tmp_path / "evaluation_themes.svg").read_text(encoding="utf-8")


def test_an_evaluation_needs_the_answers_that_were_kept(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    from pipeline.errors import PipelineError
    from pipeline.themes.answers import ANSWERS

    shutil.copytree(trained.folder.parent, tmp_path / "models")
    (tmp_path / "models" / trained.model_id / ANSWERS).unlink()
    with pytest.raises(PipelineError, match="cannot be used"):
        evaluate(labelled, taxonomy, tmp_path / "models")
