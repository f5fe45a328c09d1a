"""From the store and the taxonomy to the tables: called by the command line, the tables stage and the publications."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pipeline.config import SHIPPED, Config
from pipeline.domain import Band
from pipeline.errors import UsageError
from pipeline.publish.terminal import Cell
from pipeline.schema import frequencies
from pipeline.store import Store
from pipeline.tables.columns import SectionInfo, ThemeInfo
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.tables.corpus import Corpus


_PAPER = SHIPPED / "corpus" / "paper"


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


def contrasts_of(
    store: Store,
    config: Config,
    taxonomy: Taxonomy,
    by: str = "overall_effectiveness",
    sections: bool = False,
    theme: str | None = None,
    latest: bool = False,
) -> pd.DataFrame:
    """What sets the bands apart (:data:`pipeline.tables.columns.CONTRASTS`); q-values are over all themes.

    Raises
    ------
    UsageError
        ``by`` is not a judgement; unknown ``theme``.
    """
    from pipeline.tables.contrasts import contrasts

    own = section_infos(taxonomy) if sections else None
    frame = contrasts(read_corpus(store, config), by, themes=theme_infos(taxonomy), sections=own, latest=latest)
    return _of_theme(frame, theme)


def changes_of(
    store: Store,
    config: Config,
    taxonomy: Taxonomy,
    by: str = "overall_effectiveness",
    sections: bool = False,
    theme: str | None = None,
) -> pd.DataFrame:
    """Change over the years, in all reports and by band (:data:`pipeline.tables.columns.CHANGES`).

    Raises
    ------
    UsageError
        Unknown ``by`` or ``theme``.
    """
    from pipeline.tables.changes import changes

    own = section_infos(taxonomy) if sections else None
    return _of_theme(changes(read_corpus(store, config), by, themes=theme_infos(taxonomy), sections=own), theme)


def terms_of(
    store: Store, config: Config, taxonomy: Taxonomy, by: str = "overall_effectiveness", theme: str | None = None
) -> pd.DataFrame:
    """Distinctive terms of each band, within one theme's paragraphs if asked (:data:`pipeline.tables.columns.TERMS`).

    Raises
    ------
    UsageError
        Unknown ``by`` or ``theme``.
    """
    from pipeline.tables.terms import distinctive_terms

    found = taxonomy.theme(theme) if theme is not None else None
    info = ThemeInfo(found.code, found.name) if found else None
    corpus = read_corpus(store, config)
    with store.reading() as connection:
        return distinctive_terms(connection, corpus, by, theme=info)


def _of_theme(frame: pd.DataFrame, theme: str | None) -> pd.DataFrame:
    """The rows of a theme, or of a section, counted among all."""
    if theme is None:
        return frame
    if len(frame) and theme not in set(frame["theme"]):
        raise UsageError(f"There is no '{theme}' in the taxonomy; it has {', '.join(frame['theme'].unique())}.")
    return frame[frame["theme"] == theme].reset_index(drop=True)


def paper_of(corpus: Corpus, config: Config) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The paper's section 5 and its Annex 1 beside the reports.

    Columns :data:`pipeline.tables.columns.SECTION_FIVE` and :data:`pipeline.tables.columns.ANNEX`.
    """
    from pipeline.tables.paper import annex, read_paper, section_five

    paper, urn_of = read_paper(_PAPER), _urn_of(config)
    return section_five(corpus, paper, urn_of), annex(corpus, paper, urn_of)


def claims_of(store: Store, config: Config) -> pd.DataFrame:
    """The paper's claim by period (:data:`pipeline.tables.columns.CLAIMS`)."""
    from pipeline.tables.claims import claims

    return claims(read_corpus(store, config), sections=section_infos(load_taxonomy(config.taxonomy)))


def _urn_of(config: Config) -> Callable[[str], str | None]:
    """The URN that an authority had when the paper was written."""
    from pipeline.authorities import Authorities
    from pipeline.tables.paper import LAST_DAY

    authorities = Authorities.load(config.authorities)

    def urn_of(name: str) -> str | None:
        found = authorities.find(name, on=LAST_DAY)
        return found.urn if found else None

    return urn_of


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
