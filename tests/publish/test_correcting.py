"""Labels, a model's answers on unseen authorities and the store's tags, brought together; or why not, in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select, update

from pipeline import schema
from pipeline.config import SHIPPED, Config
from pipeline.correcting import correct
from pipeline.domain import VALENCES
from pipeline.stage import Context
from pipeline.themes.answers import Answers, write_answers
from pipeline.themes.labels import COLUMNS, write_labels
from pipeline.themes.registry import current_folder
from pipeline.themes.tagger import tagger_stamp
from pipeline.themes.taxonomy import load_taxonomy
from tests.publish.building import many
from tests.publish.conftest import Opened


def labelled(context: Context, folder: Path, drawn: str = "random", complete: bool = True) -> Config:
    """Every paragraph labelled as it is tagged; out of fold, the model had missed each third CAMHS paragraph.

    The folder of models holds the shipped model's manifest and these answers: nothing is tagged, so that is enough.
    """
    shipped = current_folder(SHIPPED / "models")
    models = folder / "models"
    (models / shipped.name).mkdir(parents=True)
    shutil.copy(shipped / "manifest.json", models / shipped.name)
    (models / "current").write_text(shipped.name)
    tagging = context.config.tagging.model_copy(update={"encoder": False})
    config = context.config.model_copy(update={"models": models, "tagging": tagging})
    taxonomy = load_taxonomy(config.taxonomy)
    with context.store.writing() as connection:
        stamp = tagger_stamp(models, taxonomy, False)
        connection.execute(update(schema.reports).values(tagged_with=stamp))
        p, t = schema.paragraphs.c, schema.tags.c
        rows = connection.execute(
            select(p.fingerprint, schema.reports.c.source_path, p.page, t.theme, t.valence)
            .select_from(schema.paragraphs.join(schema.reports).outerjoin(schema.tags))
            .order_by(p.paragraph_id, t.theme)
        ).all()
    common = {"annotator": "a reader", "date": "2026-01-01", "batch": "b", "drawn": drawn, "sketch": ""}
    frame = pd.DataFrame(
        [
            {
                **common,
                "fingerprint": key,
                "report": path,
                "page": str(page),
                "theme": theme or "",
                "valence": valence or "",
            }
            for key, path, page, theme, valence in rows
        ],
        columns=list(COLUMNS),
    )
    write_labels(frame, config.labels)
    keys = tuple(dict.fromkeys(frame["fingerprint"]))
    place = {key: number for number, key in enumerate(keys)}
    signs = list(VALENCES)
    tagged = np.zeros((len(keys), len(taxonomy.codes)), bool)
    valences = np.full(tagged.shape, -1, np.int8)
    seen = 0
    for key, theme, valence in frame[["fingerprint", "theme", "valence"]].itertuples(index=False):
        if theme:
            seen += theme == "camhs"
            column = taxonomy.codes.index(theme)
            tagged[place[key], column] = theme != "camhs" or seen % 3 > 0
            valences[place[key], column] = signs.index(valence) if complete else -1
    write_answers(
        models / shipped.name,
        Answers(taxonomy.codes, keys, tagged.astype(np.float32), tagged, valences),
        None,
    )
    return config


def test_labels_and_answers_meet_in_the_store(opened: Opened, tmp_path: Path) -> None:
    context = opened(many(91))
    config = labelled(context, tmp_path)
    made = correct(context.store, config, load_taxonomy(config.taxonomy))
    assert made.basis.reason == ""
    assert made.basis.random == made.basis.tested == made.basis.labelled == 90 * 20 + 1
    assert set(made.shares["measure"]) == {"paragraphs", "strengths", "weaknesses"}
    rows = made.shares.set_index(["measure", "band", "theme"])
    camhs = rows.loc[("paragraphs", "good", "camhs")]
    # Everything is labelled, so the corrected share is the labels', whatever the classifier missed out of fold.
    assert camhs["labels_carrying"] == camhs["paragraphs"] > 0
    assert camhs["found_of_them"] == pytest.approx(camhs["tested_carrying"] * 2 / 3, rel=0.25)
    assert camhs["corrected_percent"] == pytest.approx(camhs["paragraphs_percent"])
    strengths = rows.loc[("strengths", "good", "early_help")]
    assert strengths["labels_carrying"] == strengths["found_of_them"] > 0


def test_answers_without_every_valence_correct_no_valence(opened: Opened, tmp_path: Path) -> None:
    context = opened(many(24))
    config = labelled(context, tmp_path, complete=False)
    made = correct(context.store, config, load_taxonomy(config.taxonomy))
    assert set(made.shares["measure"]) == {"paragraphs"}


def test_where_nothing_can_be_corrected_the_reason_is_said(opened: Opened, tmp_path: Path) -> None:
    context = opened(many(24))
    taxonomy = load_taxonomy(context.config.taxonomy)
    assert "no label file" in correct(context.store, context.config, taxonomy).basis.reason
    config = labelled(context, tmp_path, drawn="keyword: camhs")
    made = correct(context.store, config, taxonomy)
    assert "drawn at random" in made.basis.reason
    assert made.shares.empty
    (current_folder(config.models) / "out_of_fold.npz").unlink()
    pd_labels = config.labels.read_text(encoding="utf-8").replace("keyword: camhs", "random")
    config.labels.write_text(pd_labels, encoding="utf-8")
    assert "answers on unseen authorities are missing" in correct(context.store, config, taxonomy).basis.reason
    with context.store.writing() as connection:
        connection.execute(update(schema.reports).values(tagged_with="another"))
    assert "pipeline run" in correct(context.store, config, taxonomy).basis.reason
