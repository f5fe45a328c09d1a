"""Stores made up for the tests: a few reports written out by hand, or many drawn at random with known probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from pipeline import schema
from pipeline.domain import Band, Grade, fingerprint
from pipeline.tables.columns import ThemeInfo

BAND_OF = {
    Grade.OUTSTANDING: Band.OUTSTANDING,
    Grade.GOOD: Band.GOOD,
    Grade.ADEQUATE: Band.REQUIRES_IMPROVEMENT,
    Grade.REQUIRES_IMPROVEMENT: Band.REQUIRES_IMPROVEMENT,
    Grade.INADEQUATE: Band.INADEQUATE,
}

THEMES = tuple(ThemeInfo(f"theme_{number:02d}", f"Theme {number}") for number in range(32))


@dataclass(frozen=True)
class Written:
    """A paragraph of a made-up report."""

    themes: dict[str, str] = field(default_factory=dict)  # code to valence
    section: str = "summary"
    words: int = 10
    substantive: bool = True
    text: str | None = None


@dataclass(frozen=True)
class Report:
    """A made-up report."""

    report_id: str
    judgements: dict[str, str] = field(default_factory=dict)  # domain to grade
    paragraphs: Sequence[Written] = ()
    urn: str | None = None
    authority: str | None = None
    region: str | None = "London"
    framework: str | None = "SIF"
    published: date | None = date(2015, 6, 1)
    status: str = schema.Status.EXTRACTED


def write(connection: Connection, reports: Iterable[Report]) -> None:
    """Write made-up reports into an empty store."""
    schema.metadata.create_all(connection)
    for report in reports:
        connection.execute(insert(schema.reports), _report_row(report))
        rows = list(_paragraph_rows(report))
        if report.judgements:
            connection.execute(
                insert(schema.judgements),
                [
                    {"report_id": report.report_id, "domain": domain, "grade": grade, "page": 1, "basis": "table"}
                    for domain, grade in report.judgements.items()
                ],
            )
        if rows:
            connection.execute(insert(schema.paragraphs), rows)
        tags = [
            {
                "paragraph_id": row["paragraph_id"],
                "theme": code,
                "probability": 0.9,
                "valence": valence,
                "model_id": "made up",
            }
            for row, paragraph in zip(rows, report.paragraphs, strict=True)
            for code, valence in paragraph.themes.items()
        ]
        if tags:
            connection.execute(insert(schema.tags), tags)


def _report_row(report: Report) -> dict[str, Any]:
    return {
        "report_id": report.report_id,
        "source": "made up",
        "source_path": f"made-up/{report.report_id}.pdf",
        "file": f"{report.report_id}.pdf",
        "sha256": report.report_id.rjust(64, "0"),
        "bytes": 1,
        "mtime_ns": 1,
        "url": f"https://example.org/{report.report_id}",
        "status": report.status,
        "first_run": 1,
        "urn": report.urn,
        "authority": report.authority,
        "region": report.region,
        "framework": report.framework,
        "inspection_type": "inspection",
        "published": report.published,
        "pages": 20,
    }


def _paragraph_rows(report: Report) -> Iterator[dict[str, Any]]:
    for ordinal, paragraph in enumerate(report.paragraphs, start=1):
        text = paragraph.text or f"made up {report.report_id} {ordinal}"
        yield {
            "paragraph_id": f"{report.report_id}-{ordinal:04d}",
            "report_id": report.report_id,
            "ordinal": ordinal,
            "page": 1 + ordinal // 10,
            "page_end": 1 + ordinal // 10,
            "x0": 72.0,
            "top": 100.0,
            "section": paragraph.section,
            "kind": "numbered",
            "number": str(ordinal),
            "heading": None,
            "text": text,
            "words": paragraph.words,
            "substantive": paragraph.substantive,
            "fingerprint": fingerprint(text),
        }


_SECTIONS = ("summary", "help_and_protection", "children_in_care", "leadership", "lscb")
_DOMAINS = ("overall_effectiveness", "help_and_protection", "children_in_care", "leadership", "lscb")
_GRADES = ("outstanding", "good", "requires improvement", "inadequate", "not judged")
_REGIONS = ("London", "South East", "North West", "East Midlands")


def write_random(connection: Connection, reports: int, mean_paragraphs: float = 120.0, seed: int = 1) -> None:
    """Write many reports at once: paragraphs of a report are alike, a theme's share falls or rises with the grade."""
    schema.metadata.create_all(connection)
    rng = np.random.default_rng(seed)
    base = rng.beta(1.2, 14, size=len(THEMES))
    slope = rng.normal(0, 0.3, size=len(THEMES))
    for start in range(0, reports, 200):
        numbers = range(start, min(start + 200, reports))
        _write_block(connection, [_drawn(number, rng, base, slope, mean_paragraphs) for number in numbers])


def _drawn(number: int, rng: np.random.Generator, base: np.ndarray, slope: np.ndarray, mean: float) -> dict[str, Any]:
    report_id = f"{number:016x}"
    grades = dict(zip(_DOMAINS, rng.choice(_GRADES, size=len(_DOMAINS), p=(0.1, 0.35, 0.3, 0.15, 0.1)), strict=True))
    bad = _GRADES.index(grades["overall_effectiveness"]) % 4
    size = 1 + int(rng.gamma(2.0, mean / 2))
    share = np.clip(base * np.exp(slope * bad + rng.normal(0, 0.5, size=len(base))), 0, 0.9)
    return {
        "report": _report_row(
            Report(
                report_id,
                urn=str(80_000 + number // 3),
                authority=f"Authority {number // 3}",
                region=_REGIONS[number // 3 % 4],
                framework="SIF" if number % 2 else "ILACS",
                published=date(2013 + int(rng.integers(0, 13)), 1 + int(rng.integers(0, 12)), 1),
            )
        ),
        "grades": grades,
        "sections": rng.choice(_SECTIONS, size=size),
        "words": rng.integers(8, 140, size=size),
        "carried": rng.random((size, len(base))) < share,
        "valence": rng.choice(("+", "-", "0"), size=(size, len(base)), p=(0.6 - 0.15 * bad, 0.3 + 0.15 * bad, 0.1)),
    }


def _write_block(connection: Connection, drawn: list[dict[str, Any]]) -> None:
    connection.execute(insert(schema.reports), [report["report"] for report in drawn])
    judged, paragraphs, tags = [], [], []
    for report in drawn:
        report_id = report["report"]["report_id"]
        for domain, grade in report["grades"].items():
            judged.append({"report_id": report_id, "domain": domain, "grade": str(grade), "page": 1, "basis": "table"})
        texts = [
            Written(section=str(section), words=int(words))
            for section, words in zip(report["sections"], report["words"], strict=True)
        ]
        rows = list(_paragraph_rows(Report(report_id, paragraphs=texts)))
        paragraphs.extend(rows)
        for row, theme in zip(*np.nonzero(report["carried"]), strict=True):
            tags.append(
                {
                    "paragraph_id": rows[row]["paragraph_id"],
                    "theme": THEMES[theme].code,
                    "probability": 0.8,
                    "valence": str(report["valence"][row, theme]),
                    "model_id": "made up",
                }
            )
    connection.execute(insert(schema.judgements), judged)
    connection.execute(insert(schema.paragraphs), paragraphs)
    connection.execute(insert(schema.tags), tags)
