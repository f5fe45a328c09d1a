"""The workbook's first sheets, for people who open nothing else: cover, overview, charts, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.domain import Band, Domain, Valence
from pipeline.files import neutralised
from pipeline.publish import catalogue, words
from pipeline.publish.links import report_link
from pipeline.publish.sheets import LINKS_A_SHEET, STYLE, Book, heat, height_of, print_on_a4
from pipeline.publish.views import Cell, by_theme, scale_of, years_of

if TYPE_CHECKING:
    pass

# Blue for better, orange for worse: the colour-blind can tell them apart.
_BAND_COLOURS = {
    Band.OUTSTANDING: "#1A4F8A",
    Band.GOOD: "#6BAED6",
    Band.REQUIRES_IMPROVEMENT: "#F2B06B",
    Band.INADEQUATE: "#B8480B",
    Band.NOT_JUDGED: "#B1B4B6",
}
_HOW_TO_READ = (
    "The Overview shows, for each theme and band, the share of the band's paragraphs that carry the theme, how many "
    "that is of how many, and the 95 % interval of the share; the next sheet shows the share of reports in which at "
    "least one paragraph does. Long reports carry nearly every theme somewhere.",
    "Every other sheet is an Excel table: filter with the arrows; a note on each heading says what the column means.",
    "The Evidence sheet has the surest paragraphs for and against each theme, with a link to the page of the report.",
    "A theme that stands more often in inadequate authorities is not thereby a cause of the judgement.",
    "Themes are assigned by a model, which errs. Intervals say how much the shares would differ had other reports been "
    "written; they do not hold the model's errors.",
)


def write_cover(book: Book, sheets: Sequence[tuple[str, str]]) -> None:
    """What the workbook is, how to read it, and its ``sheets`` (name and title)."""
    about, formats = book.publication.about, book.formats
    sheet = book.file.add_worksheet("Read me")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 110)
    sheet.write_string(0, 0, "Theme frequencies by rating band", formats["title"])
    facts = [
        (
            "What",
            "How often each theme stands in Ofsted's reports on children's services, by how the authority was judged",
        ),
        ("Made", f"{words.day(about.made.date())}, by run {about.run_id} of inspection-themes {about.version}"),
        ("Reports", f"{about.reports:,} of {about.authorities:,} authorities"),
        ("Published", f"{words.day(about.first)} to {words.day(about.last)}" if about.first else "no dates known"),
        ("Paragraphs", f"{about.paragraphs:,} substantive, of which {about.tagged:,} carry at least one theme"),
        ("Model", ", ".join(about.models) or "nothing has been tagged yet"),
        ("Taxonomy", about.taxonomy),
        ("Corrected", about.correction.in_words()),
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
        sheet.set_row(row + 1 + number, height_of(text, 110))
        sheet.write_string(row + 1 + number, 1, text, formats["wrap"])
    row += len(_HOW_TO_READ) + 2
    sheet.write_string(row, 0, "Sheets", formats["bold"])
    listed = [
        ("Overview", "Paragraphs that carry each theme, by overall judgement"),
        ("Overview, reports", "Reports that carry each theme, by overall judgement"),
        *(
            [("Charts", "Good against inadequate by theme; reports by year and overall judgement")]
            if about.reports
            else []
        ),
        ("Evidence", "The surest paragraphs for and against each theme"),
        *sheets,
        ("Columns", "What every column means"),
    ]
    for number, (name, title) in enumerate(listed):
        sheet.write_url(row + number, 1, f"internal:'{name}'!A1", formats["link"], f"{name}: {title}")
    print_on_a4(sheet, landscape=False)


@dataclass(frozen=True)
class _Share:
    """A share of paragraphs, or of reports, as a cell of an overview shows it."""

    part: int
    whole: int
    percent: float
    low: float
    high: float


_Unit = Literal["paragraphs", "reports"]


def _share(cell: Cell, unit: _Unit) -> _Share:
    if unit == "reports":
        return _Share(cell.reports, cell.of_reports, cell.reports_percent, cell.reports_low, cell.reports_high)
    return _Share(
        cell.paragraphs, cell.of_paragraphs, cell.paragraphs_percent, cell.paragraphs_low, cell.paragraphs_high
    )


def write_overviews(book: Book) -> None:
    """The heat tables of themes by overall judgement, and charts on a sheet of their own."""
    themes = len(_overview(book, "Overview", "paragraphs"))
    _overview(book, "Overview, reports", "reports")
    if themes:
        _charts(book, 2 + themes)


def _overview(book: Book, name: str, unit: _Unit) -> dict[str, list[Cell]]:
    formats = book.formats
    sheet = book.file.add_worksheet(name)
    rows = by_theme(book.publication.frame(catalogue.THEMES))
    title = f"{words.capital(unit)} that carry each theme, by overall judgement"
    sheet.write_string(0, 0, title, formats["title"])
    sheet.set_column(0, 0, 36)
    first = next(iter(rows.values()), [])
    if not sum(cell.of_reports for cell in first):
        sheet.write_string(1, 0, "No report has been read yet, so there is nothing to show.")
        return {}
    sheet.write_string(2, 0, "Theme", formats["head"])
    for place, cell in enumerate(first):
        column = 1 + 3 * place
        sheet.merge_range(1, column, 1, column + 2, "", formats["centre"])
        whole = _share(cell, unit).whole
        counted = unit if whole != 1 else unit[:-1]
        sheet.write_string(1, column, f"{words.capital(cell.band)}: {whole:,} {counted}", formats["centre"])
        for shift, (heading, width) in enumerate((("Share", 8), ("n of N", 15), ("95 % interval", 14))):
            sheet.write_string(2, column + shift, heading, formats["head"])
            sheet.set_column(column + shift, column + shift, width)
    decimals = 0 if unit == "reports" else 1
    for number, cells in enumerate(rows.values()):
        row = 3 + number
        sheet.write_string(row, 0, str(neutralised(cells[0].name)))
        for place, cell in enumerate(cells):
            column = 1 + 3 * place
            share = _share(cell, unit)
            if not share.whole:
                sheet.write_string(row, column, f"no {unit}", formats["quiet"])
                continue
            sheet.write_number(row, column, share.percent, formats[f"share {decimals}"])
            sheet.write_string(row, column + 1, f"{share.part:,} of {share.whole:,}", formats["quiet right"])
            between = words.interval(share.low, share.high, decimals)
            sheet.write_string(row, column + 2, between, formats["quiet right"])
    highest = 100 if unit == "reports" else scale_of(cell for cells in rows.values() for cell in cells)
    for place in range(len(Band)):
        heat(sheet, 3, 1 + 3 * place, 2 + len(rows), highest)
    sheet.freeze_panes(3, 1)
    print_on_a4(sheet)
    return rows


def _charts(book: Book, last: int) -> None:
    bands = list(Band)
    sheet = book.file.add_worksheet("Charts")
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    shares = book.file.add_chart({"type": "bar"})
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
    shares.set_title({"name": "Paragraphs that carry each theme, %", "name_font": {"size": 12}})
    shares.set_y_axis({"reverse": True, "num_font": {"size": 8}})
    shares.set_x_axis({"min": 0, "num_format": "0", "major_gridlines": {"visible": True}})
    shares.set_size({"width": 640, "height": 200 + 18 * (last - 2)})
    shares.set_legend({"position": "top"})
    sheet.insert_chart(0, 0, shares, {"description": "Bars: share of paragraphs in good and in inadequate, by theme"})

    years = [
        year
        for year in years_of(book.publication.frame(catalogue.JUDGED), Domain.OVERALL.value)
        if year.name not in ("all years", "unknown")
    ]
    if not years:
        return
    start = 20
    columns = range(11, 11 + 1 + len(bands))
    sheet.set_column(columns[1], columns[-1], 13)
    sheet.write_string(start, columns[0], "Year", book.formats["head"])
    for column, band in zip(columns[1:], bands, strict=True):
        sheet.write_string(start, column, words.capital(band.value), book.formats["head"])
    for number, year in enumerate(years, start=1):
        sheet.write_string(start + number, columns[0], year.name)
        for column, (_, reports) in zip(columns[1:], year.parts, strict=True):
            sheet.write_number(start + number, column, reports, book.formats["count"])
    chart = book.file.add_chart({"type": "column", "subtype": "stacked"})
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


def write_evidence(book: Book) -> None:
    """The surest paragraphs for and against each theme, each with a link to its page."""
    sheet = book.file.add_worksheet("Evidence")
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
    for theme in book.publication.taxonomy.themes:
        for valence in (Valence.WEAKNESS, Valence.STRENGTH):
            for item in book.publication.quotations.get((theme.code, valence.value), []):
                cited = [
                    theme.name, words.VALENCE_NAMES[valence.value], item.authority, words.day(item.published),
                    item.band, words.spoken(item.section), f"page {item.page}", item.text, item.probability,
                ]  # fmt: skip
                found.append(([neutralised(cell) for cell in cited], report_link(item.url, item.file, item.page)))
    wrap, number = book.formats["wrap"], book.formats["number"]
    columns = [
        {
            "header": title,
            "header_format": book.formats["head"],
            "format": number if title == "Certainty" else wrap,
        }
        for title in titles
    ]
    data = [row for row, _ in found]
    style = {"data": data, "columns": columns, "name": "t_evidence", "style": STYLE}
    sheet.add_table(0, 0, max(len(data), 1), len(titles) - 1, style)
    for row, (cells, link) in enumerate(found[:LINKS_A_SHEET], start=1):
        sheet.set_row(row, height_of(cells[7], 100))
        sheet.write_url(row, 6, link, book.formats["link"], cells[6])
    for column, characters in enumerate((28, 10, 22, 17, 19, 20, 9, 100, 10)):
        sheet.set_column(column, column, characters)
    sheet.write_comment(
        0, 6, "Opens the report at that page: the publisher's copy where its address is known, else the file."
    )
    sheet.write_comment(0, 8, "The model's probability that the paragraph carries the theme.")
    sheet.freeze_panes(1, 1)
    print_on_a4(sheet)
    sheet.repeat_rows(0)
