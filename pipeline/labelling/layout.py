"""The columns of a batch as a table, in the workbook and in CSV: named here and nowhere else."""

from __future__ import annotations

from pipeline.labelling.batch import Item
from pipeline.themes.taxonomy import Theme

KEY = "Key"
REPORT = "Report"
DRAWN = "Drawn"
BATCH = "Batch"
NUMBER = "No."
AUTHORITY = "Authority"
PUBLISHED = "Published"
SECTION = "Section"
PAGE = "Page"
LINK = "Link"
TEXT = "Paragraph"
SUGGESTED = "Model suggests"
SAID = "Readers said"
ASKED = "Themes asked"
NOTHING = "No theme"

NOTHING_MARK = "x"
"""In the column :data:`NOTHING`: read, and carries no theme."""

NEEDED = (KEY, REPORT, DRAWN, PAGE, TEXT, NOTHING)
"""Columns without which nothing can be taken back."""

KNOWN = frozenset({*NEEDED, BATCH, NUMBER, AUTHORITY, PUBLISHED, SECTION, LINK, SUGGESTED, SAID, ASKED})

START_SHEET = "Start here"
ROWS_SHEET = "Paragraphs"
FACTS_SHEET = "batch"

NAME_LABEL = "Your name"
DATE_LABEL = "Date"

FACT_BATCH = "batch"
FACT_THEME = "theme"

LONGEST_TEXT = 32_000
"""Characters of a paragraph that a cell can hold (Excel's limit is 32,767)."""


def headings(themes: tuple[Theme, ...]) -> dict[str, str]:
    """The heading of each theme's column, ``{code: heading}``: its name, with its code where two share a name."""
    names = [theme.name.casefold() for theme in themes]
    taken = {column.casefold() for column in KNOWN}
    return {
        theme.code: theme.name
        if names.count(theme.name.casefold()) == 1 and theme.name.casefold() not in taken
        else f"{theme.name} ({theme.code})"
        for theme in themes
    }


def suggestion(item: Item, heads: dict[str, str]) -> str:
    """What the model says about a paragraph, in words."""
    if item.suggested is None:
        return ""
    return "; ".join(f"{heads[code]} {valence}" for code, valence in item.suggested) or "no theme"
