"""From the store and the taxonomy to the tables: called by the command line, the tables stage and the publications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pipeline.config import Config
from pipeline.domain import Band
from pipeline.publish.terminal import Cell
from pipeline.schema import frequencies
from pipeline.store import Store
from pipeline.tables.columns import SectionInfo, ThemeInfo
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

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


def snapshot(config: Config) -> tuple[list[Cell], dict[str, str]]:
    """The table of the newest run as it was stored, and the themes' names: without counting anything again."""
    names = {theme.code: theme.name for theme in load_taxonomy(config.taxonomy).all_themes}
    store = Store(config.store)
    try:
        with store.reading() as connection:
            newest = select(func.max(frequencies.c.snapshot)).scalar_subquery()
            rows = connection.execute(select(frequencies).where(frequencies.c.snapshot == newest)).all()
    finally:
        store.close()
    bands, themes = [band.value for band in Band], {code: place for place, code in enumerate(names)}
    counted = [name for name in Cell.__dataclass_fields__ if name in frequencies.c]
    cells = [
        Cell(name=names.get(row.theme, row.theme), **{name: getattr(row, name) for name in counted}) for row in rows
    ]
    return sorted(cells, key=lambda cell: (bands.index(cell.band), themes.get(cell.theme, len(themes)))), names
