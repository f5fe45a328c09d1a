"""Annex 1 and section 5 against reports, and the paper's claim where it holds and where it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from pipeline.authorities import Authorities
from pipeline.domain import Domain, Grade
from pipeline.errors import PipelineError
from pipeline.tables.claims import PERIODS, claims
from pipeline.tables.columns import ANNEX, CLAIMS, SECTION_FIVE, SectionInfo
from pipeline.tables.corpus import Corpus
from pipeline.tables.paper import LAST_DAY, Paper, annex, read_paper, section_five
from tests.tables.building import BAND_OF, Report, Written, write


@pytest.fixture(scope="module")
def paper(repository: Path) -> Paper:
    return read_paper(repository / "corpus" / "paper")


@pytest.fixture(scope="module")
def urn_of(repository: Path) -> Callable[[str], str | None]:
    authorities = Authorities.load(repository / "corpus" / "authorities.csv")

    def found(name: str) -> str | None:
        authority = authorities.find(name, on=LAST_DAY)
        return authority.urn if authority else None

    return found


def cell(frame: pd.DataFrame, authority: str, judgement: str) -> pd.Series:
    found = frame[(frame["authority"] == authority) & (frame["judgement"] == judgement)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_annex_is_read_with_its_exceptions(paper: Paper) -> None:
    assert len(paper.annex) == 33
    hampshire = next(entry for entry in paper.annex if entry.authority == "Hampshire")
    assert hampshire.exceptions == {Domain.ADOPTION: Grade.OUTSTANDING, Domain.LEADERSHIP: Grade.OUTSTANDING}
    assert hampshire.printed(Domain.CARE_LEAVERS) is Grade.GOOD
    sussex = next(entry for entry in paper.annex if entry.authority == "East Sussex")
    assert sussex.exceptions[Domain.CARE_LEAVERS] is Grade.REQUIRES_IMPROVEMENT


def test_every_authority_of_the_annex_is_known(paper: Paper, urn_of: Callable[[str], str | None]) -> None:
    unknown = [entry.authority for entry in paper.annex if urn_of(entry.authority) is None]
    # It was abolished in 2019, and the publisher no longer lists it.
    assert unknown in ([], ["Bournemouth"])


SLOUGH = {
    "overall_effectiveness": "inadequate",
    "help_and_protection": "inadequate",
    "adoption": "good",
    "lscb": "inadequate",
}


def test_each_cell_is_held_against_the_report_of_the_time(
    connection: Connection, paper: Paper, urn_of: Callable[[str], str | None]
) -> None:
    coventry = {
        "overall_effectiveness": "inadequate",
        "children_in_care": "requires improvement",
        "adoption": "requires improvement",
        "care_leavers": "inadequate",
        "leadership": "good",
    }
    write(
        connection,
        [
            Report("a", SLOUGH, urn=urn_of("Slough"), published=date(2014, 2, 11)),
            # Later reports of the same authorities are not what the paper read, nor is one of another framework.
            Report("b", {"overall_effectiveness": "good"}, urn=urn_of("Slough"), published=date(2016, 2, 17)),
            Report(
                "c",
                {"overall_effectiveness": "good"},
                urn=urn_of("Slough"),
                published=date(2014, 5, 1),
                framework="LAC",
            ),
            Report("d", coventry, urn=urn_of("Coventry"), published=date(2014, 3, 21)),
        ],
    )
    corpus = Corpus.read(connection, BAND_OF)
    frame = annex(corpus, paper, urn_of)
    assert list(frame.columns) == [field.name for field in ANNEX]
    assert len(frame) == 33 * 7
    overall = cell(frame, "Slough", "overall_effectiveness")
    assert (overall["agreement"], overall["report"], overall["report_id"], overall["page"]) == (
        "yes",
        "inadequate",
        "a",
        1,
    )
    exception = cell(frame, "Slough", "adoption")
    assert (exception["agreement"], exception["printed"]) == ("no", "requires improvement")
    assert "good on page 1; the annex prints the exception requires improvement" in exception["explanation"]
    assert cell(frame, "Slough", "leadership")["agreement"] == "no judgement"
    covered = cell(frame, "Coventry", "adoption")
    assert covered["agreement"] == "no"
    assert "children in care covers this too" in covered["explanation"]
    assert cell(frame, "Coventry", "care_leavers")["agreement"] == "yes"
    assert "lists no exception" in cell(frame, "Coventry", "leadership")["explanation"]
    assert cell(frame, "Bexley", "lscb")["agreement"] == "no report"
    # Whatever differs says why.
    assert ((frame["agreement"] == "yes") == (frame["explanation"] == "")).all()


def test_section_five_is_checked_against_the_papers_own_annex(
    connection: Connection, paper: Paper, urn_of: Callable[[str], str | None]
) -> None:
    write(connection, [Report("a", SLOUGH, urn=urn_of("Slough"), published=date(2014, 2, 11))])
    frame = section_five(Corpus.read(connection, BAND_OF), paper, urn_of)
    assert list(frame.columns) == [field.name for field in SECTION_FIVE]
    by = frame.set_index(["subject", "figure"])
    boards = by.loc[("local safeguarding children boards", "inadequate")]
    assert (boards["printed"], boards["annex"], boards["agreement"]) == ("6", 7, "no")
    assert (boards["reports"], boards["of_reports"]) == (1, 1)
    share = by.loc[("local authorities", "below good")]
    assert share["annex_percent"] == pytest.approx(72.73, abs=0.01)
    assert "no number of 33 authorities makes 71 %" in share["explanation"]
    assert (
        "21 of 32, give 65.6 %, cut off" in by.loc[("local safeguarding children boards", "below good"), "explanation"]
    )
    assert by.loc[("all local authorities", "inspected"), "agreement"] == "yes"
    assert set(frame.loc[frame["agreement"] == "no", "figure"]) == {"below good", "inadequate"}


def test_the_real_reports_disagree_only_where_the_annex_takes_parts_of_care_together(
    connection: Connection, shared: Path, paper: Paper, urn_of: Callable[[str], str | None]
) -> None:
    index = pd.read_csv(shared / "corpus" / "index.csv", dtype=str)
    grades = pd.read_csv(shared / "corpus" / "judgements.csv", dtype=str)
    reports = []
    for number, row in enumerate(index.itertuples()):
        own = grades[grades["path"] == row.path]
        if not own.empty:
            reports.append(
                Report(
                    f"{number:04d}",
                    dict(zip(own["domain"], own["grade"], strict=True)),
                    urn=row.urn,
                    framework=own["framework"].iloc[0],
                    published=date.fromisoformat(row.published),
                )
            )
    write(connection, reports)
    corpus = Corpus.read(connection, BAND_OF)
    frame = annex(corpus, paper, urn_of)
    held = frame[frame["report"] != ""]
    assert held["authority"].nunique() == 25
    assert (held[held["judgement"].isin(["overall_effectiveness", "lscb"])]["agreement"] == "yes").all()
    differing = held[held["agreement"] == "no"]
    assert set(differing["authority"]) == {"Bradford", "Coventry", "Knowsley", "Portsmouth"}
    assert set(differing["judgement"]) <= {"adoption", "care_leavers"}
    assert differing["explanation"].str.contains("children in care covers this too").all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("annex1.csv", "authority,overall,exceptions,lscb\nSlough,Excellent,,Good\n"),
        ("annex1.csv", "authority,overall,exceptions,lscb\nSlough,Good,Weather: Good,Good\n"),
        ("section5.csv", "subject,figure,printed,of\nlocal authorities,good,nine,33\n"),
        ("section5.csv", "subject,figure\nlocal authorities,good\n"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, repository: Path, name: str, text: str) -> None:
    for own in ("annex1.csv", "section5.csv"):
        (tmp_path / own).write_bytes((repository / "corpus" / "paper" / own).read_bytes())
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(PipelineError, match=rf"{name}, line 2"):
        read_paper(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"annex1\.csv"):
        read_paper(tmp_path)


SECTIONS = [
    SectionInfo("3.1", "Working together", ("multi_agency",)),
    SectionInfo("3.10", "Voice", ("voice_of_child",)),
    SectionInfo("4.2", "Casework", ("drift_delay",)),
]


def claimed(connection: Connection, authorities: int = 80) -> Corpus:
    """Good reports praise twice as much as poor ones: voice_of_child in particular, multi_agency no more than the rest.

    Poor ones fault drift_delay.
    """
    rng = np.random.default_rng(22)
    made = []
    for number in range(authorities):
        well = number % 2 == 0
        paragraphs = []
        for _ in range(40):
            praised = rng.random() < (0.6 if well else 0.3)
            themes = {}
            if praised:
                drawn = rng.random()
                themes["voice_of_child" if drawn < (0.5 if well else 0.15) else "other"] = "+"
                if rng.random() < 0.3:
                    themes["multi_agency"] = "+"
            elif rng.random() < (0.1 if well else 0.5):
                themes["drift_delay"] = "-"
            paragraphs.append(Written(themes))
        made.append(
            Report(
                f"{number:04d}",
                {"overall_effectiveness": "good" if well else "inadequate"},
                paragraphs,
                urn=str(number),
                published=date(2015 if number < 60 else 2020, 1, 1),
                framework="SIF" if number < 60 else "ILACS",
            )
        )
    write(connection, made)
    return Corpus.read(connection, BAND_OF)


def test_the_claim_is_tested_against_all_text_and_against_all_praise(connection: Connection) -> None:
    frame = claims(claimed(connection), sections=SECTIONS)
    assert list(frame.columns) == [field.name for field in CLAIMS]
    assert list(frame["period"].unique()) == [period.name for period in PERIODS]
    by = frame.set_index(["period", "measure", "section"])
    later = PERIODS[1].name
    # Praised more because everything is, but no more than its share of the praise ...
    assert by.loc[(later, "paragraphs", "3.1"), "verdict"] == "holds"
    assert by.loc[(later, "praise", "3.1"), "verdict"] == "not shown"
    assert by.loc[(later, "praise", "3.1"), "ratio_low"] < 1 < by.loc[(later, "praise", "3.1"), "ratio_high"]
    # ... and praised more for itself.
    voice = by.loc[(later, "praise", "3.10")]
    assert voice["verdict"] == "holds"
    assert voice["ratio_low"] > 1
    assert (voice["reports"], voice["reports_of_others"], voice["authorities"]) == (30, 30, 60)
    assert by.loc[(later, "paragraphs", "4.2"), "verdict"] == "holds"
    assert by.loc[(later, "paragraphs", "4.2"), "claim"] == "weakness of poor authorities"
    # Nothing was published in the paper's own time here.
    assert (frame[frame["period"] == PERIODS[0].name]["verdict"] == "too little to tell").all()


def test_a_claim_that_is_the_wrong_way_round_is_said_to_be(connection: Connection) -> None:
    turned = [SectionInfo("3.1", "Delay as a virtue", ("drift_delay",)), SectionInfo("4.1", "Voice", ("drift_delay",))]
    corpus = claimed(connection)
    corpus.tags["valence"] = 0  # everything a strength
    frame = claims(corpus, sections=turned)
    by = frame.set_index(["period", "measure", "section"])
    assert by.loc[(PERIODS[1].name, "paragraphs", "3.1"), "verdict"] == "the opposite"
    assert by.loc[(PERIODS[1].name, "paragraphs", "4.1"), "verdict"] == "too little to tell"


def test_without_sections_there_is_nothing_to_claim(connection: Connection) -> None:
    assert claims(claimed(connection, 4), sections=[]).empty
