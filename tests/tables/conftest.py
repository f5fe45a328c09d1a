"""A store in memory for each test, and a larger random one that many share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from pipeline.tables.corpus import Corpus
from tests.tables.building import BAND_OF, write_random


@pytest.fixture
def connection() -> Iterator[Connection]:
    """An empty store."""
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        yield opened
    engine.dispose()


@pytest.fixture(scope="session")
def random_connection() -> Iterator[Connection]:
    """150 random reports of 60 paragraphs on average."""
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        write_random(opened, 150, mean_paragraphs=60.0)
        yield opened
    engine.dispose()


@pytest.fixture(scope="session")
def random_corpus(random_connection: Connection) -> Corpus:
    """The same, read."""
    return Corpus.read(random_connection, BAND_OF)
