"""What is published: every table counted once, so that the CSV, the workbook and the pages cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from pipeline import __version__, schema
from pipeline.analysis import read_corpus, section_infos, theme_infos
from pipeline.config import Config
from pipeline.domain import Band, Domain
from pipeline.publish import columns
from pipeline.publish.links import report_link
from pipeline.publish.quotations import Quotation, strongest
from pipeline.store import Store
from pipeline.tables.columns import CHANGES, CO_OCCURRENCE, CONTRASTS, FREQUENCIES, TERMS, Field, frame_of
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.tables.corpus import Corpus

THEMES = "theme-frequencies"
SECTIONS = "section-frequencies"
LATEST = "theme-frequencies-latest"
SECTIONS_LATEST = "section-frequencies-latest"
ALL = "theme-frequencies-all-reports"
JUDGED = "judgements-by-year"
APART = "what-sets-the-bands-apart"
SECTIONS_APART = "what-sets-the-bands-apart-sections"
CHANGES_TABLE = "change-over-the-years"
BAND_TERMS = "distinctive-terms-of-bands"
THEME_TERMS = "distinctive-terms-of-themes"
CO_OCCURRENCE_TABLE = "themes-in-the-same-paragraph"
TERMS_A_BAND = 25
REPORTS = "reports"
THEME_LIST = "themes"
ALL_REPORTS = "all reports"
QUOTATIONS_EACH = 20

DIMENSION_TITLES: dict[str, str] = {
    Domain.OVERALL.value: "overall judgement",
    Domain.HELP_AND_PROTECTION.value: "judgement of help and protection",
    Domain.CHILDREN_IN_CARE.value: "judgement of children in care",
    Domain.ADOPTION.value: "judgement of adoption",
    Domain.CARE_LEAVERS.value: "judgement of care leavers",
    Domain.LEADERSHIP.value: "judgement of leadership",
    Domain.LSCB.value: "judgement of the Local Safeguarding Children Board",
    "section_judgement": "judgement of the section that the paragraph stands in",
    "year": "year of publication",
    "region": "region",
    "framework": "inspection framework",
    "type": "type of authority",
    "authority": "authority",
    "framework,overall_effectiveness": "inspection framework and overall judgement",
    "region,overall_effectiveness": "region and overall judgement",
    "year,overall_effectiveness": "year and overall judgement",
}
"""What theme frequencies are published by, and how people call it."""

_PERCENT_DECIMALS = 2
_SIGNIFICANT = 6


@dataclass(frozen=True)
class PublishedTable:
    """A table as it is published.

    Attributes
    ----------
    name : str
        Name of its files, without a suffix.
    title, about : str
        What it is, and how to read it, in a sentence each.
    fields : tuple of Field
        Its columns.
    frame : DataFrame
        Its rows, rounded once for all (see :func:`rounded`).
    """

    name: str
    title: str
    about: str
    fields: tuple[Field, ...]
    frame: pd.DataFrame


@dataclass(frozen=True)
class About:
    """What the tables were made from, for covers and for the page on method."""

    made: datetime
    run_id: int
    version: str
    reports: int
    authorities: int
    paragraphs: int
    tagged: int
    first: date | None
    last: date | None
    models: tuple[str, ...]
    taxonomy: str
    taxonomy_source: str | None
    draws: int
    set_aside: tuple[tuple[str, str], ...]
    bands: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Publication:
    """Everything that the publications show.

    Attributes
    ----------
    tables : dict of str to PublishedTable
        By name, in the order in which they are listed.
    quotations : dict of (theme, valence) to list of Quotation
        The strongest paragraphs.
    """

    about: About
    taxonomy: Taxonomy
    config: Config
    store: Store
    corpus: Corpus
    tables: dict[str, PublishedTable]
    quotations: dict[tuple[str, str], list[Quotation]]

    def frame(self, name: str) -> pd.DataFrame:
        """The rows of the table of that name."""
        return self.tables[name].frame


def by_name(dimension: str) -> str:
    """Name of the theme frequencies by a dimension."""
    if dimension == Domain.OVERALL.value:
        return THEMES
    return f"{THEMES}-by-{dimension.replace(',', '-and-').replace('_', '-')}"


def gather(store: Store, config: Config, taxonomy: Taxonomy, run_id: int) -> Publication:
    """Count everything that is published.

    Raises
    ------
    PipelineError
        The store holds what the configuration has no place for (see :meth:`pipeline.tables.corpus.Corpus.read`).
    """
    corpus = read_corpus(store, config)
    with store.reading() as connection:
        about = _about(connection, config, taxonomy, corpus, run_id)
        quotations = strongest(connection, config, QUOTATIONS_EACH)
        listed = _reports(connection, config, corpus)
        terms = _terms(connection, corpus, taxonomy)
    tables = [
        *_frequency_tables(corpus, config, taxonomy),
        *_tests(corpus, taxonomy),
        *terms,
        _together(corpus, taxonomy),
        _judged(corpus),
        listed,
        _themes(taxonomy),
    ]
    return Publication(about, taxonomy, config, store, corpus, {table.name: table for table in tables}, quotations)


def rounded(frame: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Percentages with two decimals, other measures with six significant digits: once, before anything is written."""
    import numpy as np

    result = frame.copy()
    for field in fields:
        if field.kind == "percent":
            result[field.name] = result[field.name].round(_PERCENT_DECIMALS)
        elif field.kind == "number":
            values = result[field.name].to_numpy(dtype=float)
            with np.errstate(divide="ignore", invalid="ignore"):
                place = np.where(np.isfinite(values) & (values != 0), np.floor(np.log10(np.abs(values))), 0)
            result[field.name] = [
                round(value, _SIGNIFICANT - 1 - int(digits)) if np.isfinite(value) else value
                for value, digits in zip(values.tolist(), place.tolist(), strict=True)
            ]
    return result


def _frequency_tables(corpus: Corpus, config: Config, taxonomy: Taxonomy) -> list[PublishedTable]:
    from pipeline.tables.frequencies import frequencies

    themes, sections = theme_infos(taxonomy), section_infos(taxonomy)

    def table(name: str, by: str, of_sections: bool = False, latest: bool = False) -> PublishedTable:
        frame = frequencies(
            corpus,
            by,
            themes=themes,
            sections=sections if of_sections else None,
            latest=latest,
            draws=config.tables.bootstrap_draws,
            seed=config.tables.seed,
        )
        what = "sections of the 2014 paper" if of_sections else "themes"
        only = ", the latest report of each authority only" if latest else ""
        return PublishedTable(
            name,
            f"Frequencies of {what} by {DIMENSION_TITLES[by]}{only}",
            f"A row for each group and {'section' if of_sections else 'theme'}: the reports that carry it of all "
            "reports of the group, its paragraphs, its words, and how they put it.",
            FREQUENCIES,
            rounded(frame, FREQUENCIES),
        )

    def of_all() -> PublishedTable:
        # One group of all reports: the corpus seen as if it had one framework.
        one = replace(corpus, reports=corpus.reports.assign(framework=ALL_REPORTS))
        frame = frequencies(
            one, "framework", themes=themes, draws=config.tables.bootstrap_draws, seed=config.tables.seed
        ).assign(by=ALL_REPORTS)
        return PublishedTable(
            ALL,
            "Frequencies of themes in all reports together",
            "A row for each theme: the base line that a band, a region or an authority is held against.",
            FREQUENCIES,
            rounded(frame, FREQUENCIES),
        )

    overall = Domain.OVERALL.value
    return [
        table(THEMES, overall),
        table(SECTIONS, overall, of_sections=True),
        table(LATEST, overall, latest=True),
        table(SECTIONS_LATEST, overall, of_sections=True, latest=True),
        of_all(),
        *(table(by_name(dimension), dimension) for dimension in DIMENSION_TITLES if dimension != overall),
    ]


def _tests(corpus: Corpus, taxonomy: Taxonomy) -> list[PublishedTable]:
    from pipeline.tables.changes import changes
    from pipeline.tables.contrasts import contrasts

    themes, sections = theme_infos(taxonomy), section_infos(taxonomy)
    about = (
        "A row for each measure and {}: its share in good and in inadequate, their ratio within frameworks, and a test of "
        "trend from outstanding to inadequate; authorities are the clusters, q is adjusted over the {}s."
    )
    return [
        PublishedTable(
            APART,
            "What sets the bands apart: themes",
            about.format("theme", "theme"),
            CONTRASTS,
            rounded(contrasts(corpus, themes=themes), CONTRASTS),
        ),
        PublishedTable(
            SECTIONS_APART,
            "What sets the bands apart: sections of the 2014 paper",
            about.format("section", "section"),
            CONTRASTS,
            rounded(contrasts(corpus, themes=themes, sections=sections), CONTRASTS),
        ),
        PublishedTable(
            CHANGES_TABLE,
            "Change over the years",
            "A row for each band ('all' for all reports), measure and theme: by how many percentage points its share moved "
            "a year, on average.",
            CHANGES,
            rounded(changes(corpus, Domain.OVERALL.value, themes=themes), CHANGES),
        ),
    ]


def _terms(connection: Connection, corpus: Corpus, taxonomy: Taxonomy) -> list[PublishedTable]:
    from pipeline.tables.terms import distinctive_terms, terms_of_themes

    of_bands = distinctive_terms(connection, corpus, limit=TERMS_A_BAND)
    of_themes = terms_of_themes(connection, corpus, themes=theme_infos(taxonomy), limit=TERMS_A_BAND)
    return [
        PublishedTable(
            BAND_TERMS,
            "Distinctive terms of each band",
            "A row for each band and term: the words that its reports use more than all others do, the most telling first.",
            TERMS,
            rounded(of_bands, TERMS),
        ),
        PublishedTable(
            THEME_TERMS,
            "Distinctive terms of each theme",
            "A row for each theme (in the column band) and term: the words that the paragraphs carrying it use more than "
            "all others do.",
            TERMS,
            rounded(of_themes, TERMS),
        ),
    ]


def _together(corpus: Corpus, taxonomy: Taxonomy) -> PublishedTable:
    from pipeline.tables.matrices import co_occurrence

    return PublishedTable(
        CO_OCCURRENCE_TABLE,
        "Themes in the same paragraph",
        "A row for each ordered pair of themes: the paragraphs that carry both, of those that carry the first.",
        CO_OCCURRENCE,
        rounded(co_occurrence(corpus, themes=theme_infos(taxonomy)), CO_OCCURRENCE),
    )


def _judged(corpus: Corpus) -> PublishedTable:
    import numpy as np

    from pipeline.tables.frequencies import percent
    from pipeline.tables.intervals import wilson

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
        JUDGED,
        "Judgements over the years",
        "A row for each judgement, year and band: how many of the year's reports were judged so.",
        columns.JUDGED,
        rounded(frame, columns.JUDGED),
    )


def _reports(connection: Connection, config: Config, corpus: Corpus) -> PublishedTable:
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
        REPORTS,
        "The reports",
        "A row for each report that the tables are counted from, with its judgements.",
        columns.REPORTS,
        table,
    )


def _themes(taxonomy: Taxonomy) -> PublishedTable:
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
    return PublishedTable(THEME_LIST, "The themes", "A row for each theme in use.", columns.THEMES, frame)


def _about(connection: Connection, config: Config, taxonomy: Taxonomy, corpus: Corpus, run_id: int) -> About:
    started = connection.scalar(select(schema.runs.c.started).where(schema.runs.c.run_id == run_id))
    # The run's own time, so that the same run publishes the same bytes.
    made = datetime.fromisoformat(started) if started else datetime.now().astimezone()
    models = connection.scalars(select(schema.tags.c.model_id).distinct().order_by(schema.tags.c.model_id))
    aside = connection.execute(
        select(schema.reports.c.source_path, func.coalesce(schema.reports.c.reason, "no reason was kept"))
        .where(schema.reports.c.status == schema.Status.SET_ASIDE)
        .order_by(schema.reports.c.source_path)
    )
    dates = corpus.reports["published"].dropna()
    return About(
        made=made,
        run_id=run_id,
        version=__version__,
        reports=len(corpus.reports),
        authorities=int(corpus.reports["authority_key"].nunique()),
        paragraphs=len(corpus.paragraphs),
        tagged=int(corpus.tags["paragraph"].nunique()),
        first=dates.min().date() if len(dates) else None,
        last=dates.max().date() if len(dates) else None,
        models=tuple(models),
        taxonomy=taxonomy.name,
        taxonomy_source=taxonomy.source,
        draws=config.tables.bootstrap_draws,
        set_aside=tuple((path, reason) for path, reason in aside),
        bands=tuple((grade.value, band.value) for grade, band in sorted(config.bands.items())),
    )
