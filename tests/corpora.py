"""A corpus of one's own for tests: a folder with config.yaml, and the command line run on it as a user would."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out)))


@dataclass(frozen=True)
class OwnCorpus:
    """A folder with a configuration; ``reports`` is its folder source."""

    folder: Path

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "pipeline.db"

    def configure(self, **more: object) -> None:
        """Write config.yaml; JSON is YAML."""
        settings: dict[str, object] = {
            "corpus": "data",
            "models": str(REPOSITORY / "models"),
            "taxonomy": str(REPOSITORY / "corpus" / "taxonomy.yaml"),
            "store": "sqlite:///data/pipeline.db",
            "output": "output",
            "sources": [{"name": "reports", "type": "folder", "path": "reports"}],
            "tagging": {"encoder": False},
            "tables": {"bootstrap_draws": 100},
        }
        self.config.write_text(json.dumps({**settings, **more}, indent=1), encoding="utf-8")

    def pipeline(self, *arguments: str, timeout: float = 300, **kwargs: Any) -> Ran:
        """Run one command in this folder, without anything of ours in the environment."""
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
            **kwargs,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def export(self, what: str) -> list[dict[str, str]]:
        return self.pipeline("export", what).rows
