"""Every number in the pages and in the workbook is the one in the CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.publish.workbook import FILE

Rows = dict[tuple[str, str], dict[str, str]]


def _csv(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["band"], row["name"]): row for row in csv.DictReader(file)}


def _page(path: Path) -> LexborHTMLParser:
    return LexborHTMLParser(path.read_text(encoding="utf-8"))


def _words(node: LexborNode | None) -> str:
    assert node is not None
    return " ".join(node.text(separator=" ").split())


def _table(page: LexborHTMLParser, caption: str) -> LexborNode:
    return next(table for table in page.css("table") if _words(table.css_first("caption")).startswith(caption))


def _same(shown: str, exact: str, decimals: int) -> bool:
    """Whether a rounded number is the exact one, rounded to so many decimals."""
    return abs(float(shown.rstrip("%").replace(",", "")) - float(exact)) <= 0.5 * 10**-decimals + 1e-9


def _heat_cells(table: LexborNode) -> Iterator[tuple[str, str, str]]:
    bands = [_words(heading).lower() for heading in table.css("thead th")[1:]]
    for row in table.css("tbody tr"):
        name = _words(row.css_first("th"))
        for band, cell in zip(bands, row.css("td"), strict=True):
            yield re.sub(r" [\d,]+ reports?.*$", "", band), name, _words(cell)


def _check_paragraphs(table: LexborNode, rows: Rows) -> int:
    checked = 0
    for band, name, text in _heat_cells(table):
        row = rows[band, name]
        if row["of_paragraphs"] == "0":
            assert text == "no paragraphs"
        else:
            found = re.fullmatch(r"([\d.]+)% ([\d,]+) of ([\d,]+)(?: \(([\d.]+) to ([\d.]+)\))?", text)
            assert found, text
            share, part, whole, low, high = found.groups()
            assert (part.replace(",", ""), whole.replace(",", "")) == (row["paragraphs"], row["of_paragraphs"])
            assert _same(share, row["paragraphs_percent"], 1)
            assert (low is None) == (row["paragraphs_low"] == "")
            if low is not None:
                assert _same(low, row["paragraphs_low"], 1)
                assert _same(high, row["paragraphs_high"], 1)
        checked += 1
    return checked


def _check_reports(table: LexborNode, rows: Rows) -> int:
    checked = 0
    for band, name, text in _heat_cells(table):
        row = rows[band, name]
        if row["of_reports"] == "0":
            assert text == "no reports"
        else:
            found = re.fullmatch(r"(\d+)% (\d+) of (\d+) \((\d+) to (\d+)\)", text)
            assert found, text
            share, reports, of_reports, low, high = found.groups()
            assert (reports, of_reports) == (row["reports"], row["of_reports"])
            assert _same(share, row["reports_percent"], 0)
            assert _same(low, row["reports_low"], 0)
            assert _same(high, row["reports_high"], 0)
        checked += 1
    return checked


def test_the_heat_tables_of_the_overview(published: Path) -> None:
    rows = _csv(published / "theme-frequencies.csv")
    page = _page(published / "site" / "index.html")
    assert _check_paragraphs(_table(page, "Paragraphs that carry each theme"), rows) == len(rows)
    assert _check_reports(_table(page, "Reports that carry each theme"), rows) == len(rows)
    sections = _csv(published / "section-frequencies.csv")
    by_label = {(band, f"{row['theme']} {name}"): row for (band, name), row in sections.items()}
    assert _check_paragraphs(_table(page, "Paragraphs that carry each section"), by_label) == len(sections)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("latest", "theme-frequencies-latest"),
        ("leadership", "theme-frequencies-by-leadership"),
        ("section-judgement", "theme-frequencies-by-section-judgement"),
        ("year", "theme-frequencies-by-year"),
        ("region", "theme-frequencies-by-region"),
        ("framework", "theme-frequencies-by-framework"),
    ],
)
def test_the_other_heat_tables(published: Path, page: str, name: str) -> None:
    rows = {(band.lower(), theme): row for (band, theme), row in _csv(published / "data" / f"{name}.csv").items()}
    paragraphs, reports = _page(published / "site" / "tables" / f"{page}.html").css("table.heat")
    assert _check_paragraphs(paragraphs, rows) == len(rows)
    assert _check_reports(reports, rows) == len(rows)


def test_the_tables_of_a_theme(published: Path) -> None:
    page = _page(published / "site" / "themes" / "camhs.html")
    checked = 0
    for caption, name in (
        ("Reports and paragraphs that carry CAMHS, by overall judgement", "theme-frequencies"),
        ("Reports and paragraphs that carry CAMHS, by year", "theme-frequencies-by-year"),
        ("Reports and paragraphs that carry CAMHS, by region", "theme-frequencies-by-region"),
    ):
        file = published / f"{name}.csv"
        rows = _csv(file if file.exists() else published / "data" / file.name)
        for line in _table(page, caption).css("tbody tr"):
            band = _words(line.css_first("th"))
            row = next(
                row for (group, theme), row in rows.items() if group.lower() == band.lower() and theme == "CAMHS"
            )
            cells = [_words(cell) for cell in line.css("td")]
            if row["of_reports"] == "0":
                assert cells == ["no reports"]
                continue
            paragraphs, part, spread, _, reports, share, between = cells
            assert reports == f"{row['reports']} of {row['of_reports']}"
            assert _same(share, row["reports_percent"], 0)
            low, high = between.split(" to ")
            assert _same(low, row["reports_low"], 0)
            assert _same(high, row["reports_high"], 0)
            assert paragraphs.replace(",", "") == f"{row['paragraphs']} of {row['of_paragraphs']}"
            assert _same(part, row["paragraphs_percent"], 1)
            if row["paragraphs_low"]:
                assert _same(spread.split(" to ")[0], row["paragraphs_low"], 1)
            else:
                assert spread == "–"
            checked += 1
    assert checked > 8


def test_the_profile_of_an_authority(published: Path) -> None:
    own = _csv(published / "data" / "theme-frequencies-by-authority.csv")
    everything = _csv(published / "data" / "theme-frequencies-all-reports.csv")
    table = _table(_page(published / "site" / "authorities" / "authority-3.html"), "Share of paragraphs")
    lines = table.css("tbody tr")
    for line in lines:
        name = _words(line.css_first("th"))
        cells = [_words(cell) for cell in line.css("td")]
        row = own["Authority 3", name]
        assert cells[0] == f"{row['paragraphs']} of {row['of_paragraphs']}"
        assert _same(cells[1].split()[0], row["paragraphs_percent"], 1)
        assert _same(cells[4], everything["all reports", name]["paragraphs_percent"], 1)
        assert cells[6] == f"{row['strengths']} / {row['mixed']} / {row['weaknesses']}"
    assert len(lines) == 4


def test_every_table_of_the_workbook_is_its_csv(published: Path) -> None:
    book = openpyxl.load_workbook(published / FILE, data_only=True)
    compared = 0
    for sheet in book.worksheets:
        for name in sheet.tables:
            path = published / "data" / f"{name.removeprefix('t_').replace('_', '-')}.csv"
            if name in ("t_evidence", "t_columns"):
                continue
            with path.open(encoding="utf-8", newline="") as file:
                _, *expected = csv.reader(file)
            shown = list(sheet.iter_rows(min_row=2, max_row=1 + len(expected), values_only=True))
            assert len(shown) == len(expected)
            for row, line in zip(expected, shown, strict=True):
                for exact, cell in zip(row, line, strict=True):
                    compared += _cell_is(cell, exact)
    assert compared > 5_000


def _cell_is(cell: object, exact: str) -> int:
    if cell == "open the report":
        return 0
    if isinstance(cell, bool):
        assert str(cell) == exact
    elif isinstance(cell, int | float):
        assert float(exact) == pytest.approx(cell, rel=1e-12)
    else:
        assert (cell or "") == exact
    return 1


@pytest.mark.parametrize(
    ("name", "unit", "decimals"), [("Overview", "paragraphs", 1), ("Overview, reports", "reports", 0)]
)
def test_the_overviews_of_the_workbook(published: Path, name: str, unit: str, decimals: int) -> None:
    rows = _csv(published / "theme-frequencies.csv")
    sheet = openpyxl.load_workbook(published / FILE, data_only=True)[name]
    bands = [str(sheet.cell(2, column).value).split(":")[0].lower() for column in range(2, 17, 3)]
    for number in range(4):
        theme = str(sheet.cell(4 + number, 1).value)
        for place, band in enumerate(bands):
            share, base, between = (sheet.cell(4 + number, 2 + 3 * place + shift).value for shift in range(3))
            row = rows[band, theme]
            if row[f"of_{unit}"] == "0":
                assert share == f"no {unit}"
                continue
            assert share == pytest.approx(float(row[f"{unit}_percent"]))
            assert base == f"{row[unit]} of {row[f'of_{unit}']}"
            if row[f"{unit}_low"]:
                assert _same(str(between).split(" to ")[0], row[f"{unit}_low"], decimals)
            else:
                assert not between
