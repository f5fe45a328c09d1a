"""Tags, and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UsageError
from pipeline.themes.encoder import read_facts
from pipeline.themes.registry import list_models
from pipeline.themes.tagger import Tagger, tagger_stamp
from pipeline.themes.taxonomy import Taxonomy, parse_taxonomy
from pipeline.themes.training import TrainingResult
from tests.themes.invented import TAXONOMY

FLAT = (
    "Neighbours wrote about the excellent temporary flat by the canal. Staff talked of a dreadful minibus each morning."
)


@pytest.fixture(scope="module")
def tagger(trained: TrainingResult, taxonomy: Taxonomy) -> Tagger:
    return Tagger.load(trained.folder.parent, taxonomy, encoder=False)


def test_each_theme_has_the_valence_of_its_own_sentence(tagger: Tagger) -> None:
    assert [(tag.theme, tag.valence) for tag in tagger.tag([FLAT])[0]] == [("housing", "+"), ("travel", "-")]


def test_tags_are_the_probabilities_that_reach_their_thresholds(tagger: Tagger) -> None:
    texts = [FLAT, "", "A purse. The landlord and the ordinary rooms.", "x" * 5000, "\u202e\x00 \ud7ff"]
    probabilities = tagger.probabilities(texts)
    assert probabilities.shape == (5, 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    thresholds = tagger.thresholds()
    for row, tags in zip(probabilities, tagger.tag(texts), strict=True):
        expected = {c: p for c, p in zip(tagger.codes, row, strict=True) if p >= thresholds[c]}
        assert {tag.theme: tag.probability for tag in tags} == pytest.approx(expected, abs=1e-4)


def test_a_text_s_tags_do_not_depend_on_its_neighbours(tagger: Tagger) -> None:
    texts = [FLAT, "UC paid splendid.", "Building 3 was quiet."]
    together = tagger.tag(texts)
    assert together == [tagger.tag([text])[0] for text in texts]
    assert tagger.tag([]) == []


def test_an_explanation_gives_the_sentence_the_terms_and_the_words(tagger: Tagger) -> None:
    why = tagger.explain(FLAT, "travel")
    assert why.sentence == "Staff talked of a dreadful minibus each morning."
    assert why.terms == ("minibus",)
    assert "minibus" in why.words
    assert why.probability >= why.threshold
    not_there = tagger.explain(FLAT, "money")
    assert not_there.terms == ()
    assert not_there.probability < not_there.threshold
    with pytest.raises(UsageError, match="no theme 'weather'"):
        tagger.explain(FLAT, "weather")


def test_an_explanation_of_a_theme_tagged_by_terms_gives_their_sentence(trained: TrainingResult) -> None:
    grown = parse_taxonomy(TAXONOMY.replace("code: money", "code: income").replace("housing, money", "housing, income"))
    tagger = Tagger.load(trained.folder.parent, grown, encoder=False)
    why = tagger.explain("It rained. An allowance came. It stopped.", "income")
    assert (why.sentence, why.terms, why.words) == ("An allowance came.", ("allowance",), ())


def test_a_retired_theme_is_not_tagged(trained: TrainingResult) -> None:
    fewer = parse_taxonomy(TAXONOMY.replace("    terms: [minibus]\n", "    terms: [minibus]\n    retired: true\n"))
    tagger = Tagger.load(trained.folder.parent, fewer, encoder=False)
    assert tagger.codes == ("housing", "money")
    assert [tag.theme for tag in tagger.tag([FLAT])[0]] == ["housing"]
    assert tagger.notes == ()


def test_a_theme_without_classifier_and_terms_is_said_never_to_be_tagged(trained: TrainingResult) -> None:
    grown = parse_taxonomy(
        TAXONOMY.replace("sections:", "  - {code: art, name: Art, definition: Pictures.}\nsections:")
    )
    assert (
        "Never tagged, because the taxonomy gives no terms either: art."
        in Tagger.load(trained.folder.parent, grown, encoder=False).notes
    )


def test_a_model_of_another_taxonomy_is_refused(trained: TrainingResult, shipped_taxonomy: Taxonomy) -> None:
    with pytest.raises(UsageError, match="was trained for another taxonomy: it knows 0 of the 32 themes in use"):
        Tagger.load(trained.folder.parent, shipped_taxonomy, encoder=False)


def test_what_ships_belongs_together_and_is_small(repository: Path, shipped_taxonomy: Taxonomy) -> None:
    models = repository / "models"
    assert sum(path.stat().st_size for path in models.rglob("*") if path.is_file()) < 40_000_000
    (listed,) = list_models(models)
    assert listed.in_use
    assert listed.fault is None
    assert listed.manifest is not None
    assert listed.manifest.codes == shipped_taxonomy.codes
    assert listed.manifest.stack is not None
    assert listed.manifest.stack.encoder_id == read_facts(models / "encoder").encoder_id
    assert tagger_stamp(models, shipped_taxonomy, encoder=True) != tagger_stamp(models, shipped_taxonomy, encoder=False)


def test_the_shipped_model_tags_every_theme_of_the_shipped_taxonomy(
    repository: Path, shipped_taxonomy: Taxonomy
) -> None:
    tagger = Tagger.load(repository / "models", shipped_taxonomy, encoder=False)
    assert tagger.notes == ()
    texts = [
        "Personal advisers keep in touch with care leavers, whose pathway plans are clear and up to date.",
        "Too many children wait a long time for an assessment, and drift and delay are common.",
        "IROs challenge weak planning well and escalate their concerns.",
        "The town lies by the sea and has two railway stations.",
    ]
    tags = [{tag.theme: tag.valence for tag in found} for found in tagger.tag(texts)]
    assert tags[0]["care_leavers"] == "+"
    assert tags[1]["drift_delay"] == "-"
    assert tags[2]["iro_challenge"] == "+"
    assert tags[3] == {}
    assert np.isfinite(tagger.probabilities(texts)).all()
