"""What the README shows is what the program prints. After a change: UPDATE_README=1 pytest tests/test_readme.py."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.corpora import OwnCorpus

BLOCK = re.compile(r"(<!-- output of: pipeline (?P<command>[^\n]+) -->\n```\n)(?P<shown>.*?)(```\n)", re.DOTALL)


def shown_by(corpus: OwnCorpus, command: str) -> str:
    """What the command prints about the sample, without trailing blanks, its evidence left out."""
    printed = corpus.pipeline(*command.split()).out
    table = re.split(r"\n[^\n]*, page \d+ ", printed, maxsplit=1)[0]  # a theme's table is followed by its evidence
    lines = [line.rstrip() for line in table.splitlines()]
    return "\n".join(line for line in lines if line) + "\n"


def test_the_output_in_the_readme_is_real(repository: Path, first_run: tuple[OwnCorpus, dict[str, Any]]) -> None:
    path = repository / "README.md"
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == 2
    real = {block["command"]: shown_by(first_run[0], block["command"]) for block in blocks}
    if os.environ.get("UPDATE_README"):
        text = BLOCK.sub(lambda block: block[1] + real[block["command"]] + block[4], text)
        path.write_text(text, encoding="utf-8")
    for block in BLOCK.finditer(text):
        assert block["shown"] == real[block["command"]]


def test_every_command_in_the_readme_exists(repository: Path, first_run: tuple[OwnCorpus, dict[str, Any]]) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?<![\w/])pipeline ([a-z]+)", text)) - {"is", "over", "may", "has"}
    helped = first_run[0].pipeline("--help").out
    assert {"run", "import", "tables", "label"} <= commands
    for command in commands:
        assert re.search(rf"│ {command}\b", helped), command


def test_the_commands_for_windows_name_files_that_exist(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"requirements[\w-]*\.txt", text):
        assert (repository / name).is_file()
    assert (repository / "corpus" / "sample" / "config.yaml").is_file()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_by_hash_and_name_no_index(repository: Path, name: str) -> None:
    text = (repository / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+(?:\[[^\]]*\])?)==\S+", text, re.MULTILINE)
    assert len(pinned) > 50
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "--index" not in text
