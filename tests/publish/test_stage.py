"""When publications are made, and that they are there whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import update

from pipeline import schema
from pipeline.errors import PipelineError
from pipeline.publish.folders import folder_written_whole, mend
from pipeline.publish.stage import is_stale, publish
from tests.publish.building import Report, many
from tests.publish.conftest import Opened


def test_publishes_once_and_then_only_when_something_changed(opened: Opened) -> None:
    context = opened(many(6))
    first = publish(context)
    assert first.done > 3
    assert first.unchanged == 0
    again = publish(context)
    assert (again.done, again.unchanged) == (0, 1)

    with context.store.writing() as connection:
        connection.execute(update(schema.reports).where(schema.reports.c.report_id == "0" * 16).values(tagged_with="b"))
        assert is_stale(connection, context.config)
    assert publish(context).done == first.done


def test_a_file_that_was_deleted_is_made_again(opened: Opened) -> None:
    context = opened(many(6))
    publish(context)
    (context.config.output / "section-frequencies.csv").unlink()
    with context.store.reading() as connection:
        assert is_stale(connection, context.config)
    publish(context)
    assert (context.config.output / "section-frequencies.csv").is_file()


@pytest.mark.parametrize(
    "reports",
    [[], [Report("a" * 16)], [Report("a" * 16, authority=None, published=None, region=None)], many(2)],
    ids=["no report", "one without a paragraph", "nothing known of it", "one judged, one nasty"],
)
def test_hardly_any_report_is_published_all_the_same(opened: Opened, reports: list[Report]) -> None:
    context = opened(reports)
    assert publish(context).done > 3
    assert not list(context.config.output.rglob(".*"))


def test_a_workbook_that_excel_holds_open_is_said_in_a_sentence(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = opened(many(3))
    replace = os.replace

    def held(source: Path, target: Path) -> None:
        if Path(target).suffix == ".xlsx":
            raise PermissionError(13, "Permission denied", str(source), None, str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PipelineError, match=r"theme-frequencies\.xlsx cannot be replaced .* close the program"):
        publish(context)
    assert not list(context.config.output.glob(".*"))
    with context.store.reading() as connection:
        assert is_stale(connection, context.config)  # the next run makes it


def test_a_folder_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    site = tmp_path / "site"
    with folder_written_whole(site) as building:
        (building / "index.html").write_text("first")
    with pytest.raises(IsADirectoryError), folder_written_whole(site) as building:
        building.write_text("fails in the middle")
    assert (site / "index.html").read_text() == "first"
    with folder_written_whole(site) as building:
        (building / "other.html").write_text("third")
    assert [path.name for path in tmp_path.rglob("*")] == ["site", "other.html"]


def test_what_a_kill_between_the_two_renames_left_is_mended(tmp_path: Path) -> None:
    old, building = tmp_path / ".site.0123abcd.old", tmp_path / ".site.0123abcd"
    for folder, text in ((old, "old"), (building, "half")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    mend(tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
