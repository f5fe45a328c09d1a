"""Which part of a report a heading opens, one vocabulary across the frameworks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.domain import Framework, Section
from pipeline.extract.text import closes

_S = Section

# Heading patterns, most particular first. ``None`` keeps the section that is open.
_HEADINGS: tuple[tuple[re.Pattern[str], Section | None], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), section)
    for pattern, section in (
        (r"contents\b", _S.COVER),
        (r"what (?:the )?inspection judge?ments? means?|the inspection judge?ments? and what they", _S.BOILERPLATE),
        (r"the inspection team|inspection team\b", _S.BOILERPLATE),
        (r"summary for children and young people", _S.SUMMARY),
        (r"(?:information )?about (?:this|the) inspection", _S.ABOUT),
        (r"information about (?:this|the) (?:local authority|area)|children living in this area|service information", _S.ABOUT),
        (r"(?:other |previous )?ofsted inspections|other information about this area|local leadership", _S.ABOUT),
        (r"child(?:ren)? (?:protection|looked after) in this area|the casework model used", _S.ABOUT),
        (r"record of main findings", _S.SUMMARY),
        (r"what (?:does|do|needs?|need) .*improve|recommendations?\b|areas? for (?:improvement|development)", _S.RECOMMENDATIONS),
        (r"(?:areas for )?priority (?:and|for) immediate action|priority actions?|for immediate action", _S.RECOMMENDATIONS),
        (r"(?:immediately|within (?:three|six|\d+) months):?$", _S.RECOMMENDATIONS),
        (r".*graded judge?ment.*adoption|(?:2\.1\.? )?adoption performance", _S.ADOPTION),
        (r".*graded judge?ment.*care leavers|(?:2\.2\.? )?(?:the )?experiences? and progress of care leavers|care leavers\b", _S.CARE_LEAVERS),
        (r".*(?:who need|in need of) help", _S.HELP_AND_PROTECTION),
        (r".*children in care|.*looked after and achieving|.*looked after children and (?:young|achieving)|outcomes for looked after", _S.CHILDREN_IN_CARE),
        (r".*impact of (?:the )?leaders|leadership,? (?:and )?management|leadership and management", _S.LEADERSHIP),
        (r"quality of provision", _S.CHILDREN_IN_CARE),
        (r"capacity to improve", _S.SUMMARY),
        (r"overall effectiveness of services", _S.SUMMARY),
        (r"executive summary|summary of (?:key )?findings|key findings|progress since the last", _S.SUMMARY),
        (r"(?:the )?local authority.{0,3} ?(?:has the following )?strengths|(?:the )?local authority has the following", _S.SUMMARY),
        (r"(?:this|the) local authority (?:requires|is|has)\b.*because|children.{0,3}s? services in .*because", _S.SUMMARY),
    )
)
_LSCB_HEADING = re.compile(
    r"(?:section \d:? )?(?:the )?(?:effectiveness of )?(?:the )?(?:local )?safeguarding children.{0,3} board|(?:the )?lscb\b(?! is likely)"
    r"|section 2\b|inspection judge?ments? about the lscb|inspection findings . the local safeguarding|key strengths and weaknesses of the lscb"
    r"|(?:the )?effectiveness of the (?:lscb|local safeguarding)|what does the lscb",
    re.IGNORECASE,
)
_AUTHORITY_PART = re.compile(
    r"(?:section 1:? )?(?:the )?local authority(?:\s*[-\u2013:]|$)|section 1\b|.*about (?:the|this) local authority", re.IGNORECASE
)
_RECOMMENDS = re.compile(
    r"(?:what|where) (?:does|do|needs?|need)\b.*improve|recommendations?\b|areas? for (?:improvement|development)|priority (?:and|for) immediate"
    r"|priority actions?|areas for priority action|(?:immediately|within (?:three|six|\d+) months):?$",
    re.IGNORECASE,
)
_KEPT = frozenset({_S.ABOUT, _S.BOILERPLATE, _S.COVER})


@dataclass(slots=True)
class SectionReader:
    """Follows the headings of one report.

    Attributes
    ----------
    section : Section
        The part that is open.
    recommending : bool
        Whether points here say what is to improve. In the LSCB's part they stand in section LSCB, whose judgement is theirs.
    """

    framework: Framework
    section: Section = Section.COVER
    in_lscb: bool = False
    recommending: bool = False
    _closed_size: float = 0.0  # of the heading over grade descriptors: smaller ones are theirs

    def heading(self, text: str, size: float) -> None:
        """Take note of a heading and its font size."""
        plain = text.strip()
        if self.section is _S.BOILERPLATE and size < self._closed_size - 0.9:
            return
        self.recommending = bool(_RECOMMENDS.match(plain))
        if self.framework in (Framework.SIF, Framework.LSCB_REVIEW) and not plain.lower().startswith("what the"):
            if _AUTHORITY_PART.match(plain):
                self.in_lscb = False
            elif _LSCB_HEADING.match(plain):
                self.in_lscb = True
                self.section = _S.LSCB
                return
        section = next((section for pattern, section in _HEADINGS if pattern.match(plain)), None)
        if section is None:
            return
        if section is _S.BOILERPLATE:
            self._closed_size = size if "judg" in plain.lower() else 0.0
        self.section = _S.LSCB if self.in_lscb and section not in _KEPT else section

    def text(self, text: str) -> None:
        """Take note of a paragraph: closing boilerplate opens itself without a heading."""
        if closes(text):
            self.section = _S.BOILERPLATE
            self.recommending = False
            self._closed_size = 0.0
