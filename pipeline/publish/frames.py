"""A table as CSV, JSON, JSON lines, Parquet or an Excel sheet, safe for the spreadsheet that opens it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.exports import text_output
from pipeline.files import neutralise, written_whole

if TYPE_CHECKING:
    import pandas as pd


def write_frame(frame: pd.DataFrame, form: str, output: Path | None, sheet: str = "table") -> None:
    """Write a frame to a file, whole or not at all, or (text formats) to standard output.

    Parameters
    ----------
    form : str
        ``csv``, ``json`` (an array of records), ``jsonl``, ``parquet`` or ``xlsx``.

    Raises
    ------
    UsageError
        A binary format without an output file.
    """
    if form in ("parquet", "xlsx"):
        if output is None:
            raise UsageError(f"{form} cannot be shown on a terminal; name a file with --output.")
        with written_whole(output) as temporary:
            if form == "parquet":
                frame.to_parquet(temporary, index=False)
            else:
                _write_sheet(frame, temporary, sheet)
        return
    with text_output(output) as file:
        if form == "csv":
            neutralise(frame).to_csv(file, index=False, lineterminator="\n")
        else:
            file.write(frame.to_json(orient="records", lines=form == "jsonl", force_ascii=False, date_format="iso"))
            if form == "json":
                file.write("\n")


def _write_sheet(frame: pd.DataFrame, path: Path, sheet: str) -> None:
    """One Excel table with a filter on every column; text is never read as a formula or a link."""
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(path, options) as workbook:
        page = workbook.add_worksheet(sheet)
        cells = neutralise(frame).astype(object)
        rows = cells.where(cells.notna(), None).values.tolist()
        headers = [{"header": str(name)} for name in frame.columns]
        page.add_table(0, 0, max(len(rows), 1), len(headers) - 1, {"data": rows, "columns": headers, "name": sheet})
        page.freeze_panes(1, 0)
        page.autofit()
