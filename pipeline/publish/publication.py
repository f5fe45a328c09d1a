"""What is published: every table counted once, so that the CSV, the workbook and the pages cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from pipeline import __version__, schema
from pipeline.analysis import read_corpus, section_infos, theme_infos
from pipeline.config import Config
from pipeline.domain import Domain
from pipeline.store import Store
from pipeline.tables.columns import FREQUENCIES, Field
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.tables.corpus import Corpus

THEMES = "theme-frequencies"
SECTIONS = "section-frequencies"
LATEST = "theme-frequencies-latest"
SECTIONS_LATEST = "section-frequencies-latest"

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
    """

    about: About
    taxonomy: Taxonomy
    corpus: Corpus
    tables: dict[str, PublishedTable]

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
    tables = [*_frequency_tables(corpus, config, taxonomy)]
    return Publication(about, taxonomy, corpus, {table.name: table for table in tables})


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

    overall = Domain.OVERALL.value
    return [
        table(THEMES, overall),
        table(SECTIONS, overall, of_sections=True),
        table(LATEST, overall, latest=True),
        table(SECTIONS_LATEST, overall, of_sections=True, latest=True),
        *(table(by_name(dimension), dimension) for dimension in DIMENSION_TITLES if dimension != overall),
    ]


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
