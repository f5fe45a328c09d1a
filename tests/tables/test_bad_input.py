"""Stores with next to nothing in them: every table keeps its columns, divides by nothing, and warns of nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from pipeline.tables import columns
from pipeline.tables.changes import changes
from pipeline.tables.claims import claims
from pipeline.tables.columns import Field, SectionInfo, ThemeInfo, frame_of
from pipeline.tables.contrasts import contrasts
from pipeline.tables.corpus import Corpus
from pipeline.tables.correction import corrected
from pipeline.tables.frequencies import frequencies
from pipeline.tables.matrices import co_occurrence, report_matrix
from pipeline.tables.terms import distinctive_terms, terms_of_bands_and_themes
from tests.tables.building import BAND_OF, Report, Written, write

THEMES = [ThemeInfo("camhs", "=CAMHS"), ThemeInfo("never", "<script>alert(1)</script>")]
SECTIONS = [SectionInfo("3.1", "One", ("camhs", "never")), SectionInfo("4.3", "Two", ("camhs",))]

STORES: dict[str, list[Report]] = {
    "empty": [],
    "one report": [Report("a", {"overall_effectiveness": "good"}, [Written({"camhs": "+"}, text="<b>=1+1</b> waits")])],
    "one without judgement": [Report("a", {}, [Written({"camhs": "+"})], authority=None, region=None, framework=None)],
    "no paragraphs": [Report(f"{n}", {"overall_effectiveness": "good"}, []) for n in range(30)],
    "no themes": [Report(f"{n}", {"overall_effectiveness": "inadequate"}, [Written()] * 6) for n in range(30)],
    "no dates": [Report(f"{n}", {}, [Written({"camhs": "-"})] * 3, published=None) for n in range(30)],
    "all alike": [
        Report(f"{n:02d}", {"overall_effectiveness": "good"}, [Written({"camhs": "+"}), Written()], urn=str(n))
        for n in range(30)
    ],
}

NO_LABELS = pd.DataFrame({field.name: pd.Series(dtype="str") for field in columns.LABELS})

TABLES: dict[str, tuple[tuple[Field, ...], Callable[[Connection, Corpus], pd.DataFrame]]] = {
    "frequencies": (columns.FREQUENCIES, lambda _, corpus: frequencies(corpus, themes=THEMES)),
    "sections": (columns.FREQUENCIES, lambda _, corpus: frequencies(corpus, "year", themes=THEMES, sections=SECTIONS)),
    "crossed": (
        columns.FREQUENCIES,
        lambda _, corpus: frequencies(corpus, "section_judgement,authority", themes=THEMES),
    ),
    "latest": (columns.FREQUENCIES, lambda _, corpus: frequencies(corpus, "lscb", themes=THEMES, latest=True)),
    "contrasts": (columns.CONTRASTS, lambda _, corpus: contrasts(corpus, themes=THEMES)),
    "changes": (columns.CHANGES, lambda _, corpus: changes(corpus, "overall_effectiveness", themes=THEMES)),
    "corrected": (columns.CORRECTED, lambda _, corpus: corrected(corpus, NO_LABELS, NO_LABELS, themes=THEMES)),
    "claims": (columns.CLAIMS, lambda _, corpus: claims(corpus, sections=SECTIONS)),
    "terms": (columns.TERMS, lambda connection, corpus: distinctive_terms(connection, corpus)),
    "terms of themes": (
        columns.TERMS,
        lambda connection, corpus: terms_of_bands_and_themes(connection, corpus, themes=THEMES)[1],
    ),
    "co-occurrence": (columns.CO_OCCURRENCE, lambda _, corpus: co_occurrence(corpus, themes=THEMES)),
    "report matrix": (columns.REPORT_ATTRIBUTES, lambda _, corpus: report_matrix(corpus, themes=THEMES)),
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("table", TABLES)
def test_next_to_nothing_gives_a_table_without_made_up_values(connection: Connection, store: str, table: str) -> None:
    write(connection, STORES[store])
    corpus = Corpus.read(connection, BAND_OF)
    fields, made = TABLES[table]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = made(connection, corpus)
    assert list(frame.columns)[: len(fields)] == [field.name for field in fields]
    numbers = frame.select_dtypes("number")
    assert not np.isinf(numbers.to_numpy(dtype=float)).any()
    for field in fields:
        values = frame[field.name].dropna()
        if field.kind == "percent":
            assert values.between(0, 100).all()
        if field.kind == "count":
            assert (values >= 0).all()
    # A verdict is never given on nothing.
    for column in ("direction", "verdict"):
        if column in frame and store != "all alike":
            assert set(frame[column]) <= {"too little to tell"}


def test_intervals_hold_their_estimates(random_corpus: Corpus) -> None:
    themes = [ThemeInfo(code, code) for code in random_corpus.themes]
    frame = frequencies(random_corpus, themes=themes)
    for value, low, high in [
        ("reports_percent", "reports_low", "reports_high"),
        ("paragraphs_percent", "paragraphs_low", "paragraphs_high"),
        ("words_percent", "words_low", "words_high"),
        ("paragraphs_per_report", "per_report_low", "per_report_high"),
    ]:
        told = frame[frame[low].notna()]
        assert len(told) > 100
        assert (told[low] <= told[value] + 1e-9).all()
        assert (told[value] <= told[high] + 1e-9).all()


def test_declared_columns_are_described_and_named_once() -> None:
    tables = [
        value for value in vars(columns).values() if isinstance(value, tuple) and value and isinstance(value[0], Field)
    ]
    assert len(tables) >= 12
    for fields in tables:
        names = [field.name for field in fields]
        assert len(set(names)) == len(names)
        assert all(field.title and field.note for field in fields)


def test_a_column_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KeyError, match="extra"):
        frame_of(columns.LABELS, {**{field.name: [] for field in columns.LABELS}, "extra": []})
