"""The Excel workbook: a cover, the heat table, every table with filters and notes, and the evidence with links."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain import Domain
from pipeline.files import neutralise, written_whole
from pipeline.publish import catalogue, front_sheets, words
from pipeline.publish.catalogue import DIMENSION_TITLES, by_name
from pipeline.publish.publication import Publication, PublishedTable
from pipeline.publish.sheets import LINKS_A_SHEET, STYLE, Book, formats_of, headings, heat, print_on_a4, width_of

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

FILE = "theme-frequencies.xlsx"
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

_SHEETS: tuple[tuple[str, str], ...] = (
    ("Themes", catalogue.THEMES),
    ("Sections", catalogue.SECTIONS),
    ("Themes, latest reports", catalogue.LATEST),
    ("Sections, latest reports", catalogue.SECTIONS_LATEST),
    ("Themes, all reports", catalogue.ALL),
    *(
        (f"By {words.spoken(dimension)}"[:31], by_name(dimension))
        for dimension in DIMENSION_TITLES
        if dimension != Domain.OVERALL.value and "," not in dimension
    ),
    ("Themes, corrected", catalogue.CORRECTED_TABLE),
    ("Bands apart", catalogue.APART),
    ("Bands apart, sections", catalogue.SECTIONS_APART),
    ("Change over the years", catalogue.CHANGES_TABLE),
    ("The paper's claim", catalogue.CLAIMS_TABLE),
    ("The paper's section 5", catalogue.SECTION_FIVE_TABLE),
    ("The paper's Annex 1", catalogue.ANNEX_TABLE),
    ("Words of the bands", catalogue.BAND_TERMS),
    ("Words of the themes", catalogue.THEME_TERMS),
    ("Themes together", catalogue.CO_OCCURRENCE_TABLE),
    ("Judgements", catalogue.JUDGED),
    ("Reports", catalogue.REPORTS),
    ("Theme list", catalogue.THEME_LIST),
)
"""Sheets of whole tables, in order."""


_SHADED = ("reports_percent", "paragraphs_percent", "words_percent", "good_percent", "inadequate_percent")


def write(publication: Publication, output: Path) -> list[Path]:
    """Write the workbook."""
    import xlsxwriter

    path = output / FILE
    about = publication.about
    with written_whole(path) as temporary, xlsxwriter.Workbook(temporary, _OPTIONS) as file:
        file.set_properties(
            {
                "title": "Theme frequencies by rating band",
                "subject": f"{about.reports} inspection reports",
                "comments": f"Run {about.run_id} of inspection-themes {about.version}",
                "created": about.made.replace(tzinfo=None),  # the run's time: the same run, the same bytes
            }
        )
        book = Book(publication, file, formats_of(file))
        tables = {sheet: publication.tables[name] for sheet, name in _SHEETS if name in publication.tables}
        front_sheets.write_cover(book, [(sheet, table.title) for sheet, table in tables.items()])
        front_sheets.write_overviews(book)
        front_sheets.write_evidence(book)
        for sheet, table in tables.items():
            _table(book, sheet, table)
        _dictionary(book, tables)
    return [path]


def _table(book: Book, name: str, table: PublishedTable) -> None:
    sheet = book.file.add_worksheet(name)
    cells = neutralise(table.frame).astype(object)
    rows = cells.where(cells.notna(), None).values.tolist()
    titles = headings(table.fields)
    columns = [
        {"header": title, "header_format": book.formats["head"], "format": book.formats[field.kind]}
        for title, field in zip(titles, table.fields, strict=True)
    ]
    last = max(len(rows), 1)
    sheet.add_table(
        0,
        0,
        last,
        len(columns) - 1,
        {
            "data": rows,
            "columns": columns,
            "name": f"t_{table.name.replace('-', '_')}",
            "style": STYLE,
        },
    )
    for column, field in enumerate(table.fields):
        note = f"{field.note}.\nIn the CSV: {field.name}"
        sheet.write_comment(0, column, note, {"x_scale": 2, "author": "inspection-themes"})
        sheet.set_column(column, column, width_of(field, titles[column], rows, column))
        if field.name in _SHADED:
            heat(sheet, 1, column, last, highest=100 if field.name == "reports_percent" else None)
        elif field.name == "q_value":
            clear = book.file.add_format({"bold": True})
            sheet.conditional_format(
                1, column, last, column, {"type": "cell", "criteria": "<", "value": 0.05, "format": clear}
            )
    if table.name == catalogue.REPORTS:
        _report_links(book, sheet, table)
    key = next((place for place, field in enumerate(table.fields) if field.name == "name"), 0)
    sheet.freeze_panes(1, key + 1)
    print_on_a4(sheet)
    sheet.repeat_rows(0)


def _report_links(book: Book, sheet: Worksheet, table: PublishedTable) -> None:
    column = [field.name for field in table.fields].index("link")
    for row, link in enumerate(table.frame["link"].tolist()[:LINKS_A_SHEET], start=1):
        sheet.write_url(row, column, link, book.formats["link"], "open the report")


def _dictionary(book: Book, tables: Mapping[str, PublishedTable]) -> None:
    sheet = book.file.add_worksheet("Columns")
    rows = [
        [name, title, field.name, field.kind, field.note]
        for name, table in tables.items()
        for title, field in zip(headings(table.fields), table.fields, strict=True)
    ]
    columns = [
        {"header": header, "header_format": book.formats["head"]}
        for header in ("Sheet", "Heading", "Column in the CSV", "Type", "Meaning")
    ]
    sheet.add_table(0, 0, len(rows), 4, {"data": rows, "columns": columns, "name": "t_columns", "style": STYLE})
    for column, width in enumerate((28, 26, 26, 10, 100)):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
