"""The paper's judgements from the reports themselves, cell by cell beside what it printed.

"Ofsted Inspection Mapping: Single Inspection Framework", report to Kent County Council's Children's Social Care and
Health Cabinet Committee, 3 December 2014: its Annex 1 and its section 5.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from pipeline.domain import Domain, Framework, Grade
from pipeline.errors import PipelineError
from pipeline.tables.columns import ANNEX, SECTION_FIVE, Field, frame_of
from pipeline.tables.corpus import Corpus

FIRST_DAY, LAST_DAY = date(2013, 11, 1), date(2014, 10, 28)
"""Between these days the reports that the paper read were published."""

BELOW_GOOD = (Grade.REQUIRES_IMPROVEMENT, Grade.INADEQUATE)

_SUB_JUDGEMENTS = {
    "Child Protection": Domain.HELP_AND_PROTECTION,
    "Children in Care": Domain.CHILDREN_IN_CARE,
    "Adoption": Domain.ADOPTION,
    "Care Leavers": Domain.CARE_LEAVERS,
    "Leadership & Management": Domain.LEADERSHIP,
}
_T = TypeVar("_T")
_PARTS_OF_CARE = (Domain.ADOPTION, Domain.CARE_LEAVERS)
_SUBJECTS = {
    "local authorities": Domain.OVERALL,
    "local safeguarding children boards": Domain.LSCB,
}


@dataclass(frozen=True)
class Entry:
    """An authority in Annex 1; ``exceptions`` are the sub-judgements printed as differing from the overall one."""

    authority: str
    overall: Grade
    exceptions: dict[Domain, Grade]
    lscb: Grade

    def printed(self, domain: Domain) -> Grade:
        """What the annex says of a judgement: its own column, the exception, or the overall judgement."""
        if domain is Domain.LSCB:
            return self.lscb
        return self.exceptions.get(domain, self.overall)


@dataclass(frozen=True)
class Figure:
    """A figure of section 5: a number of authorities or, ``per_cent``, a share of ``of`` of them."""

    subject: str
    name: str
    printed: int
    per_cent: bool
    of: int


@dataclass(frozen=True)
class Paper:
    """What the paper printed."""

    annex: tuple[Entry, ...]
    figures: tuple[Figure, ...]


def read_paper(folder: Path) -> Paper:
    """Read ``annex1.csv`` and ``section5.csv``.

    Raises
    ------
    PipelineError
        A file is missing or a cell is not a judgement; the message names the file and the row.
    """
    annex = tuple(_each(folder / "annex1.csv", _entry))
    return Paper(annex, tuple(_each(folder / "section5.csv", _figure)))


def _each(path: Path, made: Callable[[dict[str, str]], _T]) -> list[_T]:
    records = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    records.append(made(row))
                except (KeyError, ValueError) as error:
                    raise PipelineError(f"{path}, line {number}: {error} is not understood.") from error
    except OSError as error:
        raise PipelineError(f"{path} cannot be read ({error.strerror}); it comes with the program.") from error
    return records


def _entry(row: dict[str, str]) -> Entry:
    exceptions = {}
    for part in filter(None, (part.strip() for part in row["exceptions"].split(";"))):
        names, _, grade = part.partition(":")
        for name in names.split(","):
            exceptions[_SUB_JUDGEMENTS[name.strip()]] = Grade(grade.strip().lower())
    return Entry(row["authority"], Grade(row["overall"].lower()), exceptions, Grade(row["lscb"].lower()))


def _figure(row: dict[str, str]) -> Figure:
    number, _, sign = row["printed"].partition(" ")
    return Figure(row["subject"], row["figure"], int(number), sign == "%", int(row["of"]))


def annex(corpus: Corpus, paper: Paper, urn_of: Callable[[str], str | None]) -> pd.DataFrame:
    """Annex 1, cell by cell: what it printed and what the authority's report of the time judges.

    Parameters
    ----------
    urn_of : callable
        From an authority's printed name to its URN; None where it has none.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.ANNEX`, seven rows an authority: overall, five sub-judgements, the board.
    """
    reports = _reports_of_the_time(corpus)
    own = corpus.judgements
    judged: dict[tuple[int | None, str], tuple[Grade, int | None]] = {
        (int(report), str(domain)): (Grade(grade), None if np.isnan(page) else int(page))
        for report, domain, grade, page in zip(
            own["report"].to_numpy(), own["domain"], own["grade"], own["page"].to_numpy(dtype=float), strict=True
        )
    }
    rows: list[dict[str, object]] = []
    for entry in paper.annex:
        report = reports.get(urn_of(entry.authority) or "")
        for domain in (Domain.OVERALL, *_SUB_JUDGEMENTS.values(), Domain.LSCB):
            grade, page = judged.get((report, domain.value), (None, None))
            agreement, explanation = _compared(entry, domain, report is not None, grade, page)
            rows.append(
                {
                    "authority": entry.authority,
                    "judgement": domain.value,
                    "printed": entry.printed(domain).value,
                    "exception": domain in entry.exceptions,
                    "report": "" if grade is None else grade.value,
                    "agreement": agreement,
                    "explanation": explanation,
                    "report_id": "" if report is None else str(corpus.reports["report_id"].iloc[report]),
                    "page": 0 if page is None else page,
                }
            )
    return _framed(ANNEX, rows)


def _reports_of_the_time(corpus: Corpus) -> dict[str, int]:
    """The report that the paper could have read, by URN: the newest of its days with an overall judgement."""
    frame = corpus.reports
    judged = frame.index.isin(corpus.judgements.loc[corpus.judgements["domain"] == Domain.OVERALL.value, "report"])
    days = frame["published"]
    inside = (days >= pd.Timestamp(FIRST_DAY)) & (days <= pd.Timestamp(LAST_DAY))
    chosen = frame[inside & judged & (frame["framework"] == Framework.SIF.value) & frame["urn"].notna()]
    chosen = chosen.sort_values("published")
    return dict(zip(chosen["urn"].astype(str), chosen.index.to_numpy().tolist(), strict=True))


def _compared(entry: Entry, domain: Domain, has_report: bool, grade: Grade | None, page: int | None) -> tuple[str, str]:
    printed = entry.printed(domain)
    if not has_report:
        return "no report", f"The store has no report of {entry.authority} from the paper's time."
    if grade is None:
        return "no judgement", "The report gives no such judgement, or none was found in it."
    if grade is printed:
        return "yes", ""
    where = f" on page {page}" if page else ""
    care = entry.exceptions.get(Domain.CHILDREN_IN_CARE)
    if domain in _PARTS_OF_CARE and domain not in entry.exceptions and care is grade:
        covered = "the annex's exception for children in care covers this too"
        return "no", f"The report says {grade.value}{where}; {covered}."
    if domain in entry.exceptions:
        return "no", f"The report says {grade.value}{where}; the annex prints the exception {printed.value}."
    return "no", f"The report says {grade.value}{where}; the annex lists no exception from {printed.value}."


def section_five(corpus: Corpus, paper: Paper, urn_of: Callable[[str], str | None]) -> pd.DataFrame:
    """Section 5's figures beside the annex's own rows and the reports' judgements.

    Returns
    -------
    DataFrame
        Columns :data:`pipeline.tables.columns.SECTION_FIVE`.
    """
    cells = annex(corpus, paper, urn_of)
    rows: list[dict[str, object]] = []
    for figure in paper.figures:
        domain = _SUBJECTS.get(figure.subject)
        own = cells[cells["judgement"] == (domain or Domain.OVERALL).value]
        read = own[own["report"] != ""]
        if domain is None:
            counted, base = len(own), figure.of
            by_reports, reports = 0, 0
        else:
            wanted = [grade.value for grade in BELOW_GOOD] if figure.name == "below good" else [figure.name]
            counted, base = int(own["printed"].isin(wanted).sum()), len(own)
            by_reports, reports = int(read["report"].isin(wanted).sum()), len(read)
        rows.append(
            {
                "subject": figure.subject,
                "figure": figure.name,
                "printed": f"{figure.printed} %" if figure.per_cent else str(figure.printed),
                "annex": counted,
                "of_annex": base,
                "annex_percent": 100 * counted / base if base else float("nan"),
                "reports": by_reports,
                "of_reports": reports,
                "agreement": "yes" if _agrees(figure, counted, base) else "no",
                "explanation": _explained(figure, paper, counted, base),
            }
        )
    return _framed(SECTION_FIVE, rows)


def _agrees(figure: Figure, counted: int, base: int) -> bool:
    return figure.printed == (round(100 * counted / base) if figure.per_cent and base else counted)


def _explained(figure: Figure, paper: Paper, counted: int, base: int) -> str:
    """Why the printed figure is not the annex's, as far as arithmetic tells."""
    if _agrees(figure, counted, base):
        return ""
    if not figure.per_cent:
        return f"The paper's own Annex 1 lists {counted} of {base}."
    said = f"Annex 1 has {counted} of {base}, which is {100 * counted / base:.1f} %"
    counts = [other for other in paper.figures if other.subject == figure.subject and not other.per_cent]
    parts = {other.name: other.printed for other in counts}
    below, whole = sum(parts.get(grade.value, 0) for grade in BELOW_GOOD), sum(parts.values())
    if whole and (below, whole) != (counted, base):
        share = 100 * below / whole
        how = "" if round(share) == figure.printed else ", cut off" if int(share) == figure.printed else None
        said += f"; the printed numbers, {below} of {whole}, give {share:.1f} %"
        if how is not None:
            return f"{said}{how}: that is what was printed."
    if not any(round(100 * count / base) == figure.printed for count in range(base + 1)):
        return f"{said}; no number of {base} authorities makes {figure.printed} %."
    return f"{said}."


def _framed(fields: tuple[Field, ...], rows: list[dict[str, object]]) -> pd.DataFrame:
    return frame_of(fields, {field.name: [row[field.name] for row in rows] for field in fields})
