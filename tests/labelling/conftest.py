"""A corpus for every test of labelling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.store import Store
from tests.labelling.building import make_config, make_store


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration in a folder of its own."""
    return make_config(tmp_path)


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    """Three made-up reports."""
    made = make_store(config)
    yield made
    made.close()
