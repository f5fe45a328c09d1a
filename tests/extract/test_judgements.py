"""Judgements off drawn tables and sentences: every shape of table that the frameworks have used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain import Basis, Document, Domain, Grade, InspectionType
from pipeline.extract import read_document
from tests.extract.drawing import LEFT, PITCH, SIF_TITLE, Sheet

_LEADERS = ["The impact of leaders on social work", "practice with children and families"]
_HELP = ["The experiences and progress of", "children who need help and protection"]
_CARE = ["The experiences and progress of", "children in care"]
_LEAVERS = ["The experiences and progress of care", "leavers"]
_JOINT = ["The experiences and progress of", "children in care and care leavers"]
_RI = ["Requires improvement to be good"]
_PROSE = (
    "Children in the invented town are seen by the people who work with them as often as is needed, and most of the "
    "plans for them say what is to be done and by when."
)


def grades(document: Document) -> dict[Domain, Grade]:
    return {judgement.domain: judgement.grade for judgement in document.judgements}


def ilacs(path: Path, rows: list[tuple[list[str], list[str]]]) -> Document:
    sheet = Sheet(path, foot="Inspection of Inventon local authority children’s services")
    sheet.title("Inspection of Inventon local", "authority children’s services")
    sheet.put("Inspection dates: 4 to 15 March 2024")
    sheet.down(26)
    sheet.put("Lead inspector: Ada Example, His Majesty’s Inspector")
    sheet.down(39)
    sheet.table(rows)
    for _ in range(3):
        sheet.paragraph(_PROSE)
    sheet.heading("What needs to improve?")
    sheet.paragraph("The quality of plans for children.", first="\u2022", indent=17)
    sheet.heading("The experiences and progress of children who need help and protection: good")
    for number in range(1, 15):
        sheet.paragraph(_PROSE, first=f"{number}.")
    return read_document(sheet.save())


def test_table_of_five_with_labels_and_grades_over_several_lines(tmp_path: Path) -> None:
    document = ilacs(
        tmp_path / "five.pdf",
        [
            (_LEADERS, ["Good"]),
            (_HELP, _RI),
            (_CARE, ["Outstanding"]),
            (_LEAVERS, ["Inadequate"]),
            (["Overall effectiveness"], ["Requires", "improvement", "to be good"]),
        ],
    )
    assert grades(document) == {
        Domain.OVERALL: Grade.REQUIRES_IMPROVEMENT,
        Domain.HELP_AND_PROTECTION: Grade.REQUIRES_IMPROVEMENT,
        Domain.CHILDREN_IN_CARE: Grade.OUTSTANDING,
        Domain.CARE_LEAVERS: Grade.INADEQUATE,
        Domain.LEADERSHIP: Grade.GOOD,
    }
    assert {(judgement.page, judgement.basis) for judgement in document.judgements} == {(1, Basis.TABLE)}


def test_joint_judgement_of_the_earlier_table_of_four(tmp_path: Path) -> None:
    document = ilacs(
        tmp_path / "four.pdf",
        [(_LEADERS, ["Good"]), (_HELP, ["Good"]), (_JOINT, ["Outstanding"]), (["Overall effectiveness"], ["Good"])],
    )
    assert grades(document)[Domain.CHILDREN_IN_CARE] is Grade.OUTSTANDING
    assert Domain.CARE_LEAVERS not in grades(document)


def test_absent_overall_judgement_is_said_to_be_absent(tmp_path: Path) -> None:
    document = ilacs(
        tmp_path / "2026.pdf", [(_LEADERS, ["Good"]), (_HELP, ["Good"]), (_CARE, ["Good"]), (_LEAVERS, _RI)]
    )
    overall = document.judgements[0]
    assert (overall.domain, overall.grade, overall.basis) == (Domain.OVERALL, Grade.NOT_JUDGED, Basis.ABSENT)
    assert len(document.judgements) == 5


@pytest.mark.parametrize("engine", ["pdfium", "pdfplumber"])
def test_single_inspection_table_over_two_pages_with_grades_of_three_lines(tmp_path: Path, engine: str) -> None:
    sheet = Sheet(tmp_path / "sif.pdf", bottom=700)
    sheet.title("Inventon Metropolitan Borough Council")
    sheet.heading(SIF_TITLE)
    sheet.put("Inspection date: 3 November – 26 November 2015", size=14)
    sheet.down(29)
    sheet.y = 520
    sheet.heading("Children’s services in Inventon require improvement to be good")
    sheet.table(
        [
            (["1. Children who need help and protection"], ["Requires", "improvement", "to be good"]),
            (["2. Children looked after and achieving", "permanence"], ["Require improvement"]),
            (["2.1 Adoption performance"], ["Not judged"]),
            (["2.2 Experiences and progress of care leavers"], ["Good"]),
            (["3. Leadership, management and governance"], ["Inadequate"]),
        ],
        column=400,
        head=False,
    )
    sheet.turn()
    sheet.heading("The Local Safeguarding Children Board (LSCB)", size=16)
    sheet.heading("The Local Safeguarding Children Board is good")
    for number in range(1, 12):
        sheet.paragraph(_PROSE, first=f"{number}.")
    from pipeline.extract import ExtractOptions

    document = read_document(sheet.save(), ExtractOptions(engine=engine))  # type: ignore[arg-type]
    assert grades(document) == {
        Domain.OVERALL: Grade.REQUIRES_IMPROVEMENT,
        Domain.HELP_AND_PROTECTION: Grade.REQUIRES_IMPROVEMENT,
        Domain.CHILDREN_IN_CARE: Grade.REQUIRES_IMPROVEMENT,
        Domain.ADOPTION: Grade.NOT_JUDGED,
        Domain.CARE_LEAVERS: Grade.GOOD,
        Domain.LEADERSHIP: Grade.INADEQUATE,
        Domain.LSCB: Grade.GOOD,
    }
    pages = {judgement.domain: judgement.page for judgement in document.judgements}
    assert pages[Domain.HELP_AND_PROTECTION] == 1
    assert pages[Domain.LEADERSHIP] == 2
    assert pages[Domain.LSCB] == 3


@pytest.mark.parametrize(
    ("sentences", "overall", "board"),
    [
        (["The overall judgement is that children’s services are inadequate"], Grade.INADEQUATE, None),
        (
            ["The overall judgement is good.", "The effectiveness of the LSCB is outstanding"],
            Grade.GOOD,
            Grade.OUTSTANDING,
        ),
        (["Children’s services in the Vale of Inventon are outstanding"], Grade.OUTSTANDING, None),
        (["Children’s services requires improvement"], Grade.REQUIRES_IMPROVEMENT, None),
        (["The LSCB requires improvement because:"], None, Grade.REQUIRES_IMPROVEMENT),
        (["An LSCB that is good coordinates partners well", "Adoption performance is good"], None, None),
        (["The overall judgement of schools is good"], None, None),
    ],
)
def test_sentences_that_judge(sentences: list[str], overall: Grade | None, board: Grade | None) -> None:
    from pipeline.extract.judgements import sentence_judgements

    # Each on a page of its own, so that none is read together with the one before.
    found = sentence_judgements(enumerate(sentences, start=1), {Domain.OVERALL, Domain.LSCB})
    got = {judgement.domain: judgement.grade for judgement in found}
    assert (got.get(Domain.OVERALL), got.get(Domain.LSCB)) == (overall, board)


def test_sentence_in_two_weights_is_one_sentence() -> None:
    from pipeline.extract.judgements import sentence_judgements

    pieces = [(1, "The effectiveness of the Local Safeguarding Children Board (LSCB) is"), (1, "good.")]
    assert [judgement.grade for judgement in sentence_judgements(pieces, {Domain.LSCB})] == [Grade.GOOD]


def test_looked_after_inspection_of_2013_keeps_its_own_grade(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "lac.pdf")
    sheet.title("Inspection of looked after children", "services")
    sheet.put("Inventon County Council", size=18)
    sheet.down(40)
    sheet.put("Inspection dates: 8 – 12 July 2013", size=10, bold=True)
    sheet.down(16)
    sheet.put("Reporting inspector Ada Example HMI", size=10, bold=True)
    sheet.down(16)
    sheet.put("Published: 16 August 2013", size=10, bold=True)
    sheet.turn()
    sheet.heading("Leadership and management", size=18)
    for number in range(1, 16):
        sheet.paragraph(_PROSE, first=f"{number}.")
    sheet.heading("Record of main findings", size=18)
    for label, grade in (
        (["Overall effectiveness"], "Adequate"),
        (["Capacity to improve"], "Good"),
        (["Outcomes for looked after children and", "young people"], "Inadequate"),
        (["Quality of provision"], "Outstanding"),
        (["Leadership and management"], "Adequate"),
    ):
        for index, line in enumerate(label):
            sheet.put(line, LEFT + 6)
            if index == 0:
                sheet.put(grade, 400)
            sheet.down(PITCH)
        sheet.down(14)
    document = read_document(sheet.save())
    assert grades(document) == {
        Domain.OVERALL: Grade.ADEQUATE,
        Domain.CHILDREN_IN_CARE: Grade.INADEQUATE,
        Domain.LEADERSHIP: Grade.ADEQUATE,
    }
    assert document.cover.authority == "Inventon"
    assert document.cover.lead_inspector == "Ada Example"


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Focused visit to Inventon local authority children’s services", InspectionType.FOCUSED_VISIT),
        ("Monitoring visit to Inventon children’s services", InspectionType.MONITORING_VISIT),
        ("Joint targeted area inspection of Inventon", InspectionType.JTAI),
    ],
)
def test_letters_about_visits_carry_no_judgements(tmp_path: Path, subject: str, kind: InspectionType) -> None:
    sheet = Sheet(tmp_path / "letter.pdf")
    for line in ("Ofsted", "Agora", "4 July 2023", "Dear Ada Example"):
        sheet.put(line)
        sheet.down(PITCH)
    sheet.heading(subject, size=12)
    sheet.paragraph(f"This letter summarises the findings. {_PROSE}")
    sheet.heading("Headline findings", size=12)
    for _ in range(8):
        sheet.paragraph(_PROSE)
    document = read_document(sheet.save())
    assert document.cover.inspection_type is kind
    assert document.judgements == ()
    assert sum(paragraph.substantive for paragraph in document.paragraphs) >= 8
