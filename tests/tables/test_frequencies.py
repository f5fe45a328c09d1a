"""Frequencies: counted against plain loops over the store, with bases that add up, on empty and odd stores too."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, insert, select
from statsmodels.stats.proportion import proportion_confint

from pipeline import schema
from pipeline.domain import Grade
from pipeline.errors import PipelineError, UsageError
from pipeline.tables.columns import FREQUENCIES, MOVEMENTS, SectionInfo, ThemeInfo
from pipeline.tables.corpus import Corpus
from pipeline.tables.frequencies import frequencies, movements
from pipeline.tables.grouping import BANDS, DIMENSIONS
from pipeline.tables.intervals import wilson
from tests.tables.building import BAND_OF, THEMES, Report, Written, write

CAMHS, LEGAL, CSE = ThemeInfo("camhs", "CAMHS"), ThemeInfo("legal", "Legal"), ThemeInfo("cse", "CSE")
GOOD = {"overall_effectiveness": "good"}
POOR = {"overall_effectiveness": "inadequate"}


def cell(frame: pd.DataFrame, band: str, theme: str) -> pd.Series:
    """The one row of a band and theme."""
    found = frame[(frame["band"] == band) & (frame["theme"] == theme)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_small_table_by_hand(connection: Connection) -> None:
    write(
        connection,
        [
            Report("a", GOOD, [Written({"camhs": "+"}, words=10), Written({"camhs": "-", "legal": "0"}, words=30)]),
            Report("b", GOOD, [Written({}, words=60)]),
            Report("c", POOR, [Written({"legal": "-"}, words=20), Written({"legal": "-"}, substantive=False)]),
            Report("d", {}, [Written({"camhs": "0"}, words=8)]),
            Report("e", GOOD, [Written({"camhs": "+"})], status=schema.Status.SET_ASIDE),
        ],
    )
    frame = frequencies(Corpus.read(connection, BAND_OF), themes=[CAMHS, LEGAL, CSE])
    assert list(frame.columns) == [field.name for field in FREQUENCIES]
    assert list(frame["band"].unique()) == list(BANDS)
    good = cell(frame, "good", "camhs")
    assert (good["reports"], good["of_reports"], good["reports_percent"]) == (1, 2, 50.0)
    assert (good["paragraphs"], good["of_paragraphs"]) == (2, 3)
    assert (good["strengths"], good["weaknesses"], good["mixed"]) == (1, 1, 0)
    assert (good["words"], good["of_words"], good["words_percent"]) == (40, 100, 40.0)
    assert good["paragraphs_per_report"] == 1.0
    poor = cell(frame, "inadequate", "legal")
    assert (poor["paragraphs"], poor["of_paragraphs"], poor["weaknesses"]) == (1, 1, 1)
    # One report leaves nothing to judge the spread by; the share of reports still has its interval.
    assert np.isnan(poor["paragraphs_low"])
    assert 0 < poor["reports_low"] < poor["reports_high"] <= 100
    never = cell(frame, "good", "cse")
    assert (never["reports"], never["of_reports"], never["reports_percent"], never["paragraphs_percent"]) == (
        0,
        2,
        0,
        0,
    )
    assert cell(frame, "not judged", "camhs")["reports"] == 1
    empty = cell(frame, "outstanding", "camhs")
    assert (empty["reports"], empty["of_reports"]) == (0, 0)
    assert np.isnan(empty["reports_percent"])


@pytest.mark.parametrize("latest", [False, True])
@pytest.mark.parametrize("by", [*(d for d in DIMENSIONS if d != "section_judgement"), "overall_effectiveness,year"])
def test_bases_add_up_to_all_extracted_reports(random_corpus: Corpus, by: str, latest: bool) -> None:
    frame = frequencies(random_corpus, by, themes=THEMES, latest=latest, draws=0)
    kept = random_corpus.reports["latest"].to_numpy() if latest else np.ones(len(random_corpus.reports), bool)
    bases = frame.drop_duplicates("band")
    assert bases["of_reports"].sum() == kept.sum()
    assert bases["of_paragraphs"].sum() == kept[random_corpus.paragraphs["report"]].sum()
    assert len(frame) == len(bases) * len(THEMES)


@pytest.mark.parametrize(
    "by", ["overall_effectiveness", "section_judgement", "leadership,year", "section_judgement,region"]
)
@pytest.mark.parametrize("with_sections", [False, True])
def test_counts_equal_plain_loops_over_the_store(
    random_connection: Connection, random_corpus: Corpus, by: str, with_sections: bool
) -> None:
    sections = [
        SectionInfo("3.1", "Two", ("theme_00", "theme_01")),
        SectionInfo("3.3", "Many", ("theme_01", "theme_05", "theme_09", "theme_30")),
        SectionInfo("4.9", "Unknown only", ("never",)),
    ]
    unions = (
        {info.section: set(info.codes) for info in sections} if with_sections else {t.code: {t.code} for t in THEMES}
    )
    frame = frequencies(random_corpus, by, themes=THEMES, sections=sections if with_sections else None, draws=0)
    expected = _slowly(random_connection, by, unions)
    assert len(frame) == len({band for band, _ in expected}) * len(unions)
    for row in frame.itertuples():
        assert expected[row.band, row.theme] == (
            row.reports,
            row.paragraphs,
            row.strengths,
            row.weaknesses,
            row.mixed,
            row.words,
        )


def _slowly(connection: Connection, by: str, unions: dict[str, set[str]]) -> dict[tuple[str, str], tuple[int, ...]]:
    grades: dict[str, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(select(schema.judgements)):
        grades[row.report_id][row.domain] = row.grade
    reports = {row.report_id: row for row in connection.execute(select(schema.reports))}
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(select(schema.tags)):
        tags[row.paragraph_id][row.theme] = row.valence
    own = {"summary": "overall_effectiveness"}

    def value(part: str, paragraph: object) -> str:
        report = reports[paragraph.report_id]
        if part == "year":
            return str(report.published.year)
        if part == "region":
            return report.region
        domain = own.get(paragraph.section, paragraph.section) if part == "section_judgement" else part
        return grades[report.report_id].get(domain, "not judged")

    found: dict[tuple[str, str], list[list[tuple[str, int, str]]]] = defaultdict(list)
    for paragraph in connection.execute(select(schema.paragraphs)):
        band = " / ".join(value(part, paragraph) for part in by.split(","))
        for item, codes in unions.items():
            signs = {sign for code, sign in tags[paragraph.paragraph_id].items() if code in codes}
            sign = "" if not signs else signs.pop() if len(signs) == 1 else "0"
            found[band, item].append((paragraph.report_id, paragraph.words, sign))
    return {
        key: (
            len({report for report, _, sign in rows if sign}),
            sum(1 for _, _, sign in rows if sign),
            *(sum(1 for _, _, sign in rows if sign == wanted) for wanted in "+-0"),
            sum(words for _, words, sign in rows if sign),
        )
        for key, rows in found.items()
    }


def test_a_section_without_its_own_judgement_takes_the_wider_one(connection: Connection) -> None:
    write(
        connection,
        [
            Report("a", {"children_in_care": "good"}, [Written({"camhs": "+"}, "care_leavers")], framework="ILACS"),
            Report(
                "b",
                {"children_in_care": "good", "care_leavers": "inadequate"},
                [Written({"camhs": "-"}, "care_leavers"), Written({"camhs": "-"}, "summary")],
            ),
        ],
    )
    frame = frequencies(Corpus.read(connection, BAND_OF), "section_judgement", themes=[CAMHS])
    assert cell(frame, "good", "camhs")["paragraphs"] == 1
    assert cell(frame, "inadequate", "camhs")["paragraphs"] == 1
    assert cell(frame, "not judged", "camhs")["paragraphs"] == 1


def test_latest_is_the_newest_report_that_judges_the_services(connection: Connection) -> None:
    write(
        connection,
        [
            Report("a", POOR, urn="1", authority="Old name", published=date(2014, 1, 1)),
            Report("b", GOOD, urn="1", authority="New name", published=date(2018, 1, 1)),
            Report("c", {"lscb": "good"}, urn="1", authority="New name", published=date(2019, 1, 1)),
            Report("d", {}, urn="2", authority="Elsewhere", published=None),
        ],
    )
    corpus = Corpus.read(connection, BAND_OF)
    assert list(corpus.reports["latest"]) == [False, True, False, True]
    assert list(corpus.reports["authority"]) == ["New name"] * 3 + ["Elsewhere"]
    assert list(corpus.reports["year"]) == ["2014", "2018", "2019", "unknown"]
    frame = frequencies(corpus, themes=[CAMHS], latest=True)
    assert dict(zip(frame["band"], frame["of_reports"], strict=True)) == {
        "outstanding": 0,
        "good": 1,
        "requires improvement": 0,
        "inadequate": 0,
        "not judged": 1,
    }


def test_types_come_from_the_table_of_authorities_by_urn(connection: Connection) -> None:
    reports = [Report("a", GOOD, [Written({"camhs": "+"})], urn="1"), Report("b", GOOD, urn="2"), Report("c", GOOD)]
    write(connection, reports)
    corpus = Corpus.read(connection, BAND_OF, {"1": "County", "3": "London Borough"})
    frame = frequencies(corpus, "type", themes=[CAMHS])
    assert dict(zip(frame["band"], frame["reports"], strict=True)) == {"County": 1, "unknown": 0}
    assert frame["of_reports"].tolist() == [1, 2]


def test_adequate_counts_where_the_configuration_says(connection: Connection) -> None:
    write(connection, [Report("a", {"overall_effectiveness": "adequate"}, [Written({"camhs": "+"})])])
    frame = frequencies(Corpus.read(connection, BAND_OF), themes=[CAMHS])
    assert cell(frame, "requires improvement", "camhs")["reports"] == 1
    with pytest.raises(PipelineError, match="adequate"):
        Corpus.read(connection, {grade: band for grade, band in BAND_OF.items() if grade is not Grade.ADEQUATE})


def test_an_empty_store_gives_an_empty_table(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    corpus = Corpus.read(connection, BAND_OF)
    frame = frequencies(corpus, themes=THEMES)
    assert len(frame) == len(BANDS) * len(THEMES)
    assert frame["of_reports"].sum() == 0
    assert frame["reports_percent"].isna().all()
    assert frequencies(corpus, "year", themes=THEMES).empty
    assert frequencies(corpus, "section_judgement,year", themes=THEMES).empty


@pytest.mark.parametrize("by", ["weather", "year,year", "year,region,type", ""])
def test_an_unknown_way_of_grouping_is_said(random_corpus: Corpus, by: str) -> None:
    with pytest.raises(UsageError, match="Tables can"):
        frequencies(random_corpus, by, themes=THEMES)


def test_an_unknown_theme_is_said(random_corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="nonsense"):
        frequencies(random_corpus, themes=THEMES, theme="nonsense")


def test_one_theme_has_the_same_numbers_as_in_the_whole_table(random_corpus: Corpus) -> None:
    whole = frequencies(random_corpus, themes=THEMES)
    one = frequencies(random_corpus, themes=THEMES, theme="theme_07")
    same = whole[whole["theme"] == "theme_07"].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, same)


def test_wilson_equals_statsmodels() -> None:
    trials = np.repeat([1, 7, 40, 375], 3)
    successes = np.array([0, 1, 1, 0, 3, 7, 0, 20, 39, 1, 200, 375])
    low, high = wilson(successes, trials)
    expected = proportion_confint(successes, trials, method="wilson")
    np.testing.assert_allclose([low, high], expected, atol=1e-12)


def test_movements_are_the_cells_that_changed_and_no_others(connection: Connection) -> None:
    reports = [
        Report("a", GOOD, [Written({"camhs": "+"}), Written({"legal": "+"})]),
        Report("b", POOR, [Written({"camhs": "-"})]),
    ]
    write(connection, reports)
    before = frequencies(Corpus.read(connection, BAND_OF), themes=[CAMHS, LEGAL])
    assert movements(before, before).empty
    write(connection, [Report("c", GOOD, [Written({"camhs": "+"})])])
    after = frequencies(Corpus.read(connection, BAND_OF), themes=[CAMHS, LEGAL])
    moved = movements(before.drop(columns="name"), after)
    assert list(moved.columns) == [field.name for field in MOVEMENTS]
    assert set(zip(moved["band"], moved["theme"], strict=True)) == {("good", "camhs"), ("good", "legal")}
    legal = cell(moved, "good", "legal")
    assert (legal["reports_before"], legal["of_reports_before"], legal["reports"], legal["of_reports"]) == (1, 1, 1, 2)
    assert (legal["reports_change"], legal["name"]) == (-50.0, "Legal")
    # The largest change comes first.
    assert list(moved["theme"]) == ["legal", "camhs"]


def test_movements_name_a_band_that_is_new_and_a_theme_that_is_gone(random_corpus: Corpus) -> None:
    frame = frequencies(random_corpus, "year", themes=THEMES[:3], draws=0)
    earlier = frame[(frame["band"] != "2020")]
    later = frame[frame["theme"] != "theme_01"]
    moved = movements(earlier, later)
    new = moved[moved["band"] == "2020"]
    assert (new["of_reports_before"] == 0).all()
    assert new["reports_change"].isna().all()
    gone = moved[moved["theme"] == "theme_01"]
    assert (gone["of_reports"] == 0).all()
    assert (gone["name"] == "theme_01").all()


def test_tags_of_a_theme_outside_the_taxonomy_are_left_out(connection: Connection) -> None:
    write(connection, [Report("a", GOOD, [Written({"retired": "+", "camhs": "+"})])])
    connection.execute(
        insert(schema.tags), {"paragraph_id": "a-0001", "theme": "x", "probability": 1, "valence": "+", "model_id": "m"}
    )
    frame = frequencies(Corpus.read(connection, BAND_OF), themes=[CAMHS])
    assert set(frame["theme"]) == {"camhs"}
    assert frame["paragraphs"].sum() == 1
