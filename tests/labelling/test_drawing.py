"""What is drawn, what is left out, and what the batch says of itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config import Config
from pipeline.errors import PipelineError, UsageError
from pipeline.labelling.batch import Draw, is_batch_id, is_drawn
from pipeline.labelling.drawing import (
    UNLABELLED_AT_RANDOM,
    Wanted,
    draw_batch,
    expected_errors,
    most_uncertain,
)
from pipeline.labelling.pool import read_pool
from pipeline.store import Store
from pipeline.themes.answers import Answers, write_answers
from pipeline.themes.labels import COLUMNS, write_labels
from tests.labelling.building import TODAY


def keys(store: Store, config: Config, **wanted: object) -> list[str]:
    batch, _ = draw_batch(store, config, Wanted(**{"seed": 1, "count": 100, **wanted}), TODAY)  # type: ignore[arg-type]
    return [item.fingerprint for item in batch.items]


def label(config: Config, fingerprints: list[str], annotator: str, drawn: str) -> None:
    rows = [
        {**dict.fromkeys(COLUMNS, ""), "fingerprint": key, "report": "a/b.pdf", "page": "1", "annotator": annotator}
        | {"date": "2026-01-01", "batch": "x", "drawn": drawn}
        for key in fingerprints
    ]
    held = pd.read_csv(config.labels, dtype="str", keep_default_na=False) if config.labels.exists() else None
    write_labels(pd.concat([held, pd.DataFrame(rows)]), config.labels)


def test_a_sentence_in_every_report_is_drawn_once_and_headings_never(store: Store, config: Config) -> None:
    batch, _ = draw_batch(store, config, Wanted(count=100, seed=1), TODAY)
    texts = [item.text for item in batch.items]
    assert len(texts) == 3 * 8 + 1
    assert max(Counter(texts).values()) == 1
    assert "A heading" not in texts


def test_the_same_seed_draws_the_same_and_another_seed_others(store: Store, config: Config) -> None:
    assert keys(store, config, count=6) == keys(store, config, count=6)
    assert keys(store, config, count=6) != keys(store, config, count=6, seed=2)


def test_random_draws_are_uniform(store: Store, config: Config) -> None:
    drawn = Counter(key for seed in range(200) for key in keys(store, config, count=5, seed=seed))
    assert len(drawn) == 25
    assert min(drawn.values()) > 15  # 40 expected of each
    assert max(drawn.values()) < 75


def test_what_the_annotator_has_read_is_left_out_and_what_others_have_is_not(store: Store, config: Config) -> None:
    everything = keys(store, config)
    label(config, everything[:10], "Jo", "random")
    label(config, everything[10:15], "Kim", "random")
    assert set(keys(store, config, annotator="Jo")) == set(everything) - set(everything[:10])
    assert set(keys(store, config, annotator="Kim")) == set(everything) - set(everything[10:15])
    assert set(keys(store, config)) == set(everything[15:])


def test_a_random_rest_of_picked_paragraphs_is_not_called_random(store: Store, config: Config) -> None:
    everything = keys(store, config)
    label(config, everything[:3], "Jo", "random")
    after_random, _ = draw_batch(store, config, Wanted(seed=1), TODAY)
    assert {item.drawn for item in after_random.items} == {"random"}
    label(config, everything[3:6], "Jo", "uncertain")
    after_picking, notes = draw_batch(store, config, Wanted(seed=1), TODAY)
    assert {item.drawn for item in after_picking.items} == {UNLABELLED_AT_RANDOM}
    assert any("does not count towards prevalence" in note for note in notes)
    kim, _ = draw_batch(store, config, Wanted(seed=1, annotator="Kim"), TODAY)
    assert {item.drawn for item in kim.items} == {"random"}


def test_a_second_reading_keeps_how_the_paragraph_was_drawn(store: Store, config: Config) -> None:
    everything = keys(store, config)
    label(config, everything[:4], "Jo", "theme: camhs")
    label(config, everything[4:6], "Jo", "random by era")
    batch, _ = draw_batch(store, config, Wanted(seed=1, annotator="Kim", again="Jo"), TODAY)
    assert Counter(item.drawn for item in batch.items) == {"theme: camhs": 4, "random by era": 2}
    assert "second reading" in batch.batch_id


def test_by_theme_finds_tagged_paragraphs_and_those_with_its_terms(store: Store, config: Config) -> None:
    batch, _ = draw_batch(store, config, Wanted(Draw.THEME, theme="camhs", count=100, seed=1), TODAY)
    assert len(batch.items) == 6
    assert all("CAMHS" in item.text for item in batch.items)
    assert {item.drawn for item in batch.items} == {"theme: camhs"}


def test_by_authority(store: Store, config: Config) -> None:
    batch, _ = draw_batch(store, config, Wanted(Draw.AUTHORITY, authority="borch", count=100, seed=1), TODAY)
    assert {item.authority for item in batch.items} == {"Borchester"}
    assert batch.items[0].link.startswith("https://example.org/2#page=")


def test_suggestions_are_the_stored_tags_and_the_batch_says_that_they_were_shown(store: Store, config: Config) -> None:
    batch, _ = draw_batch(store, config, Wanted(Draw.THEME, theme="camhs", count=99, seed=1, suggestions=True), TODAY)
    assert Counter(item.suggested for item in batch.items) == {(("camhs", "-"),): 1, (): 5}
    assert batch.batch_id.endswith("suggestions shown")


class Model:
    """A tagger of two themes, sure of the first and less and less of the second."""

    codes = ("camhs", "missing")
    encoder_id = None

    def thresholds(self) -> dict[str, float]:
        return {"camhs": 0.5, "missing": 0.3}

    def probabilities(self, texts: list[str], _vectors: None) -> np.ndarray:
        return np.array([[0.9, (i % 10) / 10] for i, _ in enumerate(texts)])


def test_expected_errors_count_a_tag_as_wrong_by_one_minus_its_probability(store: Store) -> None:
    pool = read_pool(store)[:6]
    errors = expected_errors(pool, Model(), store)  # type: ignore[arg-type]
    assert errors == pytest.approx([0.1, 0.2, 0.3, 0.1 + 0.7, 0.1 + 0.6, 0.1 + 0.5])
    assert expected_errors(pool, Model(), store, "camhs") == pytest.approx([0.1] * 6)  # type: ignore[arg-type]


def test_the_least_sure_come_first_but_not_all_of_one_report(store: Store) -> None:
    pool = read_pool(store)
    one = [c for c in pool if c.authority == "Ambridge"][:5]
    other = [c for c in pool if c.authority == "Borchester"][:2]
    chosen = most_uncertain([*one, *other], [9, 8, 7, 6, 5, 2, 1], 6)
    assert chosen == [one[0], one[1], one[2], other[0], other[1], one[3]]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(Draw.THEME), "needs --theme"),
        (Wanted(Draw.AUTHORITY), "needs --authority"),
        (Wanted(theme="camhs"), "does not go with --draw random"),
        (Wanted(authority="Ambridge"), "does not go with --draw random"),
        (Wanted(Draw.THEME, theme="camsh"), "no theme 'camsh'"),
        (Wanted(Draw.AUTHORITY, authority="Mordor"), "no paragraphs of an authority"),
        (Wanted(again="Jo"), "needs --annotator"),
        (Wanted(Draw.SUSPECT), "needs --annotator"),
        (Wanted(Draw.SUSPECT, annotator="Kim"), "There are no labels yet"),
        (Wanted(again="Jo", annotator="Kim"), "There are no labels yet"),
        (Wanted(count=0), "at least 1"),
    ],
)
def test_a_draw_that_cannot_be_is_said_in_one_sentence(store: Store, config: Config, wanted: Wanted, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        draw_batch(store, config, wanted, TODAY)


def test_suspects_are_those_whose_labels_the_model_doubts_most(
    store: Store, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = keys(store, config)[:6]
    label(config, everything[:5], "Jo", "random")
    label(config, everything[5:], "Kim", "random")
    held = pd.read_csv(config.labels, dtype="str", keep_default_na=False)
    held.loc[held["fingerprint"] == everything[1], ["theme", "valence"]] = ["camhs", "-"]
    write_labels(held, config.labels)
    # The model is sure of camhs in the first two, of which one is labelled with it, and half sure in the third.
    probabilities = np.array([[0.95], [0.95], [0.5], [0.1], [0.02], [0.99]], np.float32)
    answers = Answers(("camhs",), tuple(everything), probabilities, probabilities > 0.5, np.full((6, 1), -1, np.int8))
    models = tmp_path / "models"
    (models / "themes-a").mkdir(parents=True)
    (models / "current").write_text("themes-a\n")
    write_answers(models / "themes-a", answers, None)
    monkeypatch.setattr("pipeline.labelling.suspects.current_folder", lambda folder: folder / "themes-a")
    there = config.model_copy(update={"models": models})
    batch, _ = draw_batch(store, there, Wanted(Draw.SUSPECT, annotator="Kim", count=3), TODAY)
    # Kim has read the sixth already.
    assert [item.fingerprint for item in batch.items] == [everything[0], everything[2], everything[3]]
    assert {item.drawn for item in batch.items} == {"random"}
    assert "suspect" in batch.batch_id
    assert all(not item.suggested for item in batch.items)
    with pytest.raises(UsageError, match="does not know the theme"):
        draw_batch(store, there, Wanted(Draw.SUSPECT, annotator="Kim", theme="legal"), TODAY)


def test_nothing_left_to_draw(store: Store, config: Config) -> None:
    label(config, keys(store, config), "Jo", "random")
    with pytest.raises(UsageError, match="no paragraph left to draw"):
        draw_batch(store, config, Wanted(), TODAY)


def test_without_a_model_there_is_nothing_uncertain(store: Store, config: Config) -> None:
    with pytest.raises(PipelineError):
        draw_batch(
            store, config.model_copy(update={"models": config.path.parent / "none"}), Wanted(Draw.UNCERTAIN), TODAY
        )


def test_what_a_batch_says_of_itself_can_come_back(store: Store, config: Config) -> None:
    for wanted in (Wanted(), Wanted(Draw.AUTHORITY, authority="=HYPERLINK("), Wanted(Draw.THEME, theme="camhs")):
        batch, _ = draw_batch(store, config, replace(wanted, suggestions=True), TODAY)
        assert is_batch_id(batch.batch_id)
        assert all(is_drawn(item.drawn) for item in batch.items)
