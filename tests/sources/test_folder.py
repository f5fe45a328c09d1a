"""The folder source: any tree of PDFs, known again without reading it."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.sources.base import KnownFile, Listing, Outcome
from pipeline.sources.folder import FolderSource, read_name


def known_from(listings: tuple[Listing, ...]) -> dict[str, KnownFile]:
    return {listing.source_path: KnownFile(listing.size or 0, listing.mtime_ns or 0) for listing in listings}


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF-1.4 " + name.encode())


def test_publisher_names_are_understood_and_any_other_name_is_listed(tmp_path: Path) -> None:
    make(
        tmp_path,
        "80429_birmingham/children's services inspection - 23 may 2014.pdf",
        "2532287_bournemouth, christchurch & poole/children's services inspection - 29 January 2025.PDF",
        "downloads/report (3).pdf",
        "loose.pdf",
        "notes.txt",
        ".hidden.pdf",
    )
    found = FolderSource("mine", tmp_path, "reports").discover({}).new
    assert [(item.source_path, item.urn, item.authority, item.title, item.published) for item in found] == [
        (
            "reports/2532287_bournemouth, christchurch & poole/children's services inspection - 29 January 2025.PDF",
            "2532287",
            "bournemouth, christchurch & poole",
            "children's services inspection",
            date(2025, 1, 29),
        ),
        (
            "reports/80429_birmingham/children's services inspection - 23 may 2014.pdf",
            "80429",
            "birmingham",
            "children's services inspection",
            date(2014, 5, 23),
        ),
        ("reports/downloads/report (3).pdf", None, None, None, None),
        ("reports/loose.pdf", None, None, None, None),
    ]
    assert all(
        item.file is not None and item.file.is_file() and item.size == item.file.stat().st_size for item in found
    )


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("x/title - 31 february 2020.pdf", None),
        ("x/a - b - 01 Mar 2020.pdf", date(2020, 3, 1)),
        ("x/a - 2020-03-01.pdf", date(2020, 3, 1)),
        ("x/a - 2020-03-01 - 50123456-0a1b2c3d.pdf", date(2020, 3, 1)),
        ("x/a - 01 03 2020.pdf", None),
    ],
)
def test_dates_in_names(name: str, published: date | None) -> None:
    assert read_name(name)[3] == published


def test_only_what_changed_is_new_the_second_time(tmp_path: Path) -> None:
    make(tmp_path, "a.pdf", "b.pdf", "c.pdf")
    source = FolderSource("mine", tmp_path, "reports")
    known = known_from(source.discover({}).new)
    make(tmp_path, "d.pdf")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 another content")
    (tmp_path / "c.pdf").unlink()
    again = source.discover(known)
    assert [item.source_path for item in again.new] == ["reports/b.pdf", "reports/d.pdf"]
    assert [item.source_path for item in again.unchanged] == ["reports/a.pdf"]
    assert again.gone == ("reports/c.pdf",)
    assert [(item.listing, item.outcome) for item in source.fetch(again.new)] == [
        (listing, Outcome.READY) for listing in again.new
    ]


def test_the_path_is_shown_as_configured_with_slashes(tmp_path: Path) -> None:
    make(tmp_path, "a.pdf")
    for shown in ("..\\shared\\pdf\\", "../shared/pdf/", "../shared/pdf"):
        assert FolderSource("mine", tmp_path, shown).discover({}).new[0].source_path == "../shared/pdf/a.pdf"
    assert FolderSource("mine", tmp_path, "/").discover({}).new[0].source_path == "/a.pdf"


@pytest.mark.skipif(sys.platform == "win32", reason="making symbolic links needs a right on Windows")
def test_a_link_to_a_parent_does_not_loop_and_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    make(tmp_path / "tree", "sub/a.pdf")
    make(tmp_path / "elsewhere", "b.pdf")
    (tmp_path / "tree/sub/up").symlink_to(tmp_path / "tree")
    (tmp_path / "tree/other").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree/broken.pdf").symlink_to(tmp_path / "nowhere.pdf")
    found = FolderSource("mine", tmp_path / "tree", "tree").discover({}).new
    assert [item.source_path for item in found] == ["tree/other/b.pdf", "tree/sub/a.pdf"]


def test_missing_empty_and_wrong_folders_are_one_sentence_each(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make(tmp_path, "file.pdf")
    for path, words in (("missing", "does not exist"), ("empty", "has no PDF"), ("file.pdf", "is a file")):
        with pytest.raises(UsageError, match=words) as error:
            FolderSource("mine", tmp_path / path, path).discover({})
        assert str(tmp_path / path) in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the super-user may read everything")
def test_an_unreadable_folder_is_a_doubt_and_nothing_in_it_is_gone(tmp_path: Path) -> None:
    make(tmp_path, "open/a.pdf", "locked/b.pdf")
    source = FolderSource("mine", tmp_path, "reports")
    known = known_from(source.discover({}).new)
    (tmp_path / "locked").chmod(0)
    try:
        again = source.discover(known)
    finally:
        (tmp_path / "locked").chmod(0o755)
    assert again.gone == ()
    assert "locked" in again.doubts[0]


@pytest.mark.corpus
def test_every_name_of_the_real_corpus_is_understood(shared: Path) -> None:
    source = FolderSource("real", shared / "corpus" / "pdf", "../shared/corpus/pdf")
    found = source.discover({}).new
    assert len(found) == 375
    assert all(item.urn and item.authority and item.title and item.published for item in found)
    assert len(source.discover(known_from(found)).unchanged) == 375


def test_a_copied_tree_keeps_what_it_is_called(tmp_path: Path) -> None:
    make(tmp_path / "one", "80429_birmingham/x - 23 may 2014.pdf")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for folder in ("one", "two"):
        item = FolderSource("mine", tmp_path / folder, folder).discover({}).new[0]
        assert item.source_path == f"{folder}/80429_birmingham/x - 23 may 2014.pdf"
