"""The encoder beside the classifier: weights, held-out readings, and a tagger with both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import PipelineError
from pipeline.themes.answers import read_answers
from pipeline.themes.encoder import Encoded
from pipeline.themes.evaluation import evaluate
from pipeline.themes.modelfile import load_model
from pipeline.themes.readings import HELD_OUT, EncoderReadings, HeldOut, encoder_readings, read_held_out, write_held_out
from pipeline.themes.stacking import packed, theme_scores, valence_scores
from pipeline.themes.tagger import Tagger
from pipeline.themes.taxonomy import Taxonomy, parse_taxonomy
from pipeline.themes.training import TrainingResult, train
from tests.themes.invented import TAXONOMY, invented

CODES = ("travel", "housing", "money")
ID = "stand-in-0123456789ab"


class StandIn:
    """An encoder that knows themes by the words of the invented corpus, and how it likes to be asked."""

    encoder_id = ID
    codes = CODES

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, texts: Sequence[str]) -> Encoded:
        self.asked += len(texts)
        words = {
            "travel": ("minibus", "pavement", "timetable"),
            "housing": ("tenancy", "flat", "landlord"),
            "money": ("allowance", "UC", "purse"),
        }
        there = np.array([[any(word in text for word in words[code]) for code in CODES] for text in texts], float)
        valence = np.zeros((len(texts), 3, 3), np.float32)
        for row, text in enumerate(texts):
            for column, code in enumerate(CODES):
                clause = next((part for part in text.split(".") if any(word in part for word in words[code])), "")
                good, bad = ("excellent", "splendid"), ("dreadful", "inadequate")
                best = 0 if any(w in clause for w in good) else 1 if any(w in clause for w in bad) else 2
                valence[row, column] = np.where(np.arange(3) == best, 0.9, 0.05)
        vectors = np.tile(np.arange(4, dtype=np.float32), (len(texts), 1))
        return Encoded(vectors, (0.05 + 0.9 * there).astype(np.float32), valence, CODES)


def heads(labelled: pd.DataFrame) -> pd.DataFrame:
    return labelled.drop_duplicates("fingerprint")


@pytest.fixture(scope="module")
def readings(labelled: pd.DataFrame) -> EncoderReadings:
    """Of the paragraphs of half the authorities."""
    some = heads(labelled[labelled["report"].isin(sorted(labelled["report"].unique())[::2])])
    return EncoderReadings(ID, CODES, tuple(some["fingerprint"]), packed(StandIn().encode(some["text"].tolist())))


@pytest.fixture(scope="module")
def stacked(
    tmp_path_factory: pytest.TempPathFactory, labelled: pd.DataFrame, taxonomy: Taxonomy, readings: EncoderReadings
) -> TrainingResult:
    return train(labelled, taxonomy, tmp_path_factory.mktemp("stacked"), encoder=readings)


def test_rows_hold_what_the_encoder_said_in_half_precision() -> None:
    encoded = StandIn().encode(["A minibus came. An excellent tenancy began.", "Nothing."])
    rows = packed(encoded)
    assert rows.shape == (2, 3 + 9 + 4)
    assert rows.dtype == np.float16
    odds = theme_scores(rows, 3)
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), encoded.theme_probability, atol=1e-3)
    np.testing.assert_allclose(valence_scores(rows, 3), encoded.valence, atol=1e-3)


def test_a_certain_encoder_does_not_become_infinite() -> None:
    sure = StandIn().encode(["A minibus."])
    certain = Encoded(sure.vectors, np.array([[1, 0, 0.5]], np.float32), sure.valence, CODES)
    assert np.isfinite(packed(certain)).all()


def test_the_encoder_is_believed_as_far_as_it_is_right(stacked: TrainingResult, readings: EncoderReadings) -> None:
    stack = load_model(stacked.folder).manifest.stack
    assert stack is not None
    assert stack.encoder_id == ID
    assert set(stack.themes) == set(CODES)
    assert all(entry.encoder > 0.5 for entry in stack.themes.values())
    assert stack.valence_weight > 0
    assert stacked.scores_with_encoder is not None
    assert set(stacked.scores_with_encoder.themes["of"]) == {len(readings.fingerprints)}
    assert stacked.scores_with_encoder.value("macro_f1") > 0.98
    assert stacked.scores_with_encoder.value("valence_accuracy") > stacked.scores.value("valence_accuracy")


def test_an_encoder_that_says_nothing_is_not_believed(
    labelled: pd.DataFrame, taxonomy: Taxonomy, readings: EncoderReadings, tmp_path: Path
) -> None:
    mixed = np.random.default_rng(0).permutation(readings.vectors)
    noise = EncoderReadings(ID, CODES, readings.fingerprints, mixed)
    result = train(labelled, taxonomy, tmp_path, encoder=noise)
    stack = load_model(result.folder).manifest.stack
    assert stack is not None
    assert all(abs(entry.encoder) < 0.2 < entry.classifier for entry in stack.themes.values())
    assert stack.valence_weight <= 0.5


def with_encoder(stacked: TrainingResult, taxonomy: Taxonomy) -> tuple[Tagger, StandIn]:
    encoder = StandIn()
    return Tagger(load_model(stacked.folder), taxonomy, encoder, wanted=True), encoder  # type: ignore[arg-type]


def test_vectors_kept_and_vectors_made_now_give_the_same_tags(stacked: TrainingResult, taxonomy: Taxonomy) -> None:
    tagger, encoder = with_encoder(stacked, taxonomy)
    texts = ["Visitors heard of the dreadful tenancy of the household.", "The timetable and its splendid stops."]
    kept = tagger.encode(texts)
    assert kept is not None
    assert encoder.asked == 2
    tags = tagger.tag(texts, kept)
    assert encoder.asked == 2
    assert tags == tagger.tag(texts)
    assert encoder.asked == 4
    assert [[(tag.theme, tag.valence) for tag in found] for found in tags] == [[("housing", "-")], [("travel", "+")]]
    assert tagger.notes == ()


def test_with_and_without_the_encoder_have_different_stamps(stacked: TrainingResult, taxonomy: Taxonomy) -> None:
    tagger, _ = with_encoder(stacked, taxonomy)
    without = Tagger(load_model(stacked.folder), taxonomy, None, wanted=False)
    assert tagger.stamp != without.stamp
    assert without.encoder_id is None
    assert without.encode(["a"]) is None
    absent = Tagger(load_model(stacked.folder), taxonomy, None, wanted=True)
    assert "no encoder takes part" in absent.notes[0]


def test_comparison_is_with_the_encoder_where_both_models_have_it(
    stacked: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, readings: EncoderReadings, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(stacked.folder.parent, models)
    fewer = labelled[labelled["report"] != labelled["report"].iloc[0]]
    result = train(fewer, taxonomy, models, encoder=readings)
    assert result.compared is not None
    mine = set(fewer["fingerprint"]) & set(readings.fingerprints)
    assert result.compared.paragraphs == len(mine) == len(read_answers(result.folder, encoder=True).fingerprints)


def test_evaluation_with_the_encoder_leaves_out_what_it_was_tuned_on(
    stacked: TrainingResult, labelled: pd.DataFrame, taxonomy: Taxonomy, readings: EncoderReadings
) -> None:
    models = stacked.folder.parent
    on = evaluate(labelled, taxonomy, models, readings)
    assert on.encoder
    assert set(on.scores.themes["of"]) == {len(readings.fingerprints)}
    assert any("that the encoder was tuned on are left out" in note for note in on.notes)
    assert stacked.scores_with_encoder is not None
    pd.testing.assert_frame_equal(on.scores.overall, stacked.scores_with_encoder.overall, atol=1e-3)
    off = evaluate(labelled, taxonomy, models)
    assert not off.encoder
    pd.testing.assert_frame_equal(off.scores.overall, stacked.scores.overall, atol=1e-3)


def test_held_out_readings_come_back_and_only_new_paragraphs_are_encoded(
    labelled: pd.DataFrame, readings: EncoderReadings, tmp_path: Path
) -> None:
    rows = heads(labelled)
    held = set(readings.fingerprints)
    others = [key for key in rows["fingerprint"] if key not in held]
    seen, new = frozenset(others[10:]) | held, others[:10]
    write_held_out(tmp_path, HeldOut(CODES, readings.fingerprints, readings.vectors, seen))
    encoder = StandIn()
    found = encoder_readings(
        tmp_path, ID, rows["fingerprint"].tolist(), rows["text"].tolist(), lambda texts: packed(encoder.encode(texts))
    )
    assert encoder.asked == 10
    assert set(found.fingerprints) == held | set(new)
    np.testing.assert_array_equal(found.of(readings.fingerprints[:3]), readings.vectors[:3, :12])
    (tmp_path / HELD_OUT).write_bytes(b"PK")
    with pytest.raises(PipelineError, match="cannot be used"):
        read_held_out(tmp_path)


class Gardener(StandIn):
    """Its vector tells garden tools from other words, though nobody tuned it on gardens."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        encoded = super().encode(texts)
        encoded.vectors[:, 2] = ["tool" in text for text in texts]
        return encoded


def test_a_new_theme_has_the_encoders_vector_from_30_labels_on(
    labelled: pd.DataFrame, readings: EncoderReadings, tmp_path: Path
) -> None:
    grown = parse_taxonomy(
        TAXONOMY.replace(
            "sections:", "  - {code: gardens, name: Gardens, definition: Beds., terms: [compost]}\nsections:"
        )
    )
    # Sixty paragraphs alike but for a word of its own in each; in half of them it is a tool, and they carry the theme.
    empty = invented(("money",), authorities=6, each=20, seed=9).query("theme == ''").head(60)
    assert len(empty) == 60
    own = [f"tool{i}" if i % 2 else f"warm{i}" for i in range(60)]
    more = empty.assign(
        theme=["gardens" if word.startswith("tool") else "" for word in own],
        valence=["+" if word.startswith("tool") else "" for word in own],
        text=[text.replace("quiet", word) for text, word in zip(empty["text"], own, strict=True)],
        fingerprint=[f"{i:012x}" for i in range(60)],
    )
    everything = pd.concat([labelled, more])
    text_of = dict(zip(everything["fingerprint"], everything["text"], strict=True))
    asked: list[str] = []

    def vectors(fingerprints: Sequence[str]) -> np.ndarray:
        asked.extend(fingerprints)
        return Gardener().encode([text_of[key] for key in fingerprints]).vectors

    result = train(everything, grown, tmp_path, encoder=readings, vectors=vectors)
    assert set(asked) == set(text_of)
    model = load_model(result.folder)
    assert model.manifest.stack is not None
    assert model.manifest.stack.themes["gardens"].head is not None
    assert model.manifest.stack.themes["money"].head is None
    # No label has the word, no term is in it: only the vector can tell.
    unheard = "Building 2 room 77 was tool99 that day."
    with_vector = Tagger(model, grown, Gardener(), wanted=True)  # type: ignore[arg-type]
    without = Tagger(model, grown, None, wanted=False)
    column = grown.codes.index("gardens")
    assert with_vector.probabilities([unheard])[0, column] > 2 * without.probabilities([unheard])[0, column]
    assert "gardens" in [tag.theme for tag in with_vector.tag([unheard])[0]]
    alike = without.probabilities([unheard, unheard.replace("tool", "warm")])[:, column]
    assert alike[0] == pytest.approx(alike[1], abs=0.02)
    assert "gardens" not in [tag.theme for tag in with_vector.tag(["Building 2 room 77 was warm99 that day."])[0]]


def test_without_themes_new_to_the_encoder_no_vectors_are_asked_for(
    labelled: pd.DataFrame, taxonomy: Taxonomy, readings: EncoderReadings, stacked: TrainingResult, tmp_path: Path
) -> None:
    def never(_: Sequence[str]) -> np.ndarray:
        raise AssertionError("asked for vectors")

    assert train(labelled, taxonomy, tmp_path, encoder=readings, vectors=never).model_id == stacked.model_id
