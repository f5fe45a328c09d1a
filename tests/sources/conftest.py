"""A site to read and a source that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.authorities import Authorities
from tests.sources.replica import Replica, invented
from tests.sources.visiting import Time, Visitor


@pytest.fixture
def replica() -> Iterator[Replica]:
    with Replica(invented()) as running:
        yield running


@pytest.fixture(scope="session")
def authorities(repository: Path) -> Authorities:
    return Authorities.load(repository / "corpus" / "authorities.csv")


@pytest.fixture
def visit(tmp_path: Path, authorities: Authorities) -> Iterator[Callable[[Replica], Visitor]]:
    """Makes visitors of a replica, each with a folder and store of its own."""
    visitors: list[Visitor] = []

    def make(replica: Replica) -> Visitor:
        folder = tmp_path / f"corpus{len(visitors)}"
        folder.mkdir()
        visitors.append(Visitor(folder, authorities, replica.base, Time()))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def visitor(visit: Callable[[Replica], Visitor], replica: Replica) -> Visitor:
    """A visitor of the invented site."""
    return visit(replica)
