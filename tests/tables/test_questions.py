"""What `pipeline tables` answers besides frequencies, and `pipeline publish`, on the sample after its first run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.tables.columns import CHANGES, CONTRASTS, CORRECTED, TERMS
from tests.corpora import OwnCorpus

First = tuple[OwnCorpus, dict[str, Any]]


@pytest.mark.parametrize(
    ("question", "fields"), [("contrasts", CONTRASTS), ("changes", CHANGES), ("terms", TERMS), ("corrected", CORRECTED)]
)
def test_each_question_has_its_columns_in_csv_and_json_alike(
    first_run: First, question: str, fields: tuple[Any, ...]
) -> None:
    corpus, _ = first_run
    as_json = json.loads(corpus.pipeline("tables", f"--{question}", "--format", "json").out)
    as_csv = corpus.pipeline("tables", f"--{question}", "--format", "csv").rows
    assert len(as_csv) == len(as_json)
    if question == "corrected":
        assert as_json == []
    else:
        assert list(as_csv[0]) == list(as_json[0]) == [field.name for field in fields]
    assert corpus.pipeline("tables", f"--{question}").code == 0


def test_the_sample_has_no_labelled_paragraph_and_says_so(first_run: First) -> None:
    answer = first_run[0].pipeline("tables", "--corrected")
    assert answer.code == 0
    assert "cannot be corrected" in answer.err


def test_a_theme_is_tested_among_all_but_shown_alone(first_run: First) -> None:
    rows = json.loads(first_run[0].pipeline("tables", "--contrasts", "--theme", "workforce", "--format", "json").out)
    assert {row["theme"] for row in rows} == {"workforce"}
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--contrasts", "--terms"), "one at a time"),
        (("--terms", "--sections"), "--sections"),
        (("--changes", "--latest"), "--latest"),
        (("--contrasts", "--by", "region"), "judgement"),
        (("--contrasts", "--sections", "--theme", "9.9"), "9.9"),
    ],
)
def test_what_does_not_go_together_is_said(first_run: First, options: tuple[str, ...], said: str) -> None:
    answer = first_run[0].pipeline("tables", *options)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_publish_makes_every_file_again_and_tags_nothing(ready: OwnCorpus) -> None:
    before = {path.relative_to(ready.output) for path in ready.output.rglob("*") if path.is_file()}
    for path in ready.output.rglob("*.csv"):
        path.write_text("spoilt")
    answer = ready.pipeline("publish", "--json")
    assert answer.code == 0, answer.err
    assert {path.relative_to(ready.output) for path in ready.output.rglob("*") if path.is_file()} == before
    assert not any(path.read_text(encoding="utf-8") == "spoilt" for path in ready.output.rglob("*.csv"))
    done = {stage["stage"] for stage in answer.json["outcomes"]}
    assert done == {"publish"}
