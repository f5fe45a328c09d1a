"""A filled-in workbook, read as what it is: a file from outside."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.labelling import layout
from pipeline.labelling.batch import Filled, is_batch_id
from pipeline.labelling.grid import Cell, Grid, read_grid
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    from openpyxl import Workbook

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_UNPACKED = 256 * 1024 * 1024
MOST_PARTS = 500
MOST_ROWS = 20_000
MOST_COLUMNS = 500
_BLOCK = 1 << 20
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d/%m/%y")
_MARKUP = (b"<!DOCTYPE", b"<!ENTITY")


def read_workbook(path: Path, taxonomy: Taxonomy) -> Filled:
    """Read a filled-in batch.

    Formulas are not computed and their kept results are not trusted: a cell with one is a fault.

    Raises
    ------
    UsageError
        Not a workbook, one that unpacks to more than a batch can be or declares entities, not made by ``pipeline label
        export``, or with columns missing, renamed or doubled.
    """
    _check_archive(path)
    try:
        from openpyxl import load_workbook

        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
        try:
            return _read(book, path, taxonomy)
        finally:
            book.close()
    except UsageError:
        raise
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError, SyntaxError, EOFError,
        zipfile.BadZipFile, ImportError,
    ) as error:  # fmt: skip
        # What openpyxl meets in a damaged file surfaces as any of these.
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise UsageError(
            f"{path} cannot be read as a workbook ({said}); open it and save it as .xlsx again."
        ) from error


def _check_archive(path: Path) -> None:
    """Refuse what no batch is, before anything is parsed."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path} is larger than {LARGEST_FILE // 2**20} MB; that is no batch.")
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the name.") from None
    if start == _OLD_EXCEL:
        raise UsageError(f"{path} is an old .xls workbook or has a password; save it as .xlsx without one.")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise UsageError(f"{path} has {len(parts):,} parts; that is no batch.")
            if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise UsageError(f"{path} unpacks to more than {LARGEST_UNPACKED // 2**20} MB; that is no batch.")
            unpacked = 0
            for part in parts:
                with archive.open(part) as content:
                    kept = b""
                    while block := content.read(_BLOCK):
                        # The sizes in the directory are the sender's word; this is what comes out.
                        unpacked += len(block)
                        if unpacked > LARGEST_UNPACKED:
                            raise UsageError(
                                f"{path} unpacks to more than {LARGEST_UNPACKED // 2**20} MB; that is no batch."
                            )
                        if any(mark in kept + block for mark in _MARKUP):
                            raise UsageError(f"{path} declares entities, which no workbook does; it was not opened.")
                        kept = block[-16:]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise UsageError(f"{path} is not an .xlsx workbook ({said}); save it as one.") from None


def _read(book: Workbook, path: Path, taxonomy: Taxonomy) -> Filled:
    for name in (layout.FACTS_SHEET, layout.ROWS_SHEET):
        if name not in book.sheetnames:
            raise UsageError(
                f"{path} has no sheet '{name}': it was not made by `pipeline label export`, or the sheet was removed."
            )
    batch = None
    heads: dict[str, str | None] = {}
    for _, cells in _cells(book, layout.FACTS_SHEET, path):
        values = [cell.text for cell in cells] + ["", "", ""]
        if values[0] == layout.FACT_BATCH:
            batch = values[1]
        elif values[0] == layout.FACT_THEME and values[1]:
            heads[values[1]] = values[2] or None
    if batch is None or not is_batch_id(batch) or not heads:
        raise UsageError(f"{path}, sheet '{layout.FACTS_SHEET}': it does not say which batch this is; export it again.")
    annotator, day = _signature(book, path)
    rows = list(_cells(book, layout.ROWS_SHEET, path))
    return read_grid(
        Grid(path, f"sheet '{layout.ROWS_SHEET}', ", rows, heads, batch), taxonomy, annotator=annotator, day=day
    )


def _cells(book: Workbook, name: str, path: Path) -> Iterator[tuple[str, list[Cell]]]:
    from openpyxl.utils import get_column_letter

    sheet: Any = book[name]
    sheet.reset_dimensions()  # what the file says of its size is not to be trusted
    for number, row in enumerate(sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS), start=1):
        if number > MOST_ROWS:
            raise UsageError(f"{path}, sheet '{name}': more than {MOST_ROWS:,} rows; that is no batch.")
        cells = [
            Cell(cell.value, f"cell {get_column_letter(column)}{number}", cell.data_type in ("f", "e"))
            for column, cell in enumerate(row, start=1)
        ]
        yield f"row {number}", cells


def _signature(book: Workbook, path: Path) -> tuple[str | None, date | None]:
    """Name and date from the first sheet; None where left empty."""
    name, day = None, None
    if layout.START_SHEET not in book.sheetnames:
        return None, None
    for _, cells in _cells(book, layout.START_SHEET, path):
        label = cells[0].text if cells else ""
        if len(cells) < 2 or cells[1].value is None:
            continue
        if label == layout.NAME_LABEL and name is None:
            name = cells[1].text or None
        elif label == layout.DATE_LABEL and day is None and cells[1].text:
            day = _day(cells[1])
            if day is None:
                raise UsageError(
                    f"{path}, sheet '{layout.START_SHEET}', {cells[1].at}: '{cells[1].text[:40]}' is not a date; "
                    "write it as 2026-01-31."
                )
    return name, day


def _day(cell: Cell) -> date | None:
    if isinstance(cell.value, datetime):
        return cell.value.date()
    if isinstance(cell.value, date):
        return cell.value
    for form in _DATES:
        try:
            return datetime.strptime(cell.text, form).date()
        except ValueError:
            continue
    return None
