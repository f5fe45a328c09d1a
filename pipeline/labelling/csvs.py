"""A batch as CSV: out, and back from whatever a spreadsheet made of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.files import neutralised, write_text
from pipeline.labelling import layout
from pipeline.labelling.batch import Batch, Filled
from pipeline.labelling.grid import Cell, Grid, read_grid
from pipeline.themes.taxonomy import Taxonomy

LARGEST = 64 * 1024 * 1024


def write_csv(batch: Batch, path: Path) -> None:
    """Write the batch: a row a paragraph, a column a theme (headed by its code), with a byte order mark for Excel."""
    heads = layout.headings(batch.themes)
    columns = [
        layout.BATCH, layout.KEY, layout.REPORT, layout.DRAWN, layout.AUTHORITY, layout.PUBLISHED, layout.SECTION,
        layout.PAGE, layout.LINK, layout.TEXT,
    ]  # fmt: skip
    if batch.suggestions:
        columns.append(layout.SUGGESTED)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*columns, *heads, layout.NOTHING, layout.ASKED])
    for item in batch.items:
        cells = [
            batch.batch_id, item.fingerprint, item.report, item.drawn, item.authority,
            item.published.isoformat() if item.published else "", item.section, item.page, item.link, item.text,
        ]  # fmt: skip
        if batch.suggestions:
            cells.append(layout.suggestion(item, heads))
        writer.writerow([*(neutralised(cell) for cell in cells), *("" for _ in heads), "", " ".join(heads)])
    write_text(path, "\ufeff" + out.getvalue())


def read_csv(path: Path, taxonomy: Taxonomy) -> Filled:
    """Read a filled-in batch; comma, semicolon or tab, UTF-8 or what Excel saves in Western Europe.

    Raises
    ------
    UsageError
        Not such a file: no header, a column missing, renamed or doubled; too large.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST // 2**20} MB; that is no batch.")
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the name.") from None
    notes = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
        notes.append(f"{path.name} is not UTF-8; it was read as Windows-1252.")
    text = text.replace("\x00", "")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[str, list[Cell]]] = []
    try:
        for record in reader:
            where = f"line {reader.line_num}"
            rows.append((where, [Cell(value, f"{where}, column {i}") for i, value in enumerate(record, start=1)]))
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not CSV ({error}); save it again as CSV.") from None
    return read_grid(Grid(path, "", rows, dict.fromkeys(_asked(rows) or taxonomy.codes)), taxonomy, notes)


def _asked(rows: list[tuple[str, list[Cell]]]) -> list[str]:
    """The themes that the batch asked about, as the file says: it may be older than the taxonomy."""
    headings = [cell.text for cell in rows[0][1]] if rows else []
    if layout.ASKED not in headings:
        return []
    place = headings.index(layout.ASKED)
    named = (cells[place].text for _, cells in rows[1:] if place < len(cells))
    return list(dict.fromkeys(code for text in named for code in text.split()))
