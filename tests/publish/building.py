"""Made-up reports for the tests of the publications, nasty ones among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from sqlalchemy import Connection, insert

from pipeline import schema
from pipeline.domain import fingerprint

NASTY_NAME = "=cmd|' /C calc'!A0 <script>alert(1)</script> & Sons"
NASTY_TEXT = (
    '=HYPERLINK("http://example.org") <img src=x onerror=alert(1)> a "quoted" paragraph & more words than eight'
)


@dataclass(frozen=True)
class Written:
    """A paragraph of a made-up report."""

    text: str
    themes: dict[str, tuple[str, float]] = field(default_factory=dict)  # code to valence and probability
    section: str = "summary"
    page: int = 3
    kind: str = "numbered"


@dataclass(frozen=True)
class Report:
    """A made-up report."""

    report_id: str
    authority: str | None = "Ambridge"
    judgements: dict[str, str] = field(default_factory=dict)  # domain to grade
    paragraphs: Sequence[Written] = ()
    published: date | None = date(2015, 6, 1)
    region: str | None = "West Midlands"
    framework: str = "SIF"
    urn: str | None = None
    url: str | None = None
    status: str = schema.Status.EXTRACTED
    reason: str | None = None


def write(connection: Connection, reports: Iterable[Report]) -> None:
    """Write made-up reports into a store."""
    for report in reports:
        connection.execute(
            insert(schema.reports),
            {
                "report_id": report.report_id,
                "source": "made up",
                "source_path": f"reports/{report.report_id}.pdf",
                "file": f"reports/{report.report_id}.pdf",
                "sha256": report.report_id.rjust(64, "0"),
                "bytes": 1,
                "mtime_ns": 1,
                "url": report.url,
                "title": f"Report {report.report_id}",
                "status": report.status,
                "reason": report.reason,
                "first_run": 1,
                "urn": report.urn,
                "authority": report.authority,
                "region": report.region,
                "framework": report.framework,
                "inspection_type": "inspection",
                "published": report.published,
                "pages": 20,
                "extracted_with": "x",
                "tagged_with": "made up",
            },
        )
        for domain, grade in report.judgements.items():
            row = {"report_id": report.report_id, "domain": domain, "grade": grade, "page": 1, "basis": "table"}
            connection.execute(insert(schema.judgements), row)
        for ordinal, paragraph in enumerate(report.paragraphs, start=1):
            paragraph_id = f"{report.report_id}-{ordinal:04d}"
            connection.execute(
                insert(schema.paragraphs),
                {
                    "paragraph_id": paragraph_id,
                    "report_id": report.report_id,
                    "ordinal": ordinal,
                    "page": paragraph.page,
                    "page_end": paragraph.page,
                    "x0": 72.0,
                    "top": 100.0,
                    "section": paragraph.section,
                    "kind": paragraph.kind,
                    "number": str(ordinal),
                    "heading": None,
                    "text": paragraph.text,
                    "words": len(paragraph.text.split()),
                    "substantive": paragraph.kind != "heading" and len(paragraph.text.split()) >= 8,
                    "fingerprint": fingerprint(paragraph.text),
                },
            )
            for theme, (valence, probability) in paragraph.themes.items():
                connection.execute(
                    insert(schema.tags),
                    {
                        "paragraph_id": paragraph_id,
                        "theme": theme,
                        "probability": probability,
                        "valence": valence,
                        "model_id": "made up",
                    },
                )


_GRADES = ("good", "requires improvement", "inadequate")
_REGIONS = ("London", "South East", "North West")
_DOMAINS = ("overall_effectiveness", "help_and_protection", "children_in_care", "leadership")


def many(count: int) -> list[Report]:
    """That many reports, three an authority, none outstanding, the last one nasty and without a judgement."""
    rng = Random(6)
    reports = []
    for number in range(count - 1):
        bad = number % 3
        paragraphs = [
            Written(
                f"Made up paragraph {place} of report {number} says <em>nothing</em> about children & families at all.",
                {
                    code: (rng.choice("+-0" if bad else "++-"), round(rng.uniform(0.5, 1), 3))
                    for code, share in (("camhs", 0.1 + 0.15 * bad), ("early_help", 0.3), ("legal", 0.12))
                    if rng.random() < share
                },
                section=("summary", "help_and_protection", "leadership")[place % 3],
                page=2 + place // 5,
            )
            for place in range(20)
        ]
        reports.append(
            Report(
                f"{number:016x}",
                authority=f"Authority {number // 3}",
                urn=str(80_000 + number // 3),
                judgements={domain: _GRADES[(bad + shift) % 3] for shift, domain in enumerate(_DOMAINS)},
                paragraphs=paragraphs,
                published=date(2014 + number % 6, 3, 1),
                region=_REGIONS[number // 3 % 3],
                framework="SIF" if number % 6 < 4 else "ILACS",
                url=f"https://example.org/reports/{number}.pdf",
            )
        )
    nasty = Written(NASTY_TEXT, {"camhs": ("-", 0.99), "legal": ("+", 0.97)})
    reports.append(Report("f" * 16, authority=NASTY_NAME, paragraphs=[nasty], published=None, region=None))
    return reports
