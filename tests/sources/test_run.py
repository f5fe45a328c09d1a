"""`pipeline run` over the site: found, fetched, registered; said in the summary; doubts end with 3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.config import Config, load_config
from pipeline.run import plan, run
from pipeline.schema import reports
from pipeline.stage import Stage
from pipeline.store import Store
from tests.sources.replica import Authority, Document, Replica


@pytest.fixture
def whole(sample_reports: Path) -> list[Path]:
    """The sample's PDFs, without those that are none or are cut short."""
    files = [path for path in sorted(sample_reports.rglob("*.pdf")) if path.read_bytes().startswith(b"%PDF-")]
    return [path for path in files if b"%%EOF" in path.read_bytes()[-1024:]]


@pytest.fixture
def site(whole: list[Path]) -> Iterator[Replica]:
    """Six of them served as if they had been published."""
    authorities = [
        Authority(
            f"9900{at:02}",
            f"Invented {at}",
            [Document(f"6100{at:04}", "Children's services inspection", date(2020 + at, 1, 1), path)],
        )
        for at, path in enumerate(whole[:6])
    ]
    with Replica(authorities) as replica:
        yield replica


@pytest.fixture
def config(tmp_path: Path, site: Replica) -> Config:
    (tmp_path / "config.yaml").write_text(
        f"corpus: data\nsources:\n- {{name: ofsted, type: ofsted, contact: a@b.example, site: '{site.base}', "
        f"hosts: ['{site.host}'], requests_per_second: 0, backoff_s: 0}}\n",
        encoding="utf-8",
    )
    return load_config(tmp_path / "config.yaml")


def rows(config: Config) -> dict[str, tuple[str, str, bool]]:
    store = Store(config.store)
    try:
        with store.reading() as connection:
            found = connection.execute(
                select(reports.c.source_path, reports.c.status, reports.c.listed_urn, reports.c.gone)
            )
            return {row.source_path: (row.status, row.listed_urn, row.gone is not None) for row in found}
    finally:
        store.close()


def test_from_nothing_to_nothing_new(config: Config, site: Replica) -> None:
    assert len(plan(config).listings) == 6
    assert rows(config) == {}
    summary = run(config, until=Stage.DOWNLOAD)
    assert (summary.exit_code, summary.doubts, len(summary.new_reports)) == (0, [], 6)
    assert {path: row[0] for path, row in rows(config).items()} == {f"ofsted/6100{at:04}": "found" for at in range(6)}
    site.seen.clear()
    again = run(config, until=Stage.DOWNLOAD)
    assert (again.exit_code, again.nothing_new, again.new_reports) == (0, True, [])
    assert (site.count("/v1/file"), site.sent()) == (0, 0)
    assert plan(config).listings == []


def test_a_new_one_is_said_and_a_lost_one_is_kept(config: Config, site: Replica, whole: list[Path]) -> None:
    run(config, until=Stage.DOWNLOAD)
    moved = site.authorities[0].documents.pop()
    site.authorities[0].documents.append(Document("61009999", moved.title, date(2026, 1, 1), moved.body))
    site.authorities[1].documents.append(Document("61009998", moved.title, date(2026, 1, 2), whole[6]))
    summary = run(config, until=Stage.DOWNLOAD)
    assert summary.exit_code == 0
    assert {report.source_path for report in summary.new_reports} == {"ofsted/61009998", "ofsted/61009999"}
    # The same content under a new number is another copy, not another report.
    assert rows(config)["ofsted/61009999"][0] == "duplicate"
    assert rows(config)["ofsted/61000000"] == ("found", "990000", True)


def test_a_doubtful_site_ends_with_3_and_keeps_everything(config: Config, site: Replica) -> None:
    run(config, until=Stage.DOWNLOAD)
    before = rows(config)
    site.authorities[0].documents.clear()
    summary = run(config, until=Stage.DOWNLOAD)
    assert summary.exit_code == 3
    assert "lists none now; what is held stays" in summary.doubts[0]
    assert rows(config) == before
