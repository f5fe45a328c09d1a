"""The workbook: opens, has real tables with notes, leads to the evidence, and runs nothing."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from pipeline.publish.sheets import headings
from pipeline.publish.stage import publish
from pipeline.publish.workbook import FILE
from pipeline.tables.columns import CHANGES, CO_OCCURRENCE, CONTRASTS, FREQUENCIES, TERMS, Field
from tests.publish.building import NASTY_NAME, NASTY_TEXT, Report
from tests.publish.conftest import Opened


@pytest.fixture(scope="module")
def book(published: Path) -> openpyxl.Workbook:
    """The workbook, read."""
    return openpyxl.load_workbook(published / FILE)


def test_the_cover_says_what_when_and_from_how_many(book: openpyxl.Workbook) -> None:
    assert book.sheetnames[:4] == ["Read me", "Overview", "Overview, reports", "Charts"]
    facts = {row[0]: row[1] for row in book["Read me"].iter_rows(min_row=2, max_row=12, values_only=True)}
    assert facts["Made"] == "2 January 2026, by run 1 of inspection-themes 0.1.0"
    assert facts["Reports"] == "24 of 9 authorities"
    assert facts["Model"] == "made up"
    targets = [cell.hyperlink.location for row in book["Read me"].iter_rows() for cell in row if cell.hyperlink]
    assert [re.fullmatch(r"'(.*)'!A1", target or "")[1] for target in targets] == book.sheetnames[1:]  # type: ignore[index]


def test_nothing_in_it_is_a_formula(published: Path, book: openpyxl.Workbook) -> None:
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    with zipfile.ZipFile(published / FILE) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in archive.read(name), name
            assert "externalLink" not in name


def test_text_that_looks_like_a_formula_stays_text(book: openpyxl.Workbook) -> None:
    evidence = list(book["Evidence"].iter_rows(min_row=2, values_only=True))
    nasty = [row for row in evidence if row[2] == f"'{NASTY_NAME}"]
    assert nasty
    assert {row[7] for row in nasty} == {f"'{NASTY_TEXT}"}


def test_every_column_of_every_table_has_a_heading_of_its_own_and_a_note(book: openpyxl.Workbook) -> None:
    tables = 0
    for sheet in book:
        for table in sheet.tables.values():
            titles = [column.name for column in table.tableColumns]
            assert len(titles) == len(set(titles))
            assert table.autoFilter is not None
            if table.name not in ("t_evidence", "t_columns"):
                assert all(sheet.cell(1, place + 1).comment for place in range(len(titles))), (sheet.title, titles)
                tables += 1
    assert tables > 20


@pytest.mark.parametrize("fields", [FREQUENCIES, CONTRASTS, CHANGES, TERMS, CO_OCCURRENCE])
def test_headings_are_unique_whatever_the_columns_are_called(fields: tuple[Field, ...]) -> None:
    assert len(set(headings(fields))) == len(fields)


def test_evidence_leads_to_the_page_of_the_report(book: openpyxl.Workbook) -> None:
    sheet = book["Evidence"]
    links = {cell.value: cell.hyperlink for (cell,) in sheet.iter_rows(min_row=2, min_col=7, max_col=7)}
    for shown, link in links.items():
        page = str(shown).removeprefix("page ")
        address = f"{link.target}#{link.location}" if link.location else link.target
        assert address.endswith(f"#page={page}")
        assert re.match(r"https://example\.org/|file:///", address)


def test_charts_and_shades(published: Path, book: openpyxl.Workbook) -> None:
    with zipfile.ZipFile(published / FILE) as archive:
        assert len([name for name in archive.namelist() if name.startswith("xl/charts/chart")]) == 2
    assert len(book["Overview"].conditional_formatting) == 5
    assert len(book["Overview, reports"].conditional_formatting) == 5


def test_without_a_report_it_says_so(opened: Opened) -> None:
    context = opened([])
    publish(context)
    book = openpyxl.load_workbook(context.config.output / FILE)
    assert book["Overview"]["A2"].value == "No report has been read yet, so there is nothing to show."


def test_a_theme_never_found_and_an_empty_band_have_their_cells(opened: Opened) -> None:
    context = opened([Report("a" * 16, judgements={"overall_effectiveness": "good"})])
    publish(context)
    sheet = openpyxl.load_workbook(context.config.output / FILE)["Overview, reports"]
    line = next(row for row in sheet.iter_rows(min_row=4, values_only=True) if row[0] == "Never found")
    assert line[1] == "no reports"  # outstanding
    assert line[4:6] == (0, "0 of 1")  # good
