"""The site's pages: each kept example beside the records expected from it.

When the markup changes: save the new page as ``pages/NAME.html`` (its words made ours), write ``pages/NAME.json``, and
add the form to ``PROVIDER_MARKUPS`` or ``SEARCH_MARKUPS``.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path

import pytest

from pipeline.domain import InspectionType
from pipeline.sources.ofsted.kinds import asked_for, kind_of
from pipeline.sources.ofsted.pages import read_date, read_provider, read_search
from pipeline.sources.options import Kind

PAGES = sorted((Path(__file__).parent / "pages").glob("*.*"))
NAMES = sorted({path.stem for path in PAGES})


@pytest.mark.parametrize("name", NAMES)
def test_kept_page(name: str) -> None:
    folder = Path(__file__).parent / "pages"
    expected = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    read = {"provider": read_provider, "search": read_search}[expected["reads"]]
    page = read((folder / f"{name}.html").read_text(encoding="utf-8"), expected["url"])
    assert json.loads(json.dumps(dataclasses.asdict(page), default=str)) == expected["page"]


def test_there_are_pages_of_both_kinds() -> None:
    assert len(NAMES) >= 8
    assert len(PAGES) == 2 * len(NAMES)


@pytest.mark.parametrize("html", ["", "<", "\x00" * 1000, "<html>" * 5000, "nothing", "<h1>only a name</h1>"])
def test_a_page_that_makes_no_sense_has_problems_and_no_records(html: str) -> None:
    page = read_provider(html, "https://reports.ofsted.gov.uk/provider/44/1")
    assert page.publications == ()
    assert "has no URN where it used to be" in page.problems
    assert read_search(html, "https://reports.ofsted.gov.uk/search").providers == ()


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Children's services inspection", InspectionType.INSPECTION),
        ("children’s services inspection", InspectionType.INSPECTION),
        ("Single inspection of LA children's services as pdf", InspectionType.INSPECTION),
        (
            "Inspection of services for children, with a review of the Local Safeguarding Children Board",
            InspectionType.INSPECTION,
        ),
        ("Re-inspection of services for children", InspectionType.REINSPECTION),
        ("Short inspection of children's services", InspectionType.SHORT_INSPECTION),
        ("Review of the Local Safeguarding Children Board", InspectionType.LSCB_REVIEW),
        ("Focused visit", InspectionType.FOCUSED_VISIT),
        ("Children's services focused visit", InspectionType.FOCUSED_VISIT),
        ("Monitoring visit of children's services", InspectionType.MONITORING_VISIT),
        ("Joint targeted area inspection of services", InspectionType.JTAI),
        ("JTAI letter", InspectionType.JTAI),
        ("Area SEND inspection", None),
        ("Local area special educational needs inspection", None),
        ("Independent fostering agency inspection", None),
        ("Regional adoption agency inspection", None),
        ("Something quite new", InspectionType.UNKNOWN),
    ],
)
def test_kinds(title: str, kind: InspectionType | None) -> None:
    assert kind_of(title) == kind


def test_reviews_and_reinspections_are_asked_for_as_inspections() -> None:
    of_kind = {kind: asked_for(kind) for kind in InspectionType}
    assert of_kind.pop(InspectionType.UNKNOWN) is None
    assert {kind for kind, asked in of_kind.items() if asked is Kind.INSPECTION} == {
        InspectionType.INSPECTION,
        InspectionType.SHORT_INSPECTION,
        InspectionType.REINSPECTION,
        InspectionType.LSCB_REVIEW,
    }
    assert set(of_kind.values()) == set(Kind)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3 July 2023", date(2023, 7, 3)),
        ("out since 03 Jul 2023", date(2023, 7, 3)),
        ("29 February 2023", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates(text: str, day: date | None) -> None:
    assert read_date(text) == day
