"""Distinctive terms: the formula against one written out, and what must not come up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, delete

from pipeline import schema
from pipeline.errors import PipelineError
from pipeline.tables import terms as module
from pipeline.tables.columns import TERMS, ThemeInfo
from pipeline.tables.corpus import Corpus
from pipeline.tables.terms import distinctive_terms, terms_of, terms_of_bands_and_themes
from tests.tables.building import BAND_OF, Report, Written, write

CAMHS, LEGAL = ThemeInfo("camhs", "CAMHS"), ThemeInfo("legal", "Legal")
GOOD_WORDS, POOR_WORDS = "swift thoughtful visits", "lengthy unexplained waits"
COMMON = "children plans reviews families schools"


def report(number: int, grade: str, words: str, extra: str = "", **given: object) -> Report:
    paragraphs = [
        Written(
            {"camhs": "+"} if ordinal % 2 else {"legal": "-"},
            text=f"{COMMON}. {words if ordinal % 2 else COMMON}. {extra}",
        )
        for ordinal in range(6)
    ]
    return Report(f"{number:04d}", {"overall_effectiveness": grade}, paragraphs, authority=f"Place {number}", **given)


def two_bands(connection: Connection, extra_of_one: str = "") -> Corpus:
    good = [report(number, "good", GOOD_WORDS, extra_of_one if number == 0 else "") for number in range(8)]
    poor = [report(number, "inadequate", POOR_WORDS) for number in range(8, 16)]
    write(connection, [*good, *poor])
    return Corpus.read(connection, BAND_OF)


def of(frame: pd.DataFrame, band: str) -> list[str]:
    return frame[frame["band"] == band]["term"].tolist()


def test_each_band_has_its_own_words_and_not_the_common_ones(connection: Connection) -> None:
    frame = distinctive_terms(connection, two_bands(connection))
    assert list(frame.columns) == [field.name for field in TERMS]
    assert set(of(frame, "good")) >= {"swift", "thoughtful", "visits", "swift thoughtful", "thoughtful visits"}
    assert set(of(frame, "inadequate")) >= {"lengthy", "unexplained waits"}
    assert not set(of(frame, "good")) & {"lengthy", "waits"}
    first = frame[(frame["band"] == "good") & (frame["term"] == "swift")].iloc[0]
    assert (first["uses"], first["reports"], first["of_reports"]) == (24, 8, 8)
    assert first["per_10000_elsewhere"] == 0
    assert of(frame, "outstanding") == []
    assert frame[frame["band"] == "good"]["rank"].tolist() == list(range(1, len(of(frame, "good")) + 1))


def test_log_odds_and_z_are_those_of_the_paper(connection: Connection) -> None:
    """All reports of a band alike: nothing between reports to add to the paper's variance."""
    frame = distinctive_terms(connection, two_bands(connection)).set_index(["band", "term"])
    counted = {}
    for band, words in (("good", GOOD_WORDS), ("inadequate", POOR_WORDS)):
        texts = [f"{COMMON}. {words if ordinal % 2 else COMMON}. " for ordinal in range(6)] * 8
        counted[band] = pd.Series([term for text in texts for term in terms_of(text)]).value_counts()
    together = counted["good"].add(counted["inadequate"], fill_value=0)
    prior = together / together.sum() * module.PRIOR_REPORTS * together.sum() / 16
    y_good, y_poor = counted["good"].get("swift", 0), counted["inadequate"].get("swift", 0)
    n_good, n_poor, a, a0 = counted["good"].sum(), counted["inadequate"].sum(), prior["swift"], prior.sum()
    expected = np.log((y_good + a) / (n_good + a0 - y_good - a)) - np.log((y_poor + a) / (n_poor + a0 - y_poor - a))
    assert frame.loc[("good", "swift"), "log_odds"] == pytest.approx(expected)
    z = expected / np.sqrt(1 / (y_good + a) + 1 / (y_poor + a))
    assert frame.loc[("good", "swift"), "z"] == pytest.approx(z)


def test_what_one_report_repeats_and_names_and_grades_do_not_come_up(connection: Connection) -> None:
    corpus = two_bands(connection, extra_of_one="inadequate place quixotic windmills " * 40)
    shown = " ".join(of(distinctive_terms(connection, corpus, limit=1000), "good")).split()
    assert "swift" in shown
    assert not {"quixotic", "windmills", "inadequate", "place"} & set(shown)


def test_within_one_theme_only_its_paragraphs_are_compared(connection: Connection) -> None:
    corpus = two_bands(connection)
    assert "swift" in of(distinctive_terms(connection, corpus, theme=CAMHS), "good")
    # The paragraphs that carry the other theme are the same everywhere.
    assert distinctive_terms(connection, corpus, theme=LEGAL).empty


def test_terms_of_a_theme_are_those_of_the_paragraphs_that_carry_it(connection: Connection) -> None:
    corpus = two_bands(connection)
    of_bands, frame = terms_of_bands_and_themes(connection, corpus, themes=[CAMHS, LEGAL])
    pd.testing.assert_frame_equal(of_bands, distinctive_terms(connection, corpus))
    assert {"swift", "lengthy"} <= set(of(frame, "camhs"))
    assert not {"swift", "lengthy"} & set(of(frame, "legal"))


def test_many_reports_are_read_in_blocks_with_the_same_result(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = two_bands(connection)
    whole = distinctive_terms(connection, corpus)
    monkeypatch.setattr(module, "_SAMPLED_REPORTS", 10)
    pd.testing.assert_frame_equal(distinctive_terms(connection, corpus), whole)


def test_no_text_gives_no_terms(connection: Connection) -> None:
    write(connection, [Report("a", {"overall_effectiveness": "good"}, [Written(text="the of and to 7 8 9 10")])])
    corpus = Corpus.read(connection, BAND_OF)
    assert distinctive_terms(connection, corpus).empty
    assert terms_of_bands_and_themes(connection, corpus, themes=[CAMHS])[1].empty


def test_a_store_that_changed_meanwhile_is_said(connection: Connection) -> None:
    corpus = two_bands(connection)
    connection.execute(delete(schema.paragraphs).where(schema.paragraphs.c.paragraph_id == "0003-0002"))
    with pytest.raises(PipelineError, match="changed"):
        distinctive_terms(connection, corpus)


def test_small_words_that_judge_are_kept_and_the_others_are_not() -> None:
    assert terms_of("It is not always swift, nor is the children’s plan.") == [
        "not",
        "always",
        "swift",
        "children's",
        "plan",
        "not always",
        "always swift",
        "children's plan",
    ]
