"""The Excel workbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.files import neutralise, written_whole
from pipeline.publish.publication import LATEST, SECTIONS, THEMES, Publication, PublishedTable

if TYPE_CHECKING:
    from xlsxwriter import Workbook

FILE = "theme-frequencies.xlsx"
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_SHEETS = {THEMES: "Themes", SECTIONS: "Sections", LATEST: "Themes, latest reports"}


def write(publication: Publication, output: Path) -> list[Path]:
    """Write the workbook."""
    import xlsxwriter

    path = output / FILE
    with written_whole(path) as temporary, xlsxwriter.Workbook(temporary, _OPTIONS) as book:
        for name, sheet in _SHEETS.items():
            _table_sheet(book, publication.tables[name], sheet)
    return [path]


def _table_sheet(book: Workbook, table: PublishedTable, name: str) -> None:
    sheet = book.add_worksheet(name)
    cells = neutralise(table.frame).astype(object)
    rows = cells.where(cells.notna(), None).values.tolist()
    columns = [{"header": field.name} for field in table.fields]
    sheet.add_table(
        0,
        0,
        max(len(rows), 1),
        len(columns) - 1,
        {"data": rows, "columns": columns, "name": table.name.replace("-", "_")},
    )
    sheet.freeze_panes(1, 4)
    sheet.autofit()
