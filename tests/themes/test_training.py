"""Training: what it learns, that it is repeatable, and what it puts to use."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UsageError
from pipeline.themes.answers import read_answers
from pipeline.themes.registry import current_id, list_models, promote, rollback, show
from pipeline.themes.tagger import Tagger
from pipeline.themes.taxonomy import Taxonomy, parse_taxonomy
from pipeline.themes.training import TrainingResult, train
from tests.themes.invented import TAXONOMY, invented


def test_it_learns_themes_and_valences_on_authorities_that_it_did_not_see(trained: TrainingResult) -> None:
    assert trained.scores.value("macro_f1") > 0.95
    assert trained.scores.value("valence_accuracy") > 0.8
    assert set(trained.scores.themes["of"]) == {300}
    assert trained.promoted
    assert trained.compared is None


def test_it_learns_what_no_term_says(trained: TrainingResult, taxonomy: Taxonomy) -> None:
    tagger = Tagger.load(trained.folder.parent, taxonomy, encoder=False)
    tags = tagger.tag(["Staff talked of the pavement to the school gate.", "Nothing of the kind was heard that day."])
    assert [tag.theme for tag in tags[0]] == ["travel"]
    assert tags[1] == []


def test_labels_that_say_nothing_are_not_learned(labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path) -> None:
    shuffled = labelled.copy()
    heads = shuffled.drop_duplicates("fingerprint")
    moved = np.random.default_rng(0).permutation(heads["text"].to_numpy())
    shuffled["text"] = shuffled["fingerprint"].map(dict(zip(heads["fingerprint"], moved, strict=True)))
    assert train(shuffled, taxonomy, tmp_path).scores.value("macro_f1") < 0.6


def test_the_same_labels_and_seed_give_the_same_model_in_whatever_order_they_come(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    again = train(labelled.sample(frac=1, random_state=3), taxonomy, tmp_path)
    assert again.model_id == trained.model_id
    pd.testing.assert_frame_equal(again.scores.themes, trained.scores.themes)


def test_each_answer_kept_is_of_a_model_that_did_not_see_the_authority(trained: TrainingResult) -> None:
    answers = read_answers(trained.folder, encoder=False)
    assert len(answers.fingerprints) == 300
    frame = answers.frame()
    tagged = frame[frame["tagged"]].groupby("theme").size()
    assert tagged.to_dict() == dict(zip(trained.scores.themes["theme"], trained.scores.themes["tagged"], strict=True))
    # Every tag has its valence, a wrong one too; what is neither tagged nor labelled has none.
    assert answers.has_all_valences
    assert set(frame.loc[frame["tagged"], "valence"]) <= {"+", "-", "0"}
    assert (frame.loc[answers.valences.ravel() < 0, "valence"] == "").all()


def test_a_worse_model_is_kept_but_not_put_to_use(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(trained.folder.parent, models)
    few = labelled[labelled["theme"] != ""]
    # A third of the labels moved to the next theme: what it learns from these is worse, on the labels as they are now.
    wrong = few.copy()
    chosen = np.random.default_rng(1).random(len(wrong)) < 0.45
    following = {"housing": "money", "money": "travel", "travel": "housing"}
    wrong.loc[chosen, "theme"] = wrong.loc[chosen, "theme"].map(following)
    wrong = wrong.drop_duplicates(["fingerprint", "theme"])
    result = train(wrong, taxonomy, models)
    assert result.compared is not None
    assert result.compared.paragraphs == wrong["fingerprint"].nunique()
    assert result.promoted == (result.compared.value >= -0.002)
    assert current_id(models) == (result.model_id if result.promoted else trained.model_id)
    assert {model.model_id for model in list_models(models)} == {trained.model_id, result.model_id}


def test_a_model_trained_on_less_loses_against_one_trained_on_more(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    little = labelled[labelled["report"].isin(sorted(labelled["report"].unique())[:4])]
    first = train(little, taxonomy, tmp_path)
    assert first.promoted
    second = train(labelled, taxonomy, tmp_path)
    assert second.previous == first.model_id
    assert second.compared is not None
    assert second.compared.paragraphs == 300
    assert second.compared.low <= second.compared.value <= second.compared.high
    assert second.promoted
    assert rollback(tmp_path) == first.model_id
    assert current_id(tmp_path) == first.model_id
    with pytest.raises(UsageError, match="nothing to roll back to"):
        rollback(tmp_path)
    assert promote(tmp_path, second.model_id) == first.model_id
    listed, card = show(tmp_path)
    assert listed.model_id == second.model_id
    assert "300 labelled paragraphs of 12 authorities" in card
    assert listed.metrics["compared"]["with"] == first.model_id


def test_training_again_on_the_same_labels_changes_nothing(
    trained: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    shutil.copytree(trained.folder.parent, tmp_path / "models")
    again = train(labelled, taxonomy, tmp_path / "models")
    assert (again.model_id, again.previous) == (trained.model_id, trained.model_id)
    assert again.compared is not None
    assert (again.compared.value, again.compared.low, again.compared.high) == (0, 0, 0)


def test_a_new_theme_is_tagged_by_its_terms_until_30_labels_give_it_a_classifier(
    trained: TrainingResult, labelled: pd.DataFrame, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(trained.folder.parent, models)
    grown = parse_taxonomy(
        TAXONOMY.replace(
            "sections:",
            "  - {code: gardens, name: Gardens, definition: Flower beds., terms: [allotment]}\nsections:",
        )
    )
    before = Tagger.load(models, grown, encoder=False)
    assert before.notes == (
        "1 theme has no trained classifier and is tagged by its terms until `pipeline train`: gardens.",
    )
    (tag,) = before.tag(["Children dig the allotment."])[0]
    assert (tag.theme, tag.model_id, tag.probability) == ("gardens", "terms", 0.5)
    unheard = "Children water the radishes and the spade is theirs."
    assert "gardens" not in [tag.theme for tag in before.tag([unheard])[0]]

    rows = invented(("money",), authorities=6, each=20, seed=9)
    carrying = rows[rows["theme"] == "money"].head(30)
    words = ["radishes and a spade", "an allotment", "watering radishes", "the spade in the soil"]
    carrying = carrying.assign(
        theme="gardens",
        text=[f"Children had {words[i % 4]} in plot {i}." for i in range(len(carrying))],
        fingerprint=[f"{i:012x}" for i in range(len(carrying))],
    )
    result = train(pd.concat([labelled, carrying]), grown, models)
    assert result.promoted
    after = Tagger.load(models, grown, encoder=False)
    assert after.notes == ()
    assert after.stamp != before.stamp
    assert ("gardens", result.model_id) in [(tag.theme, tag.model_id) for tag in after.tag([unheard])[0]]


def test_a_theme_with_too_few_labels_is_left_to_its_terms_and_said(
    labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    travel = labelled["theme"] == "travel"
    result = train(labelled[~travel | (travel.cumsum() <= 5)], taxonomy, tmp_path)
    assert list(result.scores.themes["theme"]) == ["housing", "money"]
    assert any("travel (5)" in note for note in result.notes)


def test_too_little_to_train_on_is_said(labelled: pd.DataFrame, taxonomy: Taxonomy, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No labelled paragraph was found"):
        train(labelled.head(0), taxonomy, tmp_path)
    with pytest.raises(UsageError, match="too few authorities"):
        train(labelled[labelled["report"] == labelled["report"].iloc[0]], taxonomy, tmp_path)
    with pytest.raises(UsageError, match="No theme has enough"):
        train(labelled.groupby("report").head(2), taxonomy, tmp_path)
    with pytest.raises(UsageError, match="nearly all of one valence"):
        train(labelled.assign(valence=labelled["valence"].where(labelled["valence"] == "", "+")), taxonomy, tmp_path)
    assert list(tmp_path.iterdir()) == []
