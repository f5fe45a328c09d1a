"""What people ask of programs for qualitative analysis: the 0/1 matrix, co-occurrence, and the quotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse
from sqlalchemy import Connection, select

from pipeline import schema
from pipeline.domain import VALENCES, Domain
from pipeline.tables.columns import CO_OCCURRENCE, QUOTATION, REPORT_ATTRIBUTES, Field, ThemeInfo, frame_of
from pipeline.tables.corpus import SECTIONS, Corpus
from pipeline.tables.counts import Items, carriers, count
from pipeline.tables.grouping import BANDS, grouping, section_bands
from pipeline.tables.intervals import percent
from pipeline.tables.texts import paragraph_rows

Values = Literal["carried", "paragraphs"]


def report_matrix(corpus: Corpus, *, themes: Sequence[ThemeInfo], values: Values = "carried") -> pd.DataFrame:
    """A row a report, a column a theme.

    Parameters
    ----------
    values : "carried" or "paragraphs"
        1 where at least one paragraph carries the theme and 0 elsewhere, or the number of those paragraphs.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.REPORT_ATTRIBUTES`, then one a theme (:func:`theme_column`), int64.
    """
    items = Items.of(themes)
    groups = grouping(corpus, "year")
    counted = np.zeros((len(corpus.reports), len(items.codes)), dtype=np.int64)
    counts = count(corpus, groups, items)
    counted[groups.cell_report] = counts.paragraphs
    sizes = np.zeros(len(corpus.reports), dtype=np.int64)
    sizes[groups.cell_report] = counts.of_paragraphs
    if values == "carried":
        counted = (counted > 0).astype(np.int64)
    attributes = _attributes(corpus, np.arange(len(corpus.reports))) | {"paragraphs": sizes}
    themed = {theme_column(code): counted[:, place] for place, code in enumerate(items.codes)}
    return frame_of([*REPORT_ATTRIBUTES, *theme_fields(themes, "count")], attributes | themed)


def theme_column(code: str) -> str:
    """The column of a theme: marked as one, since themes and attributes of a report can have the same name."""
    return f"theme_{code}"


def theme_fields(themes: Sequence[ThemeInfo], kind: Literal["count", "text"]) -> list[Field]:
    """The columns that stand for themes: whether or how often it is carried, or how a paragraph puts it."""
    note = "+ strength, - weakness, 0 mixed or factual; empty: not carried" if kind == "text" else "Carries the theme"
    return [Field(theme_column(info.code), kind, info.name, note) for info in themes]


def _attributes(corpus: Corpus, reports: np.ndarray) -> dict[str, np.ndarray]:
    """Attributes of these reports, and their band by each judgement."""
    chosen = corpus.reports.iloc[reports]
    columns = ("report_id", "authority", "urn", "region", "type", "framework", "inspection_type", "year")
    plain = {name: chosen[name].fillna("").to_numpy(dtype=object) for name in columns}
    published = chosen["published"].dt.strftime("%Y-%m-%d").fillna("").to_numpy(dtype=object)
    return (
        plain
        | {"published": published}
        | {f"judgement_{domain.value}": corpus.bands(domain)[reports] for domain in Domain}
    )


def co_occurrence(corpus: Corpus, *, themes: Sequence[ThemeInfo]) -> pd.DataFrame:
    """How often two themes stand in the same paragraph.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.CO_OCCURRENCE`, a row an ordered pair of different themes.
        ``square(frame)`` makes the matrix of it.
    """
    items = Items.of(themes)
    size = len(items.codes)
    sets = [carrying for carrying, _ in carriers(corpus, items)]
    columns = np.concatenate([np.full(len(own), place) for place, own in enumerate(sets)]) if sets else np.empty(0, int)
    rows = np.concatenate(sets) if sets else np.empty(0, int)
    carried = sparse.csr_matrix(
        (np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=(len(corpus.paragraphs), size)
    )
    together = sparse.csr_matrix(carried.T @ carried).toarray()
    own = np.diag(together).copy()
    first, second = np.nonzero(~np.eye(size, dtype=bool))
    both, either = together[first, second], own[first] + own[second] - together[first, second]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = own[first] * own[second] / max(len(corpus.paragraphs), 1)
        lift = np.where(expected > 0, both / expected, np.nan)
    codes, names = np.array(items.codes, dtype=object), np.array(items.names, dtype=object)
    return frame_of(
        CO_OCCURRENCE,
        {
            "theme": codes[first],
            "name": names[first],
            "with_theme": codes[second],
            "with_name": names[second],
            "paragraphs": both,
            "of_paragraphs": own[first],
            "percent": percent(both, own[first]),
            "jaccard": percent(both, either) / 100,
            "lift": lift,
        },
    )


def square(frame: pd.DataFrame, themes: Sequence[ThemeInfo], value: str = "paragraphs") -> pd.DataFrame:
    """The co-occurrence matrix: index and columns are the themes' codes in their order.

    The diagonal is the theme's own number of paragraphs for ``value="paragraphs"``, and missing otherwise.
    """
    codes = [info.code for info in themes]
    matrix = frame.pivot(index="theme", columns="with_theme", values=value).reindex(index=codes, columns=codes)
    if value == "paragraphs":
        own = frame.drop_duplicates("theme").set_index("theme")["of_paragraphs"]
        for code in codes:
            matrix.loc[code, code] = own.get(code, 0)
        return matrix.astype("int64")
    return matrix


def quotations(
    connection: Connection, corpus: Corpus, *, themes: Sequence[ThemeInfo], theme: str | None = None
) -> Iterator[pd.DataFrame]:
    """The coded paragraphs with all that is known of them, some reports at a time.

    Parameters
    ----------
    theme : str, optional
        Only paragraphs that carry this theme; by default all that carry any.

    Yields
    ------
    DataFrame
        Columns :data:`pipeline.tables.columns.QUOTATION`, then one a theme (:func:`theme_column`) with ``+``, ``-``,
        ``0`` or nothing. At least one frame comes, if an empty one.

    Raises
    ------
    PipelineError
        The store has other paragraphs than when the corpus was read.
    """
    items = Items.of(themes)
    sets = carriers(corpus, items)
    wanted = np.zeros(len(corpus.paragraphs), dtype=bool)
    for code, (carrying, _) in zip(items.codes, sets, strict=True):
        if theme in (None, code):
            wanted[carrying] = True
    fields = [*QUOTATION, *theme_fields(themes, "text")]
    report_of = corpus.paragraphs["report"].to_numpy()
    reports = np.unique(report_of[wanted])
    sources = _sources(connection)
    judged = np.array(BANDS, dtype=object)[section_bands(corpus)]
    columns = schema.paragraphs.c
    read = [columns.page, columns.kind, columns.number, columns.heading, columns.text]
    if not len(reports):
        yield frame_of(fields, {field.name: [] for field in fields})
    for positions, rows in paragraph_rows(connection, corpus, read, reports):
        here = wanted[positions]
        chosen = positions[here]
        kept = (row for row, carrying in zip(rows, here, strict=True) if carrying)
        page, kind, number, heading, text = zip(*kept, strict=True)
        attributes = _attributes(corpus, report_of[chosen])
        ids = attributes["report_id"]
        themed = {}
        for code, (carrying, valence) in zip(items.codes, sets, strict=True):
            places = np.searchsorted(carrying, chosen)
            found = places < len(carrying)
            found[found] = carrying[places[found]] == chosen[found]
            signs = np.full(len(chosen), "", dtype=object)
            signs[found] = np.array(VALENCES, dtype=object)[valence[places[found]]]
            themed[theme_column(code)] = signs
        own = {
            "paragraph_id": corpus.paragraph_ids(chosen),
            "source_path": [sources[report][0] for report in ids],
            "url": [sources[report][1] or "" for report in ids],
            "page": np.array(page),
            "section": np.array(SECTIONS, dtype=object)[corpus.paragraphs["section"].to_numpy()[chosen]],
            "section_judgement": judged[chosen],
            "kind": list(kind),
            "number": [label or "" for label in number],
            "heading": [label or "" for label in heading],
            "words": corpus.paragraphs["words"].to_numpy()[chosen],
            "text": list(text),
        }
        yield frame_of(fields, attributes | own | themed)


def _sources(connection: Connection) -> dict[str, tuple[str, str | None]]:
    table = schema.reports.c
    return {
        row[0]: (row[1], row[2]) for row in connection.execute(select(table.report_id, table.source_path, table.url))
    }
