"""The commands as a user types them: what they print, their exit codes, that errors are one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.labelling.commands import app
from pipeline.store import Store
from tests.labelling.building import fill

CAMHS = "CAMHS and emotional well-being"


def run(config: Config, *words: object) -> Result:
    command, *rest = (str(word) for word in words)
    return CliRunner().invoke(app, [command, *rest, "--config", str(config.path)])


@pytest.mark.usefixtures("store")
def test_the_whole_loop(config: Config, tmp_path: Path) -> None:
    for who, sign in (("Jo", "+"), ("Kim", "-")):
        path = tmp_path / f"{who}.xlsx"
        out = run(config, "export", "--annotator", who, "--seed", 1, "--count", 4, "-o", path)
        assert out.exit_code == 0, out.output
        assert "4 of 25 paragraphs, seed 1" in out.output
        fill(path, lambda sheet, at, sign=sign: sheet.cell(2, at[CAMHS], sign), who)  # type: ignore[misc]
        imported = run(config, "import", path)
        assert imported.exit_code == 0, imported.output
        assert f"{who}: of 4 paragraphs, 1 new, 0 held already, 3 not read yet." in imported.output
        assert "Nothing to change in" in run(config, "import", path).output
    settle = tmp_path / "settle.xlsx"
    shown = run(config, "agreement", "--disagreements", settle)
    assert "1 paragraphs read" in " ".join(shown.output.split())
    fill(settle, lambda sheet, at: sheet.cell(2, at[CAMHS], "-"), "Lee")
    settled = run(config, "settle", settle)
    assert settled.exit_code == 0, settled.output
    assert "Disputed themes settled as read by: Kim 1 of 1." in settled.output


@pytest.mark.usefixtures("store")
def test_faults_are_listed_and_nothing_is_written(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    run(config, "export", "--seed", 1, "-o", path)

    def change(sheet: Any, at: dict[str, int]) -> None:
        sheet.cell(2, at[CAMHS]).value = "good"
        sheet.cell(3, at[CAMHS]).value = "+"

    fill(path, change)
    refused = run(config, "import", path)
    assert refused.exit_code == 1
    assert "'good' is not one of + - 0." in refused.output
    assert "Nothing was imported: 1 thing is wrong in b.xlsx" in refused.output
    assert not config.labels.exists()
    skipped = run(config, "import", path, "--skip-bad")
    assert skipped.exit_code == 3
    assert "1 new" in skipped.output
    assert config.labels.exists()


@pytest.mark.usefixtures("store")
def test_agreement_for_a_program(config: Config, tmp_path: Path) -> None:
    for who in ("Jo", "Kim"):
        path = tmp_path / f"{who}.xlsx"
        run(config, "export", "--annotator", who, "--seed", 1, "--count", 4, "-o", path)
        run(config, "import", fill(path, lambda sheet, at: sheet.cell(2, at[CAMHS], "+"), who))
    rows = json.loads(run(config, "agreement", "--format", "json", "--draws", 0).output)
    camhs = next(row for row in rows if row["theme"] == "camhs")
    assert (camhs["paragraphs"], camhs["all_give"], camhs["alpha"]) == (1, 1, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "-o", "b.txt"), "ends with none of"),
        (("export", "-o", "b.csv", "--format", "doccano"), "does not end with .jsonl"),
        (("import", "nowhere.xlsx"), "There is no file"),
        (("agreement",), "does not exist"),
        (("agreement", "--between", "A"), "needs two names"),
        (("agreement", "--count", "3"), "goes with --disagreements"),
    ],
)
def test_wrong_usage_is_one_sentence(config: Config, store: Store, words: tuple[str, ...], said: str) -> None:
    result = run(config, *words)
    assert isinstance(result.exception, PipelineError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
