"""The commands of the contract, on the sample as its first run left it: what they print, and how they end."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.corpora import OwnCorpus

First = tuple[OwnCorpus, dict[str, Any]]

COLUMNS = {
    "reports": "report_id source_path sha256 urn authority framework inspection_type published inspection_start "
    "inspection_end lead_inspector pages status reason",
    "judgements": "report_id source_path domain grade page",
    "paragraphs": "paragraph_id report_id ordinal page section kind number text",
    "tags": "paragraph_id theme probability valence model_id",
    "frequencies": "by band theme name reports of_reports reports_percent",
    "labels": "fingerprint",
}


@pytest.mark.parametrize("what", COLUMNS)
def test_exports_begin_with_the_columns_of_the_contract_in_every_format(
    first_run: First, what: str, tmp_path: Path
) -> None:
    corpus, _ = first_run
    expected = COLUMNS[what].split()
    printed = corpus.pipeline("export", what)
    rows = list(csv.reader(io.StringIO(printed.out)))
    assert rows[0][: len(expected)] == expected
    for form in ("csv", "jsonl", "parquet"):
        target = tmp_path / f"out.{form}"
        assert corpus.pipeline("export", what, "--format", form, "--output", str(target)).code == 0
        if form == "parquet":
            frame = pd.read_parquet(target)
            names, count = list(frame.columns), len(frame)
        elif form == "jsonl":
            lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
            names, count = list(lines[0]), len(lines)
        else:
            written = list(csv.reader(target.open(encoding="utf-8", newline="")))
            names, count = written[0], len(written) - 1
        assert names == rows[0]
        assert count == len(rows) - 1


def test_parquet_on_the_terminal_is_refused_as_wrong_usage(first_run: First) -> None:
    ran = first_run[0].pipeline("export", "tags", "--format", "parquet")
    assert ran.code == 2
    assert "--output" in ran.err


def test_any_text_is_tagged(first_run: First, tmp_path: Path) -> None:
    corpus, _ = first_run
    texts = [
        {
            "id": "a",
            "text": "Waiting times for CAMHS are far too long and children\u2019s mental health needs are not met.",
        },
        {"id": 2, "text": "The weather was fine."},
        {"id": None, "text": ""},
    ]
    given, made = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given.write_text("\n".join(json.dumps(text) for text in texts) + "\n\n", encoding="utf-8")
    assert corpus.pipeline("tag", "--input", str(given), "--output", str(made)).code == 0
    tagged = [json.loads(line) for line in made.read_text(encoding="utf-8").splitlines()]
    assert [record["id"] for record in tagged] == ["a", 2, None]
    assert ("camhs", "-") in [(theme["theme"], theme["valence"]) for theme in tagged[0]["themes"]]
    assert set(tagged[0]["themes"][0]) == {"theme", "probability", "valence"}
    assert all(0 < theme["probability"] <= 1 for theme in tagged[0]["themes"])
    assert tagged[1]["themes"] == tagged[2]["themes"] == []


@pytest.mark.parametrize("line", ["not json", "[1]", '{"id": 1}', '{"text": "x"}', '{"id": 1, "text": 5}', "\xff"])
def test_a_wrong_line_is_named_and_nothing_is_written(first_run: First, tmp_path: Path, line: str) -> None:
    given, made = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given.write_bytes(b'{"id": 1, "text": "fine"}\n' + line.encode("latin-1") + b"\n")
    ran = first_run[0].pipeline("tag", "--input", str(given), "--output", str(made))
    assert ran.code == 1
    assert "line 2" in ran.err
    assert list(tmp_path.iterdir()) == [given]


def test_tables_come_in_four_formats_with_the_same_numbers(first_run: First, tmp_path: Path) -> None:
    corpus, _ = first_run
    as_json = json.loads(corpus.pipeline("tables", "--by", "leadership", "--format", "json").out)
    as_csv = corpus.pipeline("tables", "--by", "leadership", "--format", "csv").rows
    book = tmp_path / "t.xlsx"
    assert corpus.pipeline("tables", "--by", "leadership", "--format", "xlsx", "--output", str(book)).code == 0
    as_xlsx = pd.read_excel(book).to_dict("records")
    for one, two, three in zip(as_json, as_csv, as_xlsx, strict=True):
        for column in ("band", "theme", "reports", "of_reports", "paragraphs", "of_paragraphs", "weaknesses"):
            assert str(one[column]) == two[column] == str(three[column])
    shown = corpus.pipeline("tables", "--by", "leadership").out
    assert max(len(line) for line in shown.splitlines()) <= 100
    first = as_json[0]
    assert f"{first['reports']}/{first['of_reports']}" in shown


@pytest.mark.parametrize("by", ["year", "region", "framework", "type", "authority", "lscb", "section_judgement"])
def test_tables_by_anything_keep_every_report(first_run: First, by: str) -> None:
    rows = json.loads(first_run[0].pipeline("tables", "--by", by, "--theme", "workforce", "--format", "json").out)
    if by != "section_judgement":  # there a report stands in several bands
        assert sum(row["of_reports"] for row in rows) == 16
    assert {row["theme"] for row in rows} == {"workforce"}


def test_the_papers_sections_are_unions(first_run: First) -> None:
    corpus, _ = first_run
    sections = json.loads(corpus.pipeline("tables", "--sections", "--format", "json").out)
    themes = json.loads(corpus.pipeline("tables", "--format", "json").out)
    assert len({row["theme"] for row in sections}) == 16

    def paragraphs(rows: list[dict[str, Any]], *codes: str) -> int:
        return sum(row["paragraphs"] for row in rows if row["theme"] in codes)

    assert paragraphs(sections, "3.5") == paragraphs(themes, "legal")
    parts = [paragraphs(themes, code) for code in ("multi_agency", "thresholds", "cse")]
    assert max(parts) <= paragraphs(sections, "3.1") <= sum(parts)


def test_evidence_is_what_was_asked_for(first_run: First) -> None:
    corpus, _ = first_run
    found = corpus.pipeline(
        "paragraphs", "--theme", "workforce", "--rating", "Inadequate", "--valence=-", "--format", "csv", "--limit", "0"
    ).rows
    tags = {
        tag["paragraph_id"] for tag in corpus.export("tags") if (tag["theme"], tag["valence"]) == ("workforce", "-")
    }
    inadequate = {
        row["report_id"]
        for row in corpus.export("judgements")
        if (row["domain"], row["grade"]) == ("overall_effectiveness", "inadequate")
    }
    assert {row["paragraph_id"] for row in found} == {tag for tag in tags if tag.split("-")[0] in inadequate}
    assert all("#page=" in row["link"] for row in found)
    assert corpus.pipeline("paragraphs", "--search", "100%", "--format", "csv").rows == []
    some = corpus.pipeline("paragraphs", "--search", "SOCIAL work", "--limit", "3", "--format", "jsonl").out
    assert all("social work" in json.loads(line)["text"].lower() for line in some.splitlines())
    explained = corpus.pipeline("paragraphs", "--theme", "camhs", "--limit", "1", "--explain").out
    assert "because:" in explained


@pytest.mark.parametrize(
    "arguments",
    [
        ("tables", "--by", "weather"),
        ("tables", "--theme", "weather"),
        ("paragraphs", "--theme", "weather"),
        ("paragraphs", "--rating", "fine"),
        ("paragraphs", "--valence", "+"),
        ("run", "--source", "nowhere"),
        ("run", "--until", "lunch"),
        ("export", "everything"),
        ("tag", "--input", "absent.jsonl", "--output", "x.jsonl"),
        ("run", "--config", "absent.yaml"),
        ("nonsense",),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(first_run: First, arguments: tuple[str, ...]) -> None:
    ran = first_run[0].pipeline(*arguments)
    assert ran.code == 2
    assert ran.err.strip()


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "import",
        "tag",
        "train",
        "evaluate",
        "tables",
        "paragraphs",
        "export",
        "status",
        "paper",
        "models",
        "label",
    ],
)
def test_every_command_explains_itself(first_run: First, command: str) -> None:
    ran = first_run[0].pipeline(command, "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out


def test_status_says_what_is_there(first_run: First) -> None:
    corpus, summary = first_run
    status = corpus.pipeline("status", "--json").json
    assert status["counts"] == summary["counts"] == {"extracted": 16, "set aside": 2}
    assert status["stale"] == {"extract": 0, "tag": 0, "tables": 0, "publish": 0}
    assert status["tags"] == len(corpus.export("tags"))
    shown = corpus.pipeline("status").out
    assert "16 extracted" in shown
    assert "Report not found" in shown


def test_the_paper_is_shown_even_where_none_of_its_reports_is_held(first_run: First) -> None:
    ran = first_run[0].pipeline("paper")
    assert ran.code == 0
    assert "no report" in ran.out
