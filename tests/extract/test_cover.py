"""Covers: whose services, when, by whom."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.domain import Cover, Framework, InspectionType
from pipeline.extract import read_document
from pipeline.extract.cover import place_name
from tests.extract.drawing import SIF_TITLE, Sheet


@pytest.mark.parametrize(
    ("printed", "place"),
    [
        ("Inventon County Council", "Inventon"),
        ("Inventon Metropolitan Borough Council", "Inventon"),
        ("Inventon City Council", "Inventon"),
        ("Inventon Unitary Authority", "Inventon"),
        ("London Borough of Inventon", "London Borough of Inventon"),
        ("Royal Borough of Inventon and Example", "Royal Borough of Inventon and Example"),
        ("Inventon, Example and Model", "Inventon, Example and Model"),
        ("Inventon Safeguarding Children Board", "Inventon"),
        ("  Inventon-on-Example\u00a0Borough Council. ", "Inventon-on-Example"),
        ("Council", "Council"),
    ],
)
def test_place_is_what_the_authority_is_called(printed: str, place: str) -> None:
    assert place_name(printed) == place


def cover(path: Path, title: list[str], *lines: str, kind: str | None = None, head: bool = False) -> Cover:
    sheet = Sheet(path)
    sheet.title(*title)
    if kind:
        sheet.heading(kind)
    for line in lines:
        sheet.put(line)
        sheet.down(16)
    sheet.down(20)
    if head:
        sheet.put("Judgement", bold=True)
        sheet.put("Grade", 325, bold=True)
        sheet.down(33)
    for _ in range(6):
        sheet.paragraph(
            "The children of this place are seen by the people who work with them as often as it is needed."
        )
    return read_document(sheet.save()).cover


def test_single_inspection(tmp_path: Path) -> None:
    read = cover(
        tmp_path / "a.pdf",
        ["London Borough of Inventon and", "Example"],
        "Inspection date: 11 January 2016 – 4 February 2016",
        "Report published: 29 March 2016",
        "Lead inspector: Ada Example-Smith",
        kind=SIF_TITLE,
    )
    assert read == Cover(
        authority="London Borough of Inventon and Example",
        framework=Framework.SIF,
        inspection_type=InspectionType.INSPECTION,
        published=date(2016, 3, 29),
        inspection_start=date(2016, 1, 11),
        inspection_end=date(2016, 2, 4),
        lead_inspector="Ada Example-Smith",
    )


def test_reinspection_is_told_by_its_title(tmp_path: Path) -> None:
    read = cover(
        tmp_path / "a.pdf",
        ["Inventon"],
        "Inspection dates: 6 to 30 March 2017",
        kind=f"Re-{SIF_TITLE[0].lower()}{SIF_TITLE[1:]}",
    )
    assert (read.framework, read.inspection_type) == (Framework.SIF, InspectionType.REINSPECTION)


def test_board_alone(tmp_path: Path) -> None:
    read = cover(
        tmp_path / "a.pdf",
        ["Inventon Safeguarding Children Board"],
        "Inspection date: 15 – 17 June 2015",
        kind="Review of the effectiveness of the Local Safeguarding Children Board",
    )
    assert (read.framework, read.inspection_type) == (Framework.LSCB_REVIEW, InspectionType.LSCB_REVIEW)
    assert read.authority == "Inventon"


@pytest.mark.parametrize(
    ("dates", "kind"),
    [("8 to 12 December 2025", InspectionType.SHORT_INSPECTION), ("1 to 12 December 2025", InspectionType.INSPECTION)],
)
def test_length_on_site_tells_short_from_standard(tmp_path: Path, dates: str, kind: InspectionType) -> None:
    read = cover(
        tmp_path / "a.pdf",
        ["Inspection of Inventon, Example and", "Model local authority", "children’s services"],
        f"Inspection dates: {dates}",
        "Lead inspector: Ada Example, His Majesty’s Inspector",
        head=True,
    )
    assert read.authority == "Inventon, Example and Model"
    assert (read.framework, read.inspection_type) == (Framework.ILACS, kind)
    assert read.lead_inspector == "Ada Example"
    assert read.published is None


def test_lead_inspector_of_two_lines(tmp_path: Path) -> None:
    read = cover(
        tmp_path / "a.pdf",
        ["Inventon City Council"],
        "Inspection dates: 3 December 2018 to 14 December 2018",
        "Lead inspector: Ada Example",
        "Her Majesty's Inspector",
        kind="Inspection of children's social care services",
        head=True,
    )
    assert (read.authority, read.lead_inspector) == ("Inventon", "Ada Example")


def test_trust_is_read_as_its_place(tmp_path: Path) -> None:
    read = cover(
        tmp_path / "a.pdf",
        ["Inspection of Inventon Children and", "Families Trust"],
        "Inspection dates: 12 to 23 January 2026",
        head=True,
    )
    assert read.authority == "Inventon"


def test_document_without_a_cover_is_read_and_says_so(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    for _ in range(6):
        sheet.paragraph(
            "The children of this place are seen by the people who work with them as often as it is needed."
        )
    document = read_document(sheet.save())
    assert document.cover.framework is Framework.UNKNOWN
    assert "its framework could not be told from its first page" in document.warnings
