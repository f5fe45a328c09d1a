"""The Excel workbook: a cover, the heat table, every table with filters and notes, and the evidence with links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain import Band, Domain, Valence
from pipeline.files import neutralise, neutralised, written_whole
from pipeline.publish import publication as published
from pipeline.publish import words
from pipeline.publish.links import report_link
from pipeline.publish.publication import DIMENSION_TITLES, Publication, PublishedTable, by_name
from pipeline.publish.views import by_theme, years_of
from pipeline.tables.columns import Field

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

FILE = "theme-frequencies.xlsx"
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LINKS_A_SHEET = 65_000  # Excel takes 65,530

# Blue for better, orange for worse: the colour-blind can tell them apart.
_BAND_COLOURS = {
    Band.OUTSTANDING: "#1A4F8A",
    Band.GOOD: "#6BAED6",
    Band.REQUIRES_IMPROVEMENT: "#F2B06B",
    Band.INADEQUATE: "#B8480B",
    Band.NOT_JUDGED: "#B1B4B6",
}
_NUMBER_FORMATS = {"percent": "0.0", "count": "#,##0", "number": "0.00", "text": "@", "flag": "General"}

_SHEETS: tuple[tuple[str, str], ...] = (
    ("Themes", published.THEMES),
    ("Sections", published.SECTIONS),
    ("Themes, latest reports", published.LATEST),
    ("Sections, latest reports", published.SECTIONS_LATEST),
    ("Themes, all reports", published.ALL),
    *(
        (f"By {words.spoken(dimension)}"[:31], by_name(dimension))
        for dimension in DIMENSION_TITLES
        if dimension != Domain.OVERALL.value and "," not in dimension
    ),
    ("Bands apart", published.APART),
    ("Bands apart, sections", published.SECTIONS_APART),
    ("Change over the years", published.CHANGES_TABLE),
    ("Judgements", published.JUDGED),
    ("Reports", published.REPORTS),
    ("Theme list", published.THEME_LIST),
)
"""Sheets of whole tables, in order."""

_HOW_TO_READ = (
    "The Overview shows, for each theme and band, the share of the band's reports in which at least one paragraph carries the "
    "theme, how many reports that is of how many, and the 95 % interval of the share.",
    "Every other sheet is an Excel table: filter with the arrows; a note on each heading says what the column means.",
    "The Evidence sheet has the surest paragraphs for and against each theme, with a link to the page of the report.",
    "A theme that stands more often in inadequate authorities is not thereby a cause of the judgement.",
    "Themes are assigned by a model, which errs. Intervals say how much the shares would differ had other reports been written; "
    "they do not hold the model's errors.",
)


def write(publication: Publication, output: Path) -> list[Path]:
    """Write the workbook."""
    import xlsxwriter

    path = output / FILE
    with written_whole(path) as temporary, xlsxwriter.Workbook(temporary, _OPTIONS) as book:
        _Book(publication, book).write()
    return [path]


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


@dataclass(frozen=True)
class _Book:
    """The workbook of one publication."""

    publication: Publication
    book: Workbook

    def write(self) -> None:
        """Write every sheet."""
        about = self.publication.about
        self.book.set_properties(
            {
                "title": "Theme frequencies by rating band",
                "subject": f"{about.reports} inspection reports",
                "comments": f"Run {about.run_id} of inspection-themes {about.version}",
                "created": about.made.replace(tzinfo=None),
            }
        )
        self._cover()
        self._overview()
        evidence = self.book.add_worksheet("Evidence")
        for sheet, name in _SHEETS:
            self._table(sheet, self.publication.tables[name])
        self._evidence(evidence)
        self._dictionary()

    @cached_property
    def _formats(self) -> dict[str, Format]:
        add = self.book.add_format
        wrap = {"text_wrap": True, "valign": "top"}
        return {
            "title": add({"bold": True, "font_size": 20}),
            "head": add({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
            "centre": add({"bold": True, "align": "center", "bottom": 1}),
            "bold": add({"bold": True}),
            "wrap": add(wrap),
            "quiet": add({"font_color": "#505A5F"}),
            "quiet right": add({"font_color": "#505A5F", "align": "right"}),
            "share": add({"num_format": '0"%"', "bold": True}),
            "link": add({"font_color": "#1A65A6", "underline": 1, "valign": "top"}),
            **{kind: add({"num_format": form, "valign": "top"}) for kind, form in _NUMBER_FORMATS.items()},
        }

    def _cover(self) -> None:
        about, formats = self.publication.about, self._formats
        sheet = self.book.add_worksheet("Read me")
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 110)
        sheet.write_string(0, 0, "Theme frequencies by rating band", formats["title"])
        facts = [
            (
                "What",
                "How often each theme stands in Ofsted's reports on local authorities' children's services, by judgement",
            ),
            ("Made", f"{words.day(about.made.date())}, by run {about.run_id} of inspection-themes {about.version}"),
            ("Reports", f"{about.reports:,} of {about.authorities:,} authorities"),
            ("Published", f"{words.day(about.first)} to {words.day(about.last)}" if about.first else "no dates known"),
            ("Paragraphs", f"{about.paragraphs:,} substantive, of which {about.tagged:,} carry at least one theme"),
            ("Model", ", ".join(about.models) or "nothing has been tagged yet"),
            ("Taxonomy", about.taxonomy),
            ("Set aside", f"{len(about.set_aside):,} files that could not be used"),
            ("Licence", "Reports: Crown copyright, Open Government Licence v3.0. This is not a publication of Ofsted."),
        ]
        row = 2
        for label, text in facts:
            sheet.write_string(row, 0, label, formats["bold"])
            sheet.write_string(row, 1, str(neutralised(text)), formats["wrap"])
            row += 1
        sheet.write_string(row + 1, 0, "How to read it", formats["bold"])
        for number, text in enumerate(_HOW_TO_READ):
            sheet.set_row(row + 1 + number, _height(text, 110))
            sheet.write_string(row + 1 + number, 1, text, formats["wrap"])
        row += len(_HOW_TO_READ) + 2
        sheet.write_string(row, 0, "Sheets", formats["bold"])
        listed = [
            ("Overview", "Heat table of themes by overall judgement"),
            ("Charts", "Good against inadequate by theme; reports by year and overall judgement"),
            ("Evidence", "The surest paragraphs for and against each theme"),
            *((name, self.publication.tables[table].title) for name, table in _SHEETS),
            ("Columns", "What every column means"),
        ]
        for number, (name, title) in enumerate(listed):
            sheet.write_url(row + number, 1, f"internal:'{name}'!A1", formats["link"], f"{name}: {title}")
        sheet.set_portrait()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)

    def _overview(self) -> None:
        formats = self._formats
        sheet = self.book.add_worksheet("Overview")
        rows = by_theme(self.publication.frame(published.THEMES))
        sheet.write_string(0, 0, "Reports that carry each theme, by overall judgement", formats["title"])
        sheet.set_column(0, 0, 36)
        bands = [band.value for band in Band]
        first = next(iter(rows.values()), [])
        if not sum(cell.of_reports for cell in first):
            sheet.write_string(1, 0, "No report has been read yet, so there is nothing to show.")
            return
        sheet.write_string(2, 0, "Theme", formats["head"])
        for place, cell in enumerate(first):
            column = 1 + 3 * place
            sheet.merge_range(1, column, 1, column + 2, "", formats["centre"])
            unit = "report" if cell.of_reports == 1 else "reports"
            sheet.write_string(1, column, f"{words.capital(cell.band)}: {cell.of_reports:,} {unit}", formats["centre"])
            for shift, (heading, width) in enumerate((("Share", 8), ("n of N", 12), ("95 % interval", 14))):
                sheet.write_string(2, column + shift, heading, formats["head"])
                sheet.set_column(column + shift, column + shift, width)
        for number, cells in enumerate(rows.values()):
            row = 3 + number
            sheet.write_string(row, 0, str(neutralised(cells[0].name)))
            for place, cell in enumerate(cells):
                column = 1 + 3 * place
                if not cell.of_reports:
                    sheet.write_string(row, column, "no reports", formats["quiet"])
                    continue
                sheet.write_number(row, column, cell.reports_percent, formats["share"])
                sheet.write_string(row, column + 1, f"{cell.reports} of {cell.of_reports}", formats["quiet right"])
                between = words.interval(cell.reports_low, cell.reports_high)
                sheet.write_string(row, column + 2, between, formats["quiet right"])
        last = 2 + len(rows)
        for place in range(len(bands)):
            _heat(sheet, 3, 1 + 3 * place, last)
        sheet.freeze_panes(3, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        self._charts(last)

    def _charts(self, last: int) -> None:
        bands = list(Band)
        sheet = self.book.add_worksheet("Charts")
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 1)
        shares = self.book.add_chart({"type": "bar"})
        for band in (Band.GOOD, Band.INADEQUATE):
            column = 1 + 3 * bands.index(band)
            shares.add_series(
                {
                    "name": words.capital(band.value),
                    "categories": ["Overview", 3, 0, last, 0],
                    "values": ["Overview", 3, column, last, column],
                    "fill": {"color": _BAND_COLOURS[band]},
                    "gap": 40,
                }
            )
        shares.set_title({"name": "Reports that carry each theme, %", "name_font": {"size": 12}})
        shares.set_y_axis({"reverse": True, "num_font": {"size": 8}})
        shares.set_x_axis({"min": 0, "max": 100, "num_format": "0", "major_gridlines": {"visible": True}})
        shares.set_size({"width": 640, "height": 200 + 18 * (last - 2)})
        shares.set_legend({"position": "top"})
        sheet.insert_chart(0, 0, shares, {"description": "Bars: share of reports in good and inadequate, by theme"})

        years = [
            year
            for year in years_of(self.publication.frame(published.JUDGED), Domain.OVERALL.value)
            if year.name not in ("all years", "unknown")
        ]
        if not years:
            return
        start = 20
        columns = range(11, 11 + 1 + len(bands))
        sheet.set_column(columns[1], columns[-1], 13)
        sheet.write_string(start, columns[0], "Year", self._formats["head"])
        for column, band in zip(columns[1:], bands, strict=True):
            sheet.write_string(start, column, words.capital(band.value), self._formats["head"])
        for number, year in enumerate(years, start=1):
            sheet.write_string(start + number, columns[0], year.name)
            for column, (_, reports) in zip(columns[1:], year.parts, strict=True):
                sheet.write_number(start + number, column, reports, self._formats["count"])
        chart = self.book.add_chart({"type": "column", "subtype": "stacked"})
        end = start + len(years)
        for column, band in zip(columns[1:], bands, strict=True):
            chart.add_series(
                {
                    "name": ["Charts", start, column],
                    "categories": ["Charts", start + 1, columns[0], end, columns[0]],
                    "values": ["Charts", start + 1, column, end, column],
                    "fill": {"color": _BAND_COLOURS[band]},
                    "gap": 30,
                }
            )
        chart.set_title({"name": "Reports by year and overall judgement", "name_font": {"size": 12}})
        chart.set_size({"width": 640, "height": 360})
        chart.set_legend({"position": "top"})
        sheet.insert_chart(0, columns[0], chart, {"description": "Columns: reports of each year by overall judgement"})

    def _table(self, name: str, table: PublishedTable) -> None:
        sheet = self.book.add_worksheet(name)
        cells = neutralise(table.frame).astype(object)
        rows = cells.where(cells.notna(), None).values.tolist()
        titles = headings(table.fields)
        columns = [
            {"header": title, "header_format": self._formats["head"], "format": self._formats[field.kind]}
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
                "style": "Table Style Light 1",
            },
        )
        for column, field in enumerate(table.fields):
            note = f"{field.note}.\nIn the CSV: {field.name}"
            sheet.write_comment(0, column, note, {"x_scale": 2, "author": "inspection-themes"})
            sheet.set_column(column, column, _width(field, titles[column], rows, column))
            if field.name in (
                "reports_percent",
                "paragraphs_percent",
                "words_percent",
                "good_percent",
                "inadequate_percent",
            ):
                _heat(sheet, 1, column, last, highest=100 if field.name == "reports_percent" else None)
            elif field.name == "q_value":
                clear = self.book.add_format({"bold": True})
                sheet.conditional_format(
                    1, column, last, column, {"type": "cell", "criteria": "<", "value": 0.05, "format": clear}
                )
        if table.name == published.REPORTS:
            self._report_links(sheet, table)
        key = next((place for place, field in enumerate(table.fields) if field.name == "name"), 0)
        sheet.freeze_panes(1, key + 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def _report_links(self, sheet: Worksheet, table: PublishedTable) -> None:
        column = [field.name for field in table.fields].index("link")
        for row, link in enumerate(table.frame["link"].tolist()[:_LINKS_A_SHEET], start=1):
            sheet.write_url(row, column, link, self._formats["link"], "open the report")

    def _evidence(self, sheet: Worksheet) -> None:
        titles = [
            "Theme",
            "As a",
            "Authority",
            "Published",
            "Overall judgement",
            "Section",
            "Page",
            "Paragraph",
            "Certainty",
        ]
        found: list[tuple[list[Any], str]] = []
        for theme in self.publication.taxonomy.themes:
            for valence in (Valence.WEAKNESS, Valence.STRENGTH):
                for item in self.publication.quotations.get((theme.code, valence.value), []):
                    row = [
                        theme.name, words.VALENCE_NAMES[valence.value], item.authority, words.day(item.published),
                        item.band, words.spoken(item.section), f"page {item.page}", item.text, item.probability,
                    ]  # fmt: skip
                    found.append(([neutralised(cell) for cell in row], report_link(item.url, item.file, item.page)))
        wrap, number = self._formats["wrap"], self._formats["number"]
        columns = [
            {
                "header": title,
                "header_format": self._formats["head"],
                "format": number if title == "Certainty" else wrap,
            }
            for title in titles
        ]
        data = [row for row, _ in found]
        style = {"data": data, "columns": columns, "name": "t_evidence", "style": "Table Style Light 1"}
        sheet.add_table(0, 0, max(len(data), 1), len(titles) - 1, style)
        for row, (cells, link) in enumerate(found[:_LINKS_A_SHEET], start=1):
            sheet.set_row(row, _height(cells[7], 100))
            sheet.write_url(row, 6, link, self._formats["link"], cells[6])
        for column, width in enumerate((28, 10, 22, 17, 19, 20, 9, 100, 10)):
            sheet.set_column(column, column, width)
        sheet.write_comment(
            0, 6, "Opens the report at that page: the publisher's copy where its address is known, else the file."
        )
        sheet.write_comment(0, 8, "The model's probability that the paragraph carries the theme.")
        sheet.freeze_panes(1, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def _dictionary(self) -> None:
        sheet = self.book.add_worksheet("Columns")
        rows = [
            [name, title, field.name, field.kind, field.note]
            for name, table in _SHEETS
            for fields in [self.publication.tables[table].fields]
            for title, field in zip(headings(fields), fields, strict=True)
        ]
        columns = [
            {"header": header, "header_format": self._formats["head"]}
            for header in ("Sheet", "Heading", "Column in the CSV", "Type", "Meaning")
        ]
        sheet.add_table(
            0, 0, len(rows), 4, {"data": rows, "columns": columns, "name": "t_columns", "style": "Table Style Light 1"}
        )
        for column, width in enumerate((28, 26, 26, 10, 100)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)


def _heat(sheet: Worksheet, first: int, column: int, last: int, highest: float | None = 100) -> None:
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


def _height(text: str, width: int) -> float:
    """Points that a wrapped text needs in a column so many characters wide; Excel stops at 409."""
    return min(15.0 * max(1, -(-len(text) // (width - 8))), 405.0)


def _width(field: Field, title: str, rows: list[list[Any]], column: int) -> float:
    if field.kind != "text":
        return max(11.0, min(len(title) + 3.0, 20.0))
    longest = max((len(str(row[column])) for row in rows[:500]), default=0)
    return float(min(max(longest, len(title) + 2) + 1, 60))
