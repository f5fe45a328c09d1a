"""From the store and the taxonomy to the tables: what the command line, the tables stage and the publications all call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.store import Store
from pipeline.tables.columns import SectionInfo, ThemeInfo
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.tables.corpus import Corpus


def theme_infos(taxonomy: Taxonomy) -> tuple[ThemeInfo, ...]:
    """The themes in use, in the taxonomy's order."""
    return tuple(ThemeInfo(theme.code, theme.name) for theme in taxonomy.themes)


def section_infos(taxonomy: Taxonomy) -> tuple[SectionInfo, ...]:
    """The paper's sections, each with its themes in use."""
    return tuple(SectionInfo(section.code, section.title, taxonomy.active(section)) for section in taxonomy.sections)


def read_corpus(store: Store, config: Config) -> Corpus:
    """The extracted reports of the store, as the tables count them."""
    from pipeline.authorities import Authorities
    from pipeline.domain import Grade
    from pipeline.tables.corpus import Corpus

    types = {authority.urn: authority.type for authority in Authorities.load(config.authorities) if authority.urn}
    with store.reading() as connection:
        return Corpus.read(connection, {grade: config.band_of(grade) for grade in Grade}, types)


def count_frequencies(
    store: Store,
    config: Config,
    taxonomy: Taxonomy,
    by: str = "overall_effectiveness",
    sections: bool = False,
    theme: str | None = None,
    latest: bool = False,
    intervals: bool = True,
) -> pd.DataFrame:
    """Theme frequencies, counted from the store (columns: :data:`pipeline.tables.columns.FREQUENCIES`).

    Raises
    ------
    UsageError
        Unknown ``by`` or ``theme``.
    """
    from pipeline.tables.frequencies import frequencies

    return frequencies(
        read_corpus(store, config),
        by,
        themes=theme_infos(taxonomy),
        sections=section_infos(taxonomy) if sections else None,
        theme=theme,
        latest=latest,
        draws=config.tables.bootstrap_draws if intervals else 0,
        seed=config.tables.seed,
    )
