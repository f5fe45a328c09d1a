"""The counted tables: frequencies by everything, tests across bands and years, distinctive terms, co-occurrence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from pipeline.analysis import paper_of, section_infos, theme_infos
from pipeline.config import Config
from pipeline.domain import Domain
from pipeline.publish import catalogue
from pipeline.publish.catalogue import DIMENSION_TITLES, by_name
from pipeline.publish.publication import PublishedTable, rounded
from pipeline.tables.columns import (
    ANNEX,
    CHANGES,
    CLAIMS,
    CO_OCCURRENCE,
    CONTRASTS,
    CORRECTED,
    FREQUENCIES,
    SECTION_FIVE,
    TERMS,
)
from pipeline.tables.corpus import Corpus
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.correcting import Corrected

Correction = Callable[[Corpus], "Corrected"]
"""Shares corrected for the classifier's errors, and what they rest on or why there are none."""

ALL_REPORTS = "all reports"
TERMS_A_BAND = 25


def frequency_tables(corpus: Corpus, config: Config, taxonomy: Taxonomy) -> list[PublishedTable]:
    """Theme frequencies by every dimension, sections of the paper, and all reports together."""
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
            catalogue.ALL,
            "Frequencies of themes in all reports together",
            "A row for each theme: the base line that a band, a region or an authority is held against.",
            FREQUENCIES,
            rounded(frame, FREQUENCIES),
        )

    overall = Domain.OVERALL.value
    return [
        table(catalogue.THEMES, overall),
        table(catalogue.SECTIONS, overall, of_sections=True),
        table(catalogue.LATEST, overall, latest=True),
        table(catalogue.SECTIONS_LATEST, overall, of_sections=True, latest=True),
        of_all(),
        *(table(by_name(dimension), dimension) for dimension in DIMENSION_TITLES if dimension != overall),
    ]


def test_tables(corpus: Corpus, taxonomy: Taxonomy) -> list[PublishedTable]:
    """Trend and risk ratio across the bands, and change over the years."""
    from pipeline.tables.changes import changes
    from pipeline.tables.claims import claims
    from pipeline.tables.contrasts import contrasts

    themes, sections = theme_infos(taxonomy), section_infos(taxonomy)
    about = (
        "A row for each measure and {}: its share in good and in inadequate, their ratio within frameworks, and a test "
        "of trend from outstanding to inadequate; authorities are the clusters, q is adjusted over the {}s."
    )
    return [
        PublishedTable(
            catalogue.APART,
            "What sets the bands apart: themes",
            about.format("theme", "theme"),
            CONTRASTS,
            rounded(contrasts(corpus, themes=themes), CONTRASTS),
        ),
        PublishedTable(
            catalogue.SECTIONS_APART,
            "What sets the bands apart: sections of the 2014 paper",
            about.format("section", "section"),
            CONTRASTS,
            rounded(contrasts(corpus, themes=themes, sections=sections), CONTRASTS),
        ),
        PublishedTable(
            catalogue.CHANGES_TABLE,
            "Change over the years",
            "A row for each band ('all' for all reports), measure and theme: by how many percentage points its share "
            "moved a year, on average.",
            CHANGES,
            rounded(changes(corpus, Domain.OVERALL.value, themes=themes), CHANGES),
        ),
        PublishedTable(
            catalogue.CLAIMS_TABLE,
            "The 2014 paper's claim, put to the test",
            "A row for each period, measure and section of the paper: whether its themes set well and poorly "
            "performing authorities apart as the paper says.",
            CLAIMS,
            rounded(claims(corpus, sections=sections), CLAIMS),
        ),
    ]


def paper_tables(corpus: Corpus, config: Config) -> list[PublishedTable]:
    """The 2014 paper's section 5 and Annex 1, beside what the reports of its time judge."""
    figures, cells = paper_of(corpus, config)
    return [
        PublishedTable(
            catalogue.SECTION_FIVE_TABLE,
            "The 2014 paper's section 5, counted again",
            "A row for each figure that section 5 prints: beside it what the paper's own Annex 1 and what the reports "
            "in the store give, and why they differ.",
            SECTION_FIVE,
            rounded(figures, SECTION_FIVE),
        ),
        PublishedTable(
            catalogue.ANNEX_TABLE,
            "The 2014 paper's Annex 1, cell by cell",
            "A row for each authority and judgement: what Annex 1 says, what the report of the time judges, and why "
            "they differ.",
            ANNEX,
            rounded(cells, ANNEX),
        ),
    ]


def corrected_table(shares: pd.DataFrame) -> PublishedTable:
    """Shares of paragraphs corrected for the classifier's errors, beside those that it finds."""
    return PublishedTable(
        catalogue.CORRECTED_TABLE,
        "Frequencies of themes by overall judgement, corrected for the classifier's errors",
        "A row for each band, measure and theme: the share of paragraphs that the classifier finds, and the same share "
        "corrected by prediction-powered inference on randomly drawn labels.",
        CORRECTED,
        rounded(shares, CORRECTED),
    )


def term_tables(connection: Connection, corpus: Corpus, taxonomy: Taxonomy) -> list[PublishedTable]:
    """Distinctive terms of bands and of themes."""
    from pipeline.tables.terms import terms_of_bands_and_themes

    of_bands, of_themes = terms_of_bands_and_themes(
        connection, corpus, themes=theme_infos(taxonomy), band_limit=TERMS_A_BAND, theme_limit=TERMS_A_BAND
    )
    return [
        PublishedTable(
            catalogue.BAND_TERMS,
            "Distinctive terms of each band",
            "A row for each band and term: the words that its reports use more than all others do, most telling first.",
            TERMS,
            rounded(of_bands, TERMS),
        ),
        PublishedTable(
            catalogue.THEME_TERMS,
            "Distinctive terms of each theme",
            "A row for each theme (in the column band) and term: the words that the paragraphs carrying it use more "
            "than all others do.",
            TERMS,
            rounded(of_themes, TERMS),
        ),
    ]


def co_occurrence_table(corpus: Corpus, taxonomy: Taxonomy) -> PublishedTable:
    """How often two themes stand in one paragraph."""
    from pipeline.tables.matrices import co_occurrence

    return PublishedTable(
        catalogue.CO_OCCURRENCE_TABLE,
        "Themes in the same paragraph",
        "A row for each ordered pair of themes: the paragraphs that carry both, of those that carry the first.",
        CO_OCCURRENCE,
        rounded(co_occurrence(corpus, themes=theme_infos(taxonomy)), CO_OCCURRENCE),
    )
