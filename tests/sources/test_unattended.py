"""The workflow that ships: it parses, and what it calls exists."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipeline.cli import app
from pipeline.config import load_config
from pipeline.sources.options import OfstedSource, is_contact
from pipeline.stage import Outcome as StageOutcome
from pipeline.stage import Stage
from pipeline.summary import NewReport, Summary


@pytest.fixture(scope="module")
def workflow(repository: Path) -> dict[Any, Any]:
    path = repository / ".github" / "workflows" / "publish-tables.yml"
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def scripts(workflow: dict[Any, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def commands(workflow: dict[Any, Any]) -> list[list[str]]:
    """The arguments of every call of the pipeline."""
    found = []
    for script in scripts(workflow):
        for line in script.splitlines():
            words = shlex.split(line.split("||")[0].split(">")[0]) if ".venv/bin/pipeline" in line else []
            if words:
                assert words[0] == ".venv/bin/pipeline", line
                found.append(words[1:])
    return found


def test_it_runs_daily_by_hand_and_with_few_rights(workflow: dict[Any, Any]) -> None:
    when = workflow[True]  # YAML 1.1 takes the key "on" for a truth
    assert len(when["schedule"][0]["cron"].split()) == 5
    assert "workflow_dispatch" in when
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert all(job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())


def test_every_command_and_option_exists(workflow: dict[Any, Any]) -> None:
    group = typer.main.get_command(app)
    called = commands(workflow)
    assert {arguments[0] for arguments in called} >= {"run", "tables", "export"}
    for name, *arguments in called:
        # Parses options and arguments as the program would, and calls nothing.
        context = group.commands[name].make_context(name, list(arguments))  # type: ignore[attr-defined]
        assert context.params


def test_a_wrong_option_would_be_noticed() -> None:
    group = typer.main.get_command(app)
    with pytest.raises(Exception, match="No such option"):
        group.commands["tables"].make_context("tables", ["--colour", "red"])  # type: ignore[attr-defined]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_its_scripts_are_valid(workflow: dict[Any, Any]) -> None:
    for script in scripts(workflow):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_it_runs_with_the_configuration_that_ships(workflow: dict[Any, Any], repository: Path) -> None:
    config = load_config(repository / "config.yaml")
    assert any(isinstance(source, OfstedSource) for source in config.sources)
    (run,) = [arguments for arguments in commands(workflow) if arguments[0] == "run"]
    assert run[run.index("--config") + 1] == "config.yaml"
    assert config.corpus == repository / "corpus" / "data"
    restored = [step["with"]["path"] for step in workflow["jobs"]["tables"]["steps"] if "cache" in step.get("uses", "")]
    assert restored == ["corpus/data"] * 2
    assert config.output == repository / "output"
    # What stands in for the repository variable where it is not set.
    assert is_contact("https://github.com/owner/repository")


def test_it_says_what_is_new(workflow: dict[Any, Any], tmp_path: Path) -> None:
    summary = Summary(run_id=1, started="2026-07-01T05:23:00+00:00", until="publish")
    summary.new_reports = [NewReport("a", "Kent", "ILACS", "inspection", "2026-06-30", "good", "extracted", "ofsted/1")]
    summary.outcomes = [StageOutcome(Stage.DISCOVER, doubts=["The search <lists> nothing."])]
    (tmp_path / "summary.json").write_text(json.dumps(summary.as_json()), encoding="utf-8")
    (piece,) = [script.split("<<'END'\n")[1].split("\nEND")[0] for script in scripts(workflow) if "<<'END'" in script]
    told = subprocess.run(
        [sys.executable, "-", str(tmp_path / "summary.json")], input=piece, text=True, capture_output=True, check=True
    ).stdout
    assert told.splitlines() == [
        "## 1 new reports",
        "- Kent, inspection, 2026-06-30, good",
        "## Doubtful",
        "- The search &lt;lists> nothing.",
    ]
