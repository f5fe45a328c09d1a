"""What the workbook's sheets share: formats, heat, headings, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.publish.publication import Publication
from pipeline.tables.columns import Field

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

LINKS_A_SHEET = 65_000  # Excel takes 65,530
STYLE = "Table Style Light 1"
_NUMBER_FORMATS = {"percent": "0.0", "count": "#,##0", "number": "0.00", "text": "@", "flag": "General"}


@dataclass(frozen=True)
class Book:
    """A workbook being written, and what it is written from."""

    publication: Publication
    file: Workbook
    formats: dict[str, Format]


def print_on_a4(sheet: Worksheet, landscape: bool = True) -> None:
    """A4, as wide as a page."""
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def formats_of(book: Workbook) -> dict[str, Format]:
    """The workbook's formats, by what they are for; those of table columns by the kind of the field."""
    add = book.add_format
    wrap = {"text_wrap": True, "valign": "top"}
    return {
        "title": add({"bold": True, "font_size": 20}),
        "head": add({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "centre": add({"bold": True, "align": "center", "bottom": 1}),
        "bold": add({"bold": True}),
        "wrap": add(wrap),
        "quiet": add({"font_color": "#505A5F"}),
        "quiet right": add({"font_color": "#505A5F", "align": "right"}),
        "share 0": add({"num_format": '0"%"', "bold": True}),
        "share 1": add({"num_format": '0.0"%"', "bold": True}),
        "link": add({"font_color": "#1A65A6", "underline": 1, "valign": "top"}),
        **{kind: add({"num_format": form, "valign": "top"}) for kind, form in _NUMBER_FORMATS.items()},
    }


def headings(fields: Sequence[Field]) -> list[str]:
    """The columns' headings, each one its own: the ends of an interval get the name of what they bound."""
    found: list[str] = []
    of = ""
    for field in fields:
        if field.title in ("from", "to"):
            heading = f"{of}, {field.title}"
        else:
            heading, of = field.title, field.title
        taken = found.count(heading)
        found.append(f"{heading} ({field.name})" if taken else heading)
    return found


def heat(sheet: Worksheet, first: int, column: int, last: int, highest: float | None = 100) -> None:
    """Shade a column from white at 0 to blue at ``highest``, or at its own highest number."""
    top = {"max_type": "num", "max_value": highest} if highest is not None else {"max_type": "max"}
    sheet.conditional_format(
        first,
        column,
        last,
        column,
        {
            "type": "2_color_scale",
            "min_type": "num",
            "min_value": 0,
            "min_color": "#FFFFFF",
            "max_color": "#6BAED6",
            **top,
        },
    )


def height_of(text: str, width: int) -> float:
    """Points that a wrapped text needs in a column so many characters wide; Excel stops at 409."""
    return min(15.0 * max(1, -(-len(text) // (width - 8))), 405.0)


def width_of(field: Field, title: str, rows: list[list[Any]], column: int) -> float:
    """Characters that a column of a table needs."""
    if field.kind != "text":
        return max(11.0, min(len(title) + 3.0, 20.0))
    longest = max((len(str(row[column])) for row in rows[:500]), default=0)
    return float(min(max(longest, len(title) + 2) + 1, 60))
