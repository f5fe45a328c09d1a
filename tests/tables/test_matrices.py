"""The 0/1 matrix, co-occurrence and quotations, against plain loops and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, select

from pipeline import schema
from pipeline.tables.columns import CO_OCCURRENCE, QUOTATION, REPORT_ATTRIBUTES, ThemeInfo
from pipeline.tables.corpus import Corpus
from pipeline.tables.frequencies import frequencies
from pipeline.tables.matrices import co_occurrence, quotations, report_matrix, square, theme_column
from tests.tables.building import BAND_OF, THEMES, Report, Written, write

CAMHS, LEGAL, CSE = ThemeInfo("camhs", "CAMHS"), ThemeInfo("legal", "Legal"), ThemeInfo("cse", "CSE")


@pytest.fixture
def small(connection: Connection) -> Corpus:
    write(
        connection,
        [
            Report(
                "a",
                {"overall_effectiveness": "good", "leadership": "inadequate"},
                [
                    Written({"camhs": "+", "legal": "-"}, text="first"),
                    Written(text="second"),
                    Written({"camhs": "0"}, "leadership", text="=third()"),
                ],
                authority="Here",
            ),
            Report("b", {}, [Written({"legal": "-"}, text="fourth"), Written({"legal": "-"}, substantive=False)]),
            Report("c", {}, [], published=None),
        ],
    )
    return Corpus.read(connection, BAND_OF)


def test_the_report_matrix_has_a_row_for_every_report(small: Corpus) -> None:
    frame = report_matrix(small, themes=[CAMHS, LEGAL, CSE])
    themed = ["theme_camhs", "theme_legal", "theme_cse"]
    assert list(frame.columns) == [field.name for field in REPORT_ATTRIBUTES] + themed
    assert frame[themed].to_numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert frame["paragraphs"].tolist() == [3, 1, 0]
    assert frame["judgement_leadership"].tolist() == ["inadequate", "not judged", "not judged"]
    assert frame["published"].tolist() == ["2015-06-01", "2015-06-01", ""]
    counts = report_matrix(small, themes=[CAMHS, LEGAL, CSE], values="paragraphs")
    assert counts[themed].to_numpy().tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_columns_of_the_matrix_add_up_to_the_frequencies(random_corpus: Corpus) -> None:
    frame = report_matrix(random_corpus, themes=THEMES)
    table = frequencies(random_corpus, themes=THEMES, draws=0)
    for band, own in table.groupby("band"):
        rows = frame[frame["judgement_overall_effectiveness"] == band]
        assert rows[[theme_column(code) for code in own["theme"]]].sum().tolist() == own["reports"].tolist()


def test_co_occurrence_equals_plain_counting(random_corpus: Corpus) -> None:
    frame = co_occurrence(random_corpus, themes=THEMES)
    assert list(frame.columns) == [field.name for field in CO_OCCURRENCE]
    assert len(frame) == len(THEMES) * (len(THEMES) - 1)
    codes = [random_corpus.themes[number] for number in random_corpus.tags["theme"]]
    sets = pd.Series(codes).groupby(random_corpus.tags["paragraph"].to_numpy()).agg(set)
    matrix = square(frame, THEMES)
    assert (matrix.to_numpy() == matrix.to_numpy().T).all()
    for first, second in [("theme_00", "theme_01"), ("theme_05", "theme_29"), ("theme_31", "theme_02")]:
        both = sum({first, second} <= carried for carried in sets)
        either = sum(bool({first, second} & carried) for carried in sets)
        alone = sum(first in carried for carried in sets)
        row = frame[(frame["theme"] == first) & (frame["with_theme"] == second)].iloc[0]
        assert (row["paragraphs"], row["of_paragraphs"], matrix.loc[first, first]) == (both, alone, alone)
        assert row["jaccard"] == pytest.approx(both / either)
    # Random themes are unconnected but for their reports: lift is near 1.
    assert 0.8 < frame["lift"].median() < 1.3


def test_themes_never_found_divide_by_nothing(small: Corpus) -> None:
    frame = co_occurrence(small, themes=[CAMHS, CSE])
    assert frame.set_index("theme").loc["cse", "paragraphs"] == 0
    assert np.isnan(frame.set_index("theme").loc["cse", "percent"])
    assert square(frame, [CAMHS, CSE]).to_numpy().tolist() == [[2, 0], [0, 0]]
    assert co_occurrence(small, themes=[CAMHS]).empty


def test_quotations_carry_text_page_attributes_and_valences(connection: Connection, small: Corpus) -> None:
    frame = pd.concat(quotations(connection, small, themes=[CAMHS, LEGAL]))
    assert list(frame.columns) == [field.name for field in QUOTATION] + ["theme_camhs", "theme_legal"]
    assert frame["text"].tolist() == ["first", "=third()", "fourth"]
    assert frame[["theme_camhs", "theme_legal"]].to_numpy().tolist() == [["+", "-"], ["0", ""], ["", "-"]]
    assert frame["paragraph_id"].tolist() == ["a-0001", "a-0003", "b-0001"]
    assert frame["section_judgement"].tolist() == ["good", "inadequate", "not judged"]
    assert frame["authority"].tolist() == ["Here", "Here", "unknown"]
    assert frame["url"].tolist() == ["https://example.org/a"] * 2 + ["https://example.org/b"]
    only = pd.concat(quotations(connection, small, themes=[CAMHS, LEGAL], theme="camhs"))
    assert only["text"].tolist() == ["first", "=third()"]
    none = pd.concat(quotations(connection, small, themes=[CSE]))
    assert none.empty
    assert "theme_cse" in none.columns


def test_all_quotations_of_many_reports_come_once(random_connection: Connection, random_corpus: Corpus) -> None:
    pieces = list(quotations(random_connection, random_corpus, themes=THEMES))
    assert len(pieces) == 2
    frame = pd.concat(pieces)
    tagged = random_connection.execute(select(schema.tags.c.paragraph_id).distinct()).scalars().all()
    assert sorted(frame["paragraph_id"]) == sorted(tagged)
    signs = frame[[theme_column(info.code) for info in THEMES]].to_numpy()
    assert (signs != "").sum() == len(random_corpus.tags)


def test_paragraph_ids_and_positions_are_each_others_inverse(random_corpus: Corpus) -> None:
    everything = np.arange(len(random_corpus.paragraphs))
    assert (random_corpus.positions(random_corpus.paragraph_ids(everything)) == everything).all()


def test_a_theme_may_have_the_name_of_an_attribute(connection: Connection) -> None:
    write(connection, [Report("a", {"leadership": "good"}, [Written({"leadership": "-", "year": "+"})])])
    corpus = Corpus.read(connection, BAND_OF)
    themes = [ThemeInfo("leadership", "Leadership"), ThemeInfo("year", "Year")]
    row = pd.concat(quotations(connection, corpus, themes=themes)).iloc[0]
    assert (row["judgement_leadership"], row["theme_leadership"], row["year"], row["theme_year"]) == (
        "good",
        "-",
        "2015",
        "+",
    )
    assert report_matrix(corpus, themes=themes).iloc[0]["theme_leadership"] == 1
