"""Paragraphs, sections and headings of drawn reports, through both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from pipeline.domain import Document, Paragraph, ParagraphKind, Section
from pipeline.extract import ExtractOptions, read_document
from tests.extract.drawing import LEFT, SIF_TITLE, Sheet

Engine = Literal["pdfium", "pdfplumber"]

_GOOD = ["Good"]
_TABLE = [
    (["The impact of leaders on social work", "practice with children and families"], _GOOD),
    (["The experiences and progress of", "children who need help and protection"], _GOOD),
    (["The experiences and progress of", "children in care"], _GOOD),
    (["The experiences and progress of care", "leavers"], _GOOD),
    (["Overall effectiveness"], _GOOD),
]


def prose(number: int) -> str:
    """A paragraph of several lines that no other is equal to."""
    return (
        f"Point {number} of the invented report says that children are seen as often as is needed, that most of the "
        f"plans for them say what is to be done and by when, and that managers look at every plan at least {number} "
        f"times a year."
    )


@pytest.fixture(scope="module", params=["pdfium", "pdfplumber"])
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """An ILACS report with everything that a page can hold."""
    engine: Engine = request.param
    sheet = Sheet(
        tmp_path_factory.mktemp("drawn") / "report.pdf",
        foot="Inspection of Inventon local authority children’s services",
    )
    sheet.title("Inspection of Inventon local", "authority children’s services")
    sheet.put("Inspection dates: 4 to 15 March 2024")
    sheet.down(40)
    sheet.table(_TABLE)
    sheet.paragraph(prose(101))
    sheet.paragraph(prose(102))
    sheet.heading("What needs to improve?")
    sheet.paragraph("The quality of plans for children in need of protection.", first="\u2022", indent=17)
    sheet.paragraph(
        "The support for carers of children of all ages in every part of the town, by night too.",
        first="\u2022",
        indent=17,
    )
    sheet.heading("The experiences and progress of children who need help and protection: good")
    sheet.notes.append("A note of the first page, set small below the text of it.")
    for number in range(1, 13):
        sheet.paragraph(prose(number), first=f"{number}.")
    sheet.notes.append("A second note, which stands between the halves of a paragraph.")
    for number in range(13, 26):
        sheet.paragraph(prose(number), first=f"{number}.")
    sheet.paragraph("This includes:", after=6)
    for place in ("north", "south"):
        sheet.paragraph(f"a nurse in the {place} of the invented town", x=LEFT + 28, first="–", indent=14, after=4)
    sheet.down(12)
    sheet.heading("The experiences and progress of children in care: good")
    for number in range(26, 40):
        sheet.paragraph(prose(number), first=f"{number}.")
    sheet.heading("The experiences and progress of care leavers: good")
    sheet.paragraph(prose(40), first="40.")
    sheet.heading("The impact of leaders on social work practice with children and families: good")
    sheet.paragraph(prose(41), first="41.")
    sheet.turn()
    sheet.paragraph("The Office for Standards in Education, Children’s Services and Skills (Ofsted) inspects.")
    sheet.paragraph("© Crown copyright 2024")
    return read_document(sheet.save(), ExtractOptions(engine=engine))


def of_kind(document: Document, kind: ParagraphKind) -> list[Paragraph]:
    return [paragraph for paragraph in document.paragraphs if paragraph.kind is kind]


def test_every_numbered_point_is_whole_and_apart_from_its_number(document: Document) -> None:
    points = of_kind(document, ParagraphKind.NUMBERED)
    assert [point.number for point in points] == [str(number) for number in range(1, 42)]
    assert [point.text for point in points] == [prose(number) for number in range(1, 42)]


def test_points_run_over_page_breaks(document: Document) -> None:
    broken = [point for point in document.paragraphs if point.page_end > point.page]
    assert broken
    assert all(point.page_end == point.page + 1 for point in broken)


def test_running_feet_are_left_out_and_notes_kept_apart(document: Document) -> None:
    assert not [
        paragraph for paragraph in document.paragraphs if "local authority" in paragraph.text and paragraph.page > 1
    ]
    notes = of_kind(document, ParagraphKind.FOOTNOTE)
    assert [(note.number, note.text[:8]) for note in notes] == [("1", "A note o"), ("1", "A second")]


def test_sections_follow_the_headings(document: Document) -> None:
    sections = {point.number: point.section for point in of_kind(document, ParagraphKind.NUMBERED)}
    assert sections["1"] is sections["25"] is Section.HELP_AND_PROTECTION
    assert sections["26"] is sections["39"] is Section.CHILDREN_IN_CARE
    assert sections["40"] is Section.CARE_LEAVERS
    assert sections["41"] is Section.LEADERSHIP
    opening = [paragraph for paragraph in document.paragraphs if paragraph.text in (prose(101), prose(102))]
    assert [paragraph.section for paragraph in opening] == [Section.SUMMARY, Section.SUMMARY]
    assert document.paragraphs[-1].section is Section.BOILERPLATE
    assert not document.paragraphs[-1].substantive


def test_what_needs_to_improve_is_recommended(document: Document) -> None:
    points = of_kind(document, ParagraphKind.RECOMMENDATION)
    assert [point.section for point in points] == [Section.RECOMMENDATIONS] * 2
    assert [point.text[:12] for point in points] == ["The quality ", "The support "]
    assert {point.heading for point in points} == {"What needs to improve?"}


def test_lead_in_and_dashes_are_told_apart(document: Document) -> None:
    assert [bullet.text for bullet in of_kind(document, ParagraphKind.BULLET)] == [
        "a nurse in the north of the invented town",
        "a nurse in the south of the invented town",
    ]
    lead_in = next(paragraph for paragraph in document.paragraphs if paragraph.text == "This includes:")
    assert lead_in.kind is ParagraphKind.PARAGRAPH


def test_judgement_table_is_a_table(document: Document) -> None:
    tables = of_kind(document, ParagraphKind.TABLE)
    assert {table.page for table in tables} == {1}
    assert any("Overall effectiveness" in table.text for table in tables)


def test_headings_over_two_lines_are_one(document: Document) -> None:
    headings = [heading.text for heading in of_kind(document, ParagraphKind.HEADING)]
    assert "The experiences and progress of children who need help and protection: good" in headings
    assert "The impact of leaders on social work practice with children and families: good" in headings


def test_ordinals_count_from_one_and_places_lie_on_the_page(document: Document) -> None:
    assert [paragraph.ordinal for paragraph in document.paragraphs] == list(range(1, len(document.paragraphs) + 1))
    assert all(0 < paragraph.x0 < 595 and 0 < paragraph.top < 842 for paragraph in document.paragraphs)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotated_pages_are_read_as_they_are_shown(tmp_path: Path, rotation: int) -> None:
    import pikepdf

    sheet = Sheet(tmp_path / "upright.pdf")
    sheet.heading("Inspection of Inventon local authority children’s services")
    for number in range(1, 12):
        sheet.paragraph(prose(number), first=f"{number}.")
    upright = read_document(sheet.save())
    turned = tmp_path / "turned.pdf"
    with pikepdf.open(tmp_path / "upright.pdf") as pdf:
        for page in pdf.pages:
            width, height = float(page.MediaBox[2]), float(page.MediaBox[3])
            # The page's content is turned one way and the page the other: it shows as before.
            matrix = {
                90: f"0 1 -1 0 {height} 0",
                180: f"-1 0 0 -1 {width} {height}",
                270: f"0 -1 1 0 0 {width}",
            }[rotation]
            content = b"q " + matrix.encode() + b" cm\n" + page.Contents.read_bytes() + b"\nQ"
            page.Contents = pikepdf.Stream(pdf, content)
            if rotation != 180:
                page.MediaBox = pikepdf.Array([0, 0, height, width])
            page.Rotate = rotation
        pdf.save(turned)
    assert [p.text for p in read_document(turned).paragraphs] == [p.text for p in upright.paragraphs]


def test_verdict_boxes_open_sections_of_the_single_inspection(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "boxes.pdf")
    sheet.title("Inventon")
    sheet.heading(SIF_TITLE)
    sheet.turn()
    sheet.heading("Contents", size=26)
    sheet.put("Executive summary 3")
    sheet.down(20)
    sheet.put("Leadership, management and governance 9")
    sheet.turn()
    boxes = (
        (
            ["The experiences and progress of", "children who need help and", "protection"],
            ["Requires improvement", "to be good"],
        ),
        (["The experiences and progress of", "children looked after and achieving", "permanence"], ["Good"]),
        (["Leadership, management and", "governance"], ["Inadequate"]),
    )
    for label, grade in boxes:
        top, height = sheet.y, 16.0 * len(label)
        for lines, x in ((label, LEFT + 4), (grade, 360)):
            y = top + (height - 16.0 * len(lines)) / 2
            for line in lines:
                sheet.put(line, x, size=14, bold=True, y=y)
                y += 16
        sheet.down(height + 20)
        sheet.heading("Summary", size=12)
        sheet.paragraph(prose(len(label[0])))
        sheet.heading("Inspection findings", size=12)
        for number in range(1, 4):
            sheet.paragraph(prose(number), first=f"{number}.")
    document = read_document(sheet.save())
    texts = [paragraph for paragraph in document.paragraphs if paragraph.substantive]
    sections = list(dict.fromkeys(paragraph.section for paragraph in texts))
    assert sections == [Section.HELP_AND_PROTECTION, Section.CHILDREN_IN_CARE, Section.LEADERSHIP]
    headings = [heading.text for heading in of_kind(document, ParagraphKind.HEADING)]
    assert "The experiences and progress of children who need help and protection" in headings
    assert "Requires improvement to be good" not in " ".join(headings)
    contents = [paragraph for paragraph in document.paragraphs if paragraph.text.startswith("Executive summary")]
    assert [(paragraph.kind, paragraph.section) for paragraph in contents] == [(ParagraphKind.TABLE, Section.COVER)]
