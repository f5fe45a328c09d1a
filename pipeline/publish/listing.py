"""The listed tables: how reports were judged over the years, the reports themselves, the themes."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pipeline import schema
from pipeline.config import Config
from pipeline.domain import Band, Domain
from pipeline.publish import catalogue, columns
from pipeline.publish.links import report_link
from pipeline.publish.publication import PublishedTable, rounded
from pipeline.tables.columns import frame_of
from pipeline.tables.corpus import Corpus
from pipeline.themes.taxonomy import Taxonomy


def judged_table(corpus: Corpus) -> PublishedTable:
    """Reports by judgement, year and band."""
    import numpy as np

    from pipeline.tables.intervals import percent, wilson

    years = corpus.reports["year"].to_numpy(dtype=object)
    cells = [
        (domain.value, year, band.value, int((inside & (bands == band.value)).sum()), int(inside.sum()))
        for domain in Domain
        for bands in [corpus.bands(domain)]
        for year in [*sorted(set(years)), "all"]
        for inside in [np.ones(len(years), dtype=bool) if year == "all" else years == year]
        for band in Band
    ]
    domain, year, band, reports, of_reports = (list(column) for column in zip(*cells, strict=True))
    carrying, base = np.array(reports), np.array(of_reports)
    low, high = wilson(carrying, base)
    frame = frame_of(
        columns.JUDGED,
        {
            "domain": domain,
            "year": year,
            "band": band,
            "reports": carrying,
            "of_reports": base,
            "reports_percent": percent(carrying, base),
            "reports_low": 100 * low,
            "reports_high": 100 * high,
        },
    )
    return PublishedTable(
        catalogue.JUDGED,
        "Judgements over the years",
        "A row for each judgement, year and band: how many of the year's reports were judged so.",
        columns.JUDGED,
        rounded(frame, columns.JUDGED),
    )


def reports_table(connection: Connection, config: Config, corpus: Corpus) -> PublishedTable:
    """The reports that the tables are counted from."""
    import numpy as np

    frame = corpus.reports
    places = {
        row.report_id: report_link(row.url, config.resolve(row.file))
        for row in connection.execute(select(schema.reports.c.report_id, schema.reports.c.url, schema.reports.c.file))
    }
    grades = corpus.judgements.pivot(index="report", columns="domain", values="grade")
    paragraphs = np.bincount(corpus.paragraphs["report"].to_numpy(), minlength=len(frame))
    table = frame_of(
        columns.REPORTS,
        {
            "report_id": frame["report_id"].tolist(),
            "urn": [urn if isinstance(urn, str) else "" for urn in frame["urn"]],
            "published": [str(day.date()) if day == day else "" for day in frame["published"]],
            **{name: frame[name].tolist() for name in ("authority", "region", "type", "framework", "inspection_type")},
            "year": frame["year"].tolist(),
            "latest": frame["latest"].to_numpy(dtype=bool),
            **{
                domain.value: grades[domain.value].reindex(range(len(frame))).fillna(Band.NOT_JUDGED.value).tolist()
                if domain.value in grades
                else [Band.NOT_JUDGED.value] * len(frame)
                for domain in Domain
            },
            "paragraphs": paragraphs,
            "link": [places[report_id] for report_id in frame["report_id"]],
        },
    )
    return PublishedTable(
        catalogue.REPORTS,
        "The reports",
        "A row for each report that the tables are counted from, with its judgements.",
        columns.REPORTS,
        table,
    )


def themes_table(taxonomy: Taxonomy) -> PublishedTable:
    """The themes in use."""
    frame = frame_of(
        columns.THEMES,
        {
            "theme": [theme.code for theme in taxonomy.themes],
            "name": [theme.name for theme in taxonomy.themes],
            "definition": [" ".join(theme.definition.split()) for theme in taxonomy.themes],
            "sections": [
                "; ".join(section.code for section in taxonomy.sections if theme.code in section.themes)
                for theme in taxonomy.themes
            ],
        },
    )
    return PublishedTable(catalogue.THEME_LIST, "The themes", "A row for each theme in use.", columns.THEMES, frame)
