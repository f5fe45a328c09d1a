"""A batch as an Excel workbook that can be filled in without instructions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain import VALENCES
from pipeline.files import neutralised, written_whole
from pipeline.labelling import layout
from pipeline.labelling.batch import OPEN, Batch, Item

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_HOW_TO_LABEL = (
    f"Write your name and the date into the yellow cells above, then go to the sheet '{layout.ROWS_SHEET}'.",
    "Read each paragraph by itself. The page number is a link that opens the report there.",
    "For every theme that at least one clause describes or judges, pick a sign from the drop-down in its column: "
    "+ a strength or an improvement, - a weakness, a risk or a recommendation, 0 both or neither. "
    "Leave the other themes blank.",
    "Rest the mouse on a theme's heading to see what it means; the whole codebook is below.",
    f"If a paragraph carries no theme, pick x in the column '{layout.NOTHING}'. A row left wholly blank counts as not "
    "read yet: you can send the workbook back half done, and again when it is finished.",
    "Save it as an Excel workbook and send it back to whoever gave it to you.",
)
_HOW_TO_SETTLE = (
    f"Write your name and the date into the yellow cells above, then go to the sheet '{layout.ROWS_SHEET}'.",
    f"The readers of each paragraph disagree about the themes marked {OPEN}; the column '{layout.SAID}' tells who said "
    "what. The page number is a link that opens the report there.",
    f"Replace each {OPEN} by + - or 0, or pick 'no' if the paragraph does not carry the theme. What the readers "
    "agree on is filled in already; you may correct it.",
    f"A row with a {OPEN} left counts as not settled yet.",
    "Save it as an Excel workbook and send it back to whoever gave it to you.",
)
_BLUE, _ORANGE, _GREY, _YELLOW = "#BFDDF2", "#F8CFA5", "#E3E5E6", "#FFF2B3"
_WIDTHS = {
    layout.KEY: 14, layout.REPORT: 30, layout.DRAWN: 14, layout.NUMBER: 5, layout.AUTHORITY: 17, layout.PUBLISHED: 11,
    layout.SECTION: 16, layout.PAGE: 6, layout.TEXT: 72, layout.SUGGESTED: 26, layout.SAID: 34, layout.NOTHING: 6,
}  # fmt: skip
_START_WIDTHS = (40, 78, 44, 70)
_HIDDEN = (layout.KEY, layout.REPORT, layout.DRAWN)
_LINKS = 65_000  # Excel takes 65,530 a sheet
_LONGEST_LINK = 2000


def write_workbook(batch: Batch, path: Path) -> None:
    """Write the batch: a sheet with how-to and codebook, one with a row a paragraph, and a hidden one for import."""
    import xlsxwriter

    with (
        written_whole(path) as temporary,
        xlsxwriter.Workbook(temporary, {"strings_to_formulas": False, "strings_to_urls": False}) as book,
    ):
        formats = _formats(book)
        _write_start(book, formats, batch)
        _write_rows(book, formats, batch)
        _write_facts(book, batch)


def _formats(book: Workbook) -> dict[str, Format]:
    top = {"valign": "top"}
    return {
        "title": book.add_format({"bold": True, "font_size": 18}),
        "bold": book.add_format({"bold": True, **top}),
        "wrap": book.add_format({"text_wrap": True, **top}),
        "top": book.add_format(top),
        "date": book.add_format({"num_format": "d mmm yyyy", "align": "left", **top}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "theme": book.add_format(
            {"bold": True, "font_size": 9, "bottom": 1, "rotation": 90, "valign": "bottom", "align": "center"}
        ),
        "link": book.add_format({"font_color": "#1A65A6", "underline": 1, "align": "left", **top}),
        # Text cells: a typed + or - is then never the beginning of a formula.
        "label": book.add_format(
            {"num_format": "@", "align": "center", "locked": False, "border": 4, "border_color": "#B1B4B6", **top}
        ),
        "input": book.add_format({"bg_color": _YELLOW, "border": 1, "locked": False, "num_format": "@"}),
        "input date": book.add_format(
            {"bg_color": _YELLOW, "border": 1, "locked": False, "num_format": "d mmm yyyy", "align": "left"}
        ),
        "+": book.add_format({"bg_color": _BLUE}),
        "-": book.add_format({"bg_color": _ORANGE}),
        "0": book.add_format({"bg_color": _GREY}),
        OPEN: book.add_format({"bg_color": _YELLOW, "bold": True}),
    }


def _height(*texts: tuple[str, int]) -> float:
    """Points that the tallest of wrapped texts needs in its column of so many characters; Excel stops at 409."""
    lines = (sum(-(-len(line) // max(width - 6, 1)) or 1 for line in text.split("\n")) for text, width in texts)
    return min(405.0, 15.0 * max(lines))


def _safe(text: object) -> str:
    return str(neutralised(str(text)))


def _write_start(book: Workbook, formats: dict[str, Format], batch: Batch) -> None:
    sheet = book.add_worksheet(layout.START_SHEET)
    sheet.hide_gridlines(2)
    for column, width in enumerate(_START_WIDTHS):
        sheet.set_column(column, column, width)
    title = "Paragraphs to settle" if batch.to_settle else "Paragraphs to label"
    sheet.write_string(0, 0, title, formats["title"])
    sheet.write_string(2, 0, layout.NAME_LABEL, formats["bold"])
    sheet.write_blank(2, 1, None, formats["input"])
    sheet.write_string(3, 0, layout.DATE_LABEL, formats["bold"])
    sheet.write_blank(3, 1, None, formats["input date"])
    row = 5
    for number, text in enumerate(_HOW_TO_SETTLE if batch.to_settle else _HOW_TO_LABEL, start=1):
        sheet.set_row(row, _height((text, _START_WIDTHS[1])))
        sheet.write_string(row, 0, f"Step {number}", formats["bold"])
        sheet.write_string(row, 1, text, formats["wrap"])
        row += 1
    row += 1
    for label, value in (
        ("Batch", batch.batch_id),
        ("Drawn", batch.description),
        ("Paragraphs", str(len(batch.items))),
        ("Codebook", batch.taxonomy.name),
    ):
        sheet.write_string(row, 0, label, formats["bold"])
        sheet.write_string(row, 1, _safe(value), formats["wrap"])
        row += 1
    row = _write_lines(sheet, formats, row + 1, "What holds for every theme", batch.taxonomy.conventions)
    row += 1
    for column, heading in enumerate(("Theme", "Give it when the paragraph is about", "Not when", "Rulings")):
        sheet.write_string(row, column, heading, formats["head"])
    for theme in batch.themes:
        row += 1
        cells = (theme.name, theme.definition, theme.not_when or "", " ".join(theme.rulings))
        sheet.set_row(row, _height(*zip(cells, _START_WIDTHS, strict=True)))
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, _safe(cell), formats["wrap" if column else "bold"])
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write_lines(sheet: Worksheet, formats: dict[str, Format], row: int, heading: str, lines: Sequence[str]) -> int:
    for number, line in enumerate(lines):
        if number == 0:
            sheet.write_string(row, 0, heading, formats["bold"])
        sheet.set_row(row, _height((line, _START_WIDTHS[1])))
        sheet.write_string(row, 1, _safe(line), formats["wrap"])
        row += 1
    return row


def _columns(batch: Batch) -> list[str]:
    columns = [
        layout.KEY, layout.REPORT, layout.DRAWN, layout.NUMBER, layout.AUTHORITY, layout.PUBLISHED, layout.SECTION,
        layout.PAGE, layout.TEXT,
    ]  # fmt: skip
    if batch.to_settle:
        columns.append(layout.SAID)
    elif batch.suggestions:
        columns.append(layout.SUGGESTED)
    return columns


def _write_rows(book: Workbook, formats: dict[str, Format], batch: Batch) -> None:
    sheet = book.add_worksheet(layout.ROWS_SHEET)
    columns = _columns(batch)
    heads = layout.headings(batch.themes)
    for place, heading in enumerate(columns):
        hidden = {"hidden": True} if heading in _HIDDEN else {}
        sheet.set_column(place, place, _WIDTHS[heading], None, hidden)
        sheet.write_string(0, place, heading, formats["head"])
    first = len(columns)
    nothing = first + len(heads)
    last_row = len(batch.items)
    longest = max(len(heading) for heading in heads.values())
    sheet.set_row(0, min(400.0, 5.5 * longest + 12))
    sheet.set_column(first, nothing, 4.5)
    for place, theme in enumerate(batch.themes, start=first):
        sheet.write_string(0, place, _safe(heads[theme.code]), formats["theme"])
        meaning = f"{theme.name}\n\n{theme.definition}" + (f"\n\nNot when {theme.not_when}" if theme.not_when else "")
        sheet.write_comment(0, place, meaning, {"x_scale": 3, "y_scale": 2.2, "font_size": 9, "author": "codebook"})
    sheet.write_string(0, nothing, layout.NOTHING, formats["theme"])
    sheet.write_comment(
        0, nothing, "Pick x when the paragraph has been read and carries no theme.", {"author": "codebook"}
    )
    for row, item in enumerate(batch.items, start=1):
        _write_item(sheet, formats, row, item, columns, heads)
    for offset, code in enumerate(heads):
        for row, item in enumerate(batch.items, start=1):
            sheet.write_string(row, first + offset, item.given.get(code, ""), formats["label"])
    for row in range(1, last_row + 1):
        sheet.write_blank(row, nothing, None, formats["label"])
    choices = [*VALENCES, "no"] if batch.to_settle else list(VALENCES)
    sheet.data_validation(
        1, first, last_row, nothing - 1,
        {
            "validate": "list",
            "source": choices,
            "error_title": "A sign",
            "error_message": f"Pick {' '.join(choices)}, or leave it blank.",
        },
    )  # fmt: skip
    sheet.data_validation(
        1, nothing, last_row, nothing,
        {
            "validate": "list",
            "source": [layout.NOTHING_MARK],
            "error_title": layout.NOTHING,
            "error_message": f"Pick {layout.NOTHING_MARK}, or leave it blank.",
        },
    )  # fmt: skip
    for sign in (*VALENCES, OPEN):
        sheet.conditional_format(
            1, first, last_row, nothing - 1,
            {"type": "cell", "criteria": "==", "value": f'"{sign}"', "format": formats[sign]},
        )  # fmt: skip
    _mark_read_rows(sheet, formats, columns.index(layout.NUMBER), first, nothing, last_row)
    sheet.ignore_errors({"number_stored_as_text": _range(1, first, last_row, nothing)})
    sheet.freeze_panes(1, columns.index(layout.TEXT) + 1)
    # Without a password: against sorting one column alone or typing over a paragraph, not against intent.
    sheet.protect("", {"format_columns": True, "format_rows": True, "format_cells": True})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _mark_read_rows(
    sheet: Worksheet, formats: dict[str, Format], number: int, first: int, nothing: int, last_row: int
) -> None:
    """The number of a row turns blue as soon as it counts as read: something is said about it, and nothing open."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    cells = f"{xl_rowcol_to_cell(1, first, col_abs=True)}:{xl_rowcol_to_cell(1, nothing, col_abs=True)}"
    said = f'=AND(SUMPRODUCT(--(LEN({cells})>0))>0,SUMPRODUCT(--({cells}="{OPEN}"))=0)'
    sheet.conditional_format(1, number, last_row, number, {"type": "formula", "criteria": said, "format": formats["+"]})


def _range(first_row: int, first_column: int, last_row: int, last_column: int) -> str:
    from xlsxwriter.utility import xl_range

    return str(xl_range(first_row, first_column, last_row, last_column))


def _write_item(
    sheet: Worksheet, formats: dict[str, Format], row: int, item: Item, columns: list[str], heads: dict[str, str]
) -> None:
    words = {
        layout.KEY: item.fingerprint,
        layout.REPORT: item.report,
        layout.DRAWN: item.drawn,
        layout.AUTHORITY: item.authority,
        layout.SECTION: item.section.replace("_", " "),
        layout.TEXT: item.text[: layout.LONGEST_TEXT],
        layout.SUGGESTED: layout.suggestion(item, heads),
        layout.SAID: item.said,
    }
    shown = [column for column in columns if column in words and column not in _HIDDEN]
    sheet.set_row(row, _height(*((words[column], _WIDTHS[column]) for column in shown)))
    for place, column in enumerate(columns):
        if column == layout.NUMBER:
            sheet.write_number(row, place, row, formats["top"])
        elif column == layout.PAGE:
            sheet.write_number(row, place, item.page, formats["top"])
            if row <= _LINKS and len(item.link) < _LONGEST_LINK:
                sheet.write_url(row, place, item.link, formats["link"], str(item.page))
        elif column == layout.PUBLISHED:
            if item.published:
                sheet.write_datetime(row, place, item.published, formats["date"])
        else:
            sheet.write_string(row, place, _safe(words[column]), formats["wrap"])


def _write_facts(book: Workbook, batch: Batch) -> None:
    sheet = book.add_worksheet(layout.FACTS_SHEET)
    facts = [
        (layout.FACT_BATCH, batch.batch_id, ""),
        ("made", batch.made.isoformat(), ""),
        ("drawn", batch.description, ""),
        ("taxonomy", batch.taxonomy.fingerprint, ""),
        *((layout.FACT_THEME, code, heading) for code, heading in layout.headings(batch.themes).items()),
    ]
    for row, cells in enumerate(facts):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, _safe(cell))
    sheet.very_hidden()
