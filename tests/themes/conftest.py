"""A small model, trained once for all tests of the themes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.themes.taxonomy import Taxonomy, load_taxonomy, parse_taxonomy
from pipeline.themes.training import TrainingResult, train
from tests.themes.invented import TAXONOMY, invented

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return parse_taxonomy(TAXONOMY)


@pytest.fixture(scope="session")
def shipped_taxonomy() -> Taxonomy:
    return load_taxonomy(ROOT / "corpus" / "taxonomy.yaml")


@pytest.fixture(scope="session")
def labelled() -> pd.DataFrame:
    return invented(("housing", "money", "travel"), authorities=12, each=25, seed=1)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, labelled: pd.DataFrame, taxonomy: Taxonomy) -> TrainingResult:
    """A model trained on :func:`labelled`, in a folder of models of its own; not to be changed by a test."""
    return train(labelled, taxonomy, tmp_path_factory.mktemp("models"))
