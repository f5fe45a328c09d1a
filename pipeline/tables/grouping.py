"""Which band (or year, region, ...) each report and each paragraph is counted in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.domain import SECTION_DOMAIN, Band, Domain, Framework, Section
from pipeline.errors import UsageError
from pipeline.tables.corpus import SECTIONS, UNKNOWN, Corpus

BANDS = tuple(band.value for band in Band)
"""In the order of the tables: best first, then the reports without that judgement."""

SECTION_JUDGEMENT = "section_judgement"
"""Grouping by the judgement of the very section that a paragraph stands in."""

ATTRIBUTES = ("year", "region", "framework", "type", "authority")

DIMENSIONS = (*(domain.value for domain in Domain), SECTION_JUDGEMENT, *ATTRIBUTES)
"""What tables can be made by; any two of them, joined by a comma, are crossed."""

CROSSED = " / "

# Where a section has no judgement of its own, the wider one that covers it: in ILACS reports adoption, and until 2022
# care leavers, are judged as a part of the experiences of children in care.
_WIDER = {Domain.CARE_LEAVERS: Domain.CHILDREN_IN_CARE, Domain.ADOPTION: Domain.CHILDREN_IN_CARE}


@dataclass(frozen=True)
class Grouping:
    """Groups, their cells (a report within a group, the unit that is redrawn), and the cell of every paragraph.

    A report stands in one group, so cells are reports; only by ``section_judgement`` can it stand in several.

    Attributes
    ----------
    names : tuple of str
        The groups in the order of the tables.
    cell_group, cell_report : ndarray of int64, shape (cells,)
        Positions in ``names`` and in ``corpus.reports``; sorted by group.
    paragraph_cell : ndarray of int64, shape (paragraphs,)
        The cell of each paragraph; -1 for those left out.
    """

    by: str
    names: tuple[str, ...]
    cell_group: np.ndarray
    cell_report: np.ndarray
    paragraph_cell: np.ndarray

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.cell_group)


def grouping(corpus: Corpus, by: str, latest: bool = False) -> Grouping:
    """Group the corpus.

    Parameters
    ----------
    by : str
        One of :data:`DIMENSIONS`, or two of them joined by a comma. By a judgement alone all five bands are groups, an
        empty one too; otherwise the groups that occur.
    latest : bool
        Only the newest report of each authority.

    Raises
    ------
    UsageError
        ``by`` is not one or two of the dimensions.
    """
    parts = dimensions(by)
    coded = [_coded(corpus, part) for part in parts]
    per_paragraph = SECTION_JUDGEMENT in parts
    report_of = corpus.paragraphs["report"].to_numpy(dtype=np.int64)
    if per_paragraph:
        # Bring report-level codes down to the paragraphs.
        unit_codes = [
            codes if part == SECTION_JUDGEMENT else codes[report_of]
            for part, (_, codes) in zip(parts, coded, strict=True)
        ]
    else:
        unit_codes = [codes for _, codes in coded]
    names, group = _crossed([labels for labels, _ in coded], unit_codes)
    kept = corpus.reports["latest"].to_numpy() if latest else np.ones(len(corpus.reports), dtype=bool)
    return _cells(",".join(parts), names, group, report_of, kept, per_paragraph)


def dimensions(by: str) -> tuple[str, ...]:
    """The one or two dimensions that ``by`` names.

    Raises
    ------
    UsageError
        It names another, three, or the same twice.
    """
    parts = tuple(part.strip() for part in by.split(","))
    for part in parts:
        if part not in DIMENSIONS:
            raise UsageError(f"Tables cannot be made by {part!r}: choose one or two of {', '.join(DIMENSIONS)}.")
    if len(parts) > 2 or len(set(parts)) < len(parts):
        raise UsageError(f"Tables can be made by one dimension or by two different ones, not by {by!r}.")
    return parts


def _coded(corpus: Corpus, dimension: str) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels of a dimension in order, and each unit's position among them (units: reports, or paragraphs)."""
    if dimension == SECTION_JUDGEMENT:
        return BANDS, section_bands(corpus)
    if dimension in {domain.value for domain in Domain}:
        return BANDS, band_codes(corpus, Domain(dimension))
    values = corpus.reports[dimension].to_numpy(dtype=object)
    first = [framework.value for framework in Framework] if dimension == "framework" else []
    present = set(values)
    rest = sorted(present - set(first) - {UNKNOWN})
    labels = (*(label for label in first if label in present and label != UNKNOWN), *rest)
    if UNKNOWN in present:
        labels = (*labels, UNKNOWN)
    return labels, pd.Categorical(values, categories=list(labels)).codes.astype(np.int64)


def band_codes(corpus: Corpus, domain: Domain) -> np.ndarray:
    """Each report's position in :data:`BANDS` by one judgement: ndarray of int64, shape (reports,)."""
    return pd.Categorical(corpus.bands(domain), categories=list(BANDS)).codes.astype(np.int64)


def section_bands(corpus: Corpus) -> np.ndarray:
    """Each paragraph's position in :data:`BANDS` by the judgement of its own section: int64, shape (paragraphs,)."""
    not_judged = BANDS.index(Band.NOT_JUDGED.value)
    by_section = np.full((len(SECTIONS), len(corpus.reports)), not_judged, dtype=np.int64)
    for section, domain in SECTION_DOMAIN.items():
        codes = band_codes(corpus, domain)
        if domain in _WIDER:
            codes = np.where(codes == not_judged, band_codes(corpus, _WIDER[domain]), codes)
        by_section[SECTIONS.index(Section(section).value)] = codes
    return np.asarray(by_section[corpus.paragraphs["section"].to_numpy(), corpus.paragraphs["report"].to_numpy()])


def _crossed(labels: list[tuple[str, ...]], codes: list[np.ndarray]) -> tuple[tuple[str, ...], np.ndarray]:
    if len(labels) == 1:
        return labels[0], codes[0]
    joint = codes[0] * len(labels[1]) + codes[1]
    present, group = np.unique(joint, return_inverse=True)
    names = tuple(
        f"{labels[0][code // len(labels[1])]}{CROSSED}{labels[1][code % len(labels[1])]}" for code in present.tolist()
    )
    return names, group.astype(np.int64)


def _cells(
    by: str, names: tuple[str, ...], group: np.ndarray, report_of: np.ndarray, kept: np.ndarray, per_paragraph: bool
) -> Grouping:
    reports = len(kept)
    if not per_paragraph:
        # Every report is a cell of its own, one without a substantive paragraph too: bases add up to all reports.
        chosen = np.flatnonzero(kept)
        order = chosen[np.argsort(group[chosen], kind="stable")]
        cell_of_report = np.full(reports, -1, dtype=np.int64)
        cell_of_report[order] = np.arange(len(order))
        return Grouping(by, names, group[order], order.astype(np.int64), cell_of_report[report_of])
    keys = group * reports + report_of
    inside = kept[report_of]
    present = np.flatnonzero(np.bincount(keys[inside], minlength=len(names) * reports))
    cell_of_key = np.full(len(names) * reports, -1, dtype=np.int64)
    cell_of_key[present] = np.arange(len(present))
    return Grouping(by, names, present // reports, present % reports, np.where(inside, cell_of_key[keys], -1))
