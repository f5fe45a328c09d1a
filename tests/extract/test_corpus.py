"""The real reports: every judgement cell, every numbered point, the labelled paragraphs, both engines."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from pipeline.domain import SECTION_DOMAIN, Document, Domain, Framework, Grade, ParagraphKind, Section, normalised
from pipeline.errors import SetAside
from pipeline.extract import ExtractOptions, read_document, read_many
from pipeline.extract.judgements import whole_grades
from pipeline.extract.quality import cut_of
from tests.extract.labelled import Found, labelled

pytestmark = pytest.mark.corpus

# Cells of judgements.csv that the report itself contradicts twice: its table says "Requires improvement to / be good"
# over two lines, where the list has the "good", and the section's own verdict says what the table says.
_MISREAD = {
    ("80442_buckinghamshire", "29 january 2018", Domain.CARE_LEAVERS),
    ("80446_central bedfordshire", "25 august 2017", Domain.CHILDREN_IN_CARE),
    ("80458_darlington", "21 may 2018", Domain.HELP_AND_PROTECTION),
    ("80458_darlington", "21 may 2018", Domain.CHILDREN_IN_CARE),
    ("80458_darlington", "21 may 2018", Domain.LEADERSHIP),
    ("80526_north east lincolnshire", "25 september 2017", Domain.HELP_AND_PROTECTION),
    ("80528_north somerset", "25 august 2017", Domain.HELP_AND_PROTECTION),
    ("80528_north somerset", "25 august 2017", Domain.CHILDREN_IN_CARE),
    ("80528_north somerset", "25 august 2017", Domain.LEADERSHIP),
}


@pytest.fixture(scope="module")
def results(shared: Path) -> dict[str, Document | SetAside]:
    corpus = shared / "corpus"
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        jobs = [(row["path"], corpus / row["path"]) for row in csv.DictReader(file)]
    return dict(read_many(jobs, ExtractOptions(), workers=2))


@pytest.fixture(scope="module")
def documents(results: dict[str, Document | SetAside]) -> dict[str, Document]:
    return {path: result for path, result in results.items() if isinstance(result, Document)}


@pytest.fixture(scope="module")
def cells(shared: Path) -> dict[tuple[str, Domain], Grade]:
    with (shared / "corpus" / "judgements.csv").open(encoding="utf-8", newline="") as file:
        return {(row["path"], Domain(row["domain"])): Grade(row["grade"]) for row in csv.DictReader(file)}


def misread(path: str, domain: Domain) -> bool:
    return any(place in path and day in path and domain is of for place, day, of in _MISREAD)


def test_all_but_the_three_pages_of_html_are_read(results: dict[str, Document | SetAside]) -> None:
    reasons = [result.reason for result in results.values() if isinstance(result, SetAside)]
    assert len(results) == 375
    assert reasons == ["not a PDF: the publisher's 'Report not found' page"] * 3


def test_every_cell_is_right_and_none_invented(
    documents: dict[str, Document], cells: dict[tuple[str, Domain], Grade]
) -> None:
    read = {
        (path, judgement.domain): judgement.grade
        for path, document in documents.items()
        if document.cover.framework is not Framework.LAC  # which the list leaves out
        for judgement in document.judgements
    }
    assert set(read) == set(cells)
    assert [key for key in cells if read[key] is not cells[key] and not misread(*key)] == []


def test_cells_that_the_list_has_wrong_are_borne_out_by_the_reports(documents: dict[str, Document]) -> None:
    checked = 0
    for path, document in documents.items():
        for judgement in document.judgements:
            if not misread(path, judgement.domain):
                continue
            section = next(part for part, domain in SECTION_DOMAIN.items() if domain is judgement.domain)
            verdicts = {
                grade
                for paragraph in document.paragraphs
                if paragraph.section is section and paragraph.kind in (ParagraphKind.HEADING, ParagraphKind.TABLE)
                for grade in whole_grades(paragraph.text)
            }
            assert verdicts == {judgement.grade} == {Grade.REQUIRES_IMPROVEMENT}, path
            checked += 1
    assert checked == len(_MISREAD)


def test_looked_after_inspections_of_2013_keep_adequate(documents: dict[str, Document]) -> None:
    reports = [document for document in documents.values() if document.cover.framework is Framework.LAC]
    assert len(reports) == 3
    assert all(
        {j.domain for j in d.judgements} == {Domain.OVERALL, Domain.CHILDREN_IN_CARE, Domain.LEADERSHIP}
        for d in reports
    )
    assert Grade.ADEQUATE in {judgement.grade for document in reports for judgement in document.judgements}


def test_judgements_stand_on_a_page_that_says_them(documents: dict[str, Document]) -> None:
    for path, document in documents.items():
        for judgement in document.judgements:
            assert judgement.page is not None, path
            assert 1 <= judgement.page <= document.pages, path


def test_covers_say_when_and_by_whom(documents: dict[str, Document]) -> None:
    without = Counter(
        name
        for document in documents.values()
        for name in ("authority", "inspection_start", "inspection_end", "lead_inspector")
        if getattr(document.cover, name) is None
    )
    assert without == {"lead_inspector": 1}  # one report of 2025 names nobody on its first page
    assert all(d.cover.inspection_start <= d.cover.inspection_end for d in documents.values())  # type: ignore[operator]
    assert all(document.cover.framework is not Framework.UNKNOWN for document in documents.values())


def test_cut_is_whole(documents: dict[str, Document]) -> None:
    cut = cut_of(documents.items())
    assert cut.numbers > 29_000
    assert cut.missing <= 0.002 * cut.numbers, cut.gaps
    assert cut.lower + cut.open < 0.005 * cut.paragraphs


def test_every_section_of_its_framework_has_text(documents: dict[str, Document]) -> None:
    common = {Section.RECOMMENDATIONS, Section.HELP_AND_PROTECTION, Section.CHILDREN_IN_CARE, Section.LEADERSHIP}
    for path, document in documents.items():
        if document.cover.framework in (Framework.SIF, Framework.ILACS):
            have = {paragraph.section for paragraph in document.paragraphs if paragraph.substantive}
            want = set(common)
            if any(judgement.domain is Domain.LSCB for judgement in document.judgements):
                want.add(Section.LSCB)
            assert want - have == set(), path


def test_labelled_paragraphs_are_found_again(shared: Path, documents: dict[str, Document]) -> None:
    pytest.importorskip("rapidfuzz")
    outcome = Counter(how for _, _, how in labelled(documents, shared / "labels" / "labels.jsonl"))
    total = outcome.total()
    assert total > 7_000
    assert outcome[Found.SAME] >= 0.96 * total
    assert outcome[Found.SAME] + outcome[Found.PART] >= 0.97 * total
    assert outcome[Found.OTHER] <= 0.002 * total


def test_both_engines_cut_alike(shared: Path, documents: dict[str, Document]) -> None:
    some = sorted(path for path, document in documents.items() if document.pages < 16)[::60]
    assert len(some) >= 3
    for path in some:
        reference = read_document(shared / "corpus" / path, ExtractOptions(engine="pdfplumber"))
        mine = documents[path]
        texts = [
            [normalised(paragraph.text) for paragraph in d.paragraphs if paragraph.substantive]
            for d in (mine, reference)
        ]
        assert texts[0] == texts[1], path
        assert mine.judgements == reference.judgements
        assert mine.cover == reference.cover
