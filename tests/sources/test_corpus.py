"""The whole site: a replica with all 375 real files, counted as it is asked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipeline.files import sha256_of
from pipeline.sources.base import Outcome
from tests.sources.replica import Document, Replica, from_index, pdf
from tests.sources.visiting import Visitor

pytestmark = pytest.mark.corpus


def test_cold_warm_added_withdrawn_changed(shared: Path, visit: Callable[[Replica], Visitor]) -> None:
    with (shared / "corpus" / "index.csv").open(encoding="utf-8", newline="") as file:
        index = {row["url"].rpartition("/")[2]: row for row in csv.DictReader(file)}
    with Replica(from_index(shared / "corpus")) as replica:
        visitor = visit(replica)
        visitor.options["timeout_s"] = 60

        def run() -> tuple[list[Outcome], tuple[int, int, int], int, int]:
            """Outcomes; search pages, providers' pages and files asked for; bytes of files sent; gone."""
            replica.seen.clear()
            discovery, fetched = visitor.run()
            assert discovery.doubts == ()
            asked = (replica.count("/search"), replica.count("/provider"), replica.count("/v1/file"))
            return [each.outcome for each in fetched], asked, replica.sent("/v1/file"), len(discovery.gone)

        outcomes, asked, _, _ = run()
        assert asked == (2, 115, 375)
        assert (outcomes.count(Outcome.READY), outcomes.count(Outcome.WITHDRAWN)) == (372, 3)
        # What is stored is what was published, under its own authority.
        for name in visitor.files():
            number = name.rpartition("-")[0].rpartition(" ")[2]
            assert sha256_of(visitor.folder / "ofsted" / name) == index[number]["sha256"]
            assert name.startswith(index[number]["urn"] + "_")

        assert run() == ([], (2, 115, 0), 0, 0)
        assert replica.sent() == 0

        documents = replica.authorities[0].documents
        documents.append(Document("99999999", "Children's services inspection", date(2026, 7, 1), pdf("new", 50_000)))
        assert run() == ([Outcome.READY], (2, 115, 1), len(pdf("new", 50_000)), 0)

        del documents[0]
        assert run() == ([], (2, 115, 0), 0, 1)

        documents[0].body, documents[0].published = pdf("corrected", 60_000), date(2022, 1, 3)
        assert run() == ([Outcome.READY], (2, 115, 1), len(pdf("corrected", 60_000)), 1)
        assert len(visitor.files()) == 374
