"""Makes the sample corpus again, byte for byte: reports about authorities that do not exist, and the truth about them.

python corpus/sample/make_sample.py [--output FOLDER]
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from sample_frames import GRADES, ReportWriter, Specification, Truth, compose, facts_of
from sample_layout import register_fonts

from pipeline.domain import Domain, InspectionType

HERE = Path(__file__).resolve().parent

NOT_FOUND_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Report not found - Find an Inspection Report - Ofsted</title>
</head>
<body>
<main>
<h1>Report not found</h1>
<p>There is nothing at this address. This page is part of a sample and was written for it.</p>
</main>
</body>
</html>
"""
NOT_FOUND = "not a PDF: the publisher's 'Report not found' page"
CUT_SHORT = "truncated: the file ends before its end mark"

REPORTS = (
    "path", "framework", "inspection_type", "urn", "authority", "printed_authority", "published", "inspection_start",
    "inspection_end", "lead_inspector", "pages", "status", "reason",
)  # fmt: skip
JUDGEMENTS = ("path", "domain", "grade", "page")
PARAGRAPHS = ("path", "ordinal", "section", "kind", "number", "page", "text")
THEMES = ("path", "ordinal", "theme", "valence")


def read_specifications() -> list[Specification]:
    """The entries of ``reports.yaml``."""
    entries: list[dict[str, Any]] = yaml.safe_load((HERE / "reports.yaml").read_text(encoding="utf-8"))
    specifications = []
    for entry in entries:
        grades = {Domain(name): GRADES[grade] for name, grade in entry.pop("grades").items() if grade != "-"}
        kind = InspectionType(entry.pop("type", InspectionType.INSPECTION))
        if entry["frame"] == "sif_reinspection":
            kind = InspectionType.REINSPECTION
        if entry["frame"] == "not_found":
            kind = InspectionType.UNKNOWN
        team = tuple(entry.pop("team", ()))
        specifications.append(Specification(**entry, grades=grades, type=kind, team=team))
    return specifications


def write_report(
    specification: Specification, places: dict[str, dict[str, str]], path: Path, used: set[str]
) -> Truth | None:
    """Write one file; ``None`` where it cannot be read as a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if specification.frame == "not_found":
        path.write_text(NOT_FOUND_PAGE, encoding="utf-8", newline="\n")
        return None
    content = compose(specification, places, used)
    facts = facts_of(specification, places)
    pages: dict[str, int] = {}
    for _ in range(2):  # the second time with the page numbers of the contents
        writer = ReportWriter(specification, content, facts, path, pages)
        truth = writer.draw()
        pages = writer.found_pages
    if share := specification.options.get("cut_at"):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * share)])
        return None
    return truth


def write_table(path: Path, columns: tuple[str, ...], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV with a header, Unix line ends and nothing for ``None``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def make_sample(output: Path) -> None:
    """Write ``reports/`` and ``expected/`` below ``output``."""
    register_fonts()
    places = yaml.safe_load((HERE / "places.yaml").read_text(encoding="utf-8"))
    used: set[str] = set()
    reports: list[list[object]] = []
    judgements: list[list[object]] = []
    paragraphs: list[list[object]] = []
    themes: list[list[object]] = []
    for item in read_specifications():
        truth = write_report(item, places, output / "reports" / item.name, used)
        about: list[object] = [
            item.name,
            item.framework,
            item.type,
            item.urn,
            item.authority,
            item.printed,
            item.published,
        ]
        if truth is None:
            reason = NOT_FOUND if item.frame == "not_found" else CUT_SHORT
            reports.append([*about, None, None, None, None, "set aside", reason])
            continue
        reports.append([*about, item.start, item.end, item.lead, truth.pages, "extracted", None])
        judgements += [[item.name, domain, grade, page] for domain, grade, page in truth.judgements]
        for ordinal, (paragraph, coded) in enumerate(zip(truth.paragraphs, truth.themes, strict=True), start=1):
            section, kind, number, page, text = paragraph
            paragraphs.append([item.name, ordinal, section, kind, number, page, text])
            themes += [[item.name, ordinal, theme, valence] for theme, valence in coded.items()]
    write_table(output / "expected" / "reports.csv", REPORTS, reports)
    write_table(output / "expected" / "judgements.csv", JUDGEMENTS, judgements)
    write_table(output / "expected" / "paragraphs.csv", PARAGRAPHS, paragraphs)
    write_table(output / "expected" / "themes.csv", THEMES, themes)


def main() -> None:
    """Read the arguments and make the sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, default=HERE, help="folder for reports/ and expected/")
    make_sample(parser.parse_args().output)


if __name__ == "__main__":
    main()
