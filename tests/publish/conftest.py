"""Stores with made-up reports, written through the schema, and the publications made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from pipeline import schema
from pipeline.config import Config
from pipeline.stage import Context
from pipeline.store import Store
from tests.publish.building import Report, many, write

TAXONOMY = """
name: A small taxonomy
themes:
  - {code: camhs, name: CAMHS, definition: Mental health services for children.}
  - {code: early_help, name: Early help, definition: Help below the threshold.}
  - {code: legal, name: Legal work, definition: Care proceedings.}
  - {code: never, name: Never found, definition: A theme that no paragraph carries.}
sections:
  - {code: "3.2", title: Early Help services, part: well performing, themes: [early_help, legal]}
  - {code: "4.3", title: CAMHS, part: poorly performing, themes: [camhs]}
"""

Opened = Callable[[Sequence[Report]], Context]


def _config(folder: Path, draws: int = 50) -> Config:
    taxonomy = folder / "taxonomy.yaml"
    taxonomy.write_text(TAXONOMY, encoding="utf-8")
    return Config(
        path=folder / "config.yaml",
        corpus=folder / "data",
        labels=folder / "labels.csv",
        output=folder / "output",
        taxonomy=taxonomy,
        sources=[{"type": "folder", "name": "made-up", "path": "reports"}],
        tables={"bootstrap_draws": draws},
    )


def _context(folder: Path, reports: Sequence[Report], cleanup: ExitStack) -> Context:
    config = _config(folder)
    store = cleanup.enter_context(closing(Store(config.store)))
    with store.writing() as connection:
        connection.execute(
            insert(schema.runs).values(run_id=1, started="2026-01-02T03:04:05+00:00", command="run", version="0")
        )
        write(connection, reports)
    return Context(config=config, store=store, run_id=1)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Makes the context of a run over made-up reports."""
    with ExitStack() as cleanup:
        yield lambda reports: _context(tmp_path, reports, cleanup)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The output folder of 24 made-up reports, published once and only read."""
    from pipeline.publish.stage import publish

    with ExitStack() as cleanup:
        context = _context(tmp_path_factory.mktemp("published"), many(24), cleanup)
        publish(context)
        yield context.config.output
