"""Which part of a report a heading opens, one vocabulary across the frameworks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.domain import Framework, Section
from pipeline.extract.text import closes

_S = Section

# Heading patterns, most particular first: those of one line belong to the same part.
_HEADINGS: tuple[tuple[re.Pattern[str], Section], ...] = tuple(
    (re.compile("|".join(patterns), re.IGNORECASE), section)
    for section, *patterns in (
        (_S.COVER, r"contents\b"),
        (_S.BOILERPLATE, r"what (?:the )?inspection judge?ments? means?", r"the inspection judge?ments? and what they"),
        (_S.BOILERPLATE, r"(?:the )?inspection team\b"),
        (_S.SUMMARY, r"summary for children and young people", r"record of main findings"),
        (_S.ABOUT, r"(?:information )?about (?:this|the) inspection", r"service information", r"local leadership"),
        (_S.ABOUT, r"information about (?:this|the) (?:local authority|area)", r"children living in this area"),
        (_S.ABOUT, r"(?:other |previous )?ofsted inspections", r"other information about this area"),
        (_S.ABOUT, r"child(?:ren)? (?:protection|looked after) in this area", r"the casework model used"),
        (_S.RECOMMENDATIONS, r"(?:what|where) (?:does|do|needs?)\b.*improve", r"recommendations?\b"),
        (
            _S.RECOMMENDATIONS,
            r"areas? for (?:improvement|development)",
            r"(?:areas for )?priority (?:and|for) immediate",
        ),
        (_S.RECOMMENDATIONS, r"(?:areas for )?priority actions?", r"for immediate action"),
        (_S.RECOMMENDATIONS, r"(?:immediately|within (?:three|six|\d+) months):?$"),
        (_S.ADOPTION, r".*graded judge?ment.*adoption", r"(?:2\.1\.? )?adoption performance"),
        (_S.CARE_LEAVERS, r".*graded judge?ment.*care leavers", r"care leavers\b"),
        (_S.CARE_LEAVERS, r"(?:2\.2\.? )?(?:the )?experiences? and progress of care leavers"),
        (_S.HELP_AND_PROTECTION, r".*(?:who need|in need of) help"),
        (_S.CHILDREN_IN_CARE, r".*children in care", r".*looked after and achieving", r"outcomes for looked after"),
        (_S.CHILDREN_IN_CARE, r".*looked after children and (?:young|achieving)", r"quality of provision"),
        (_S.LEADERSHIP, r".*impact of (?:the )?leaders", r"leadership,? (?:and )?management"),
        (_S.SUMMARY, r"capacity to improve", r"overall effectiveness of services", r"executive summary"),
        (_S.SUMMARY, r"summary of (?:key )?findings", r"key findings", r"progress since the last"),
        (_S.SUMMARY, r"(?:the )?local authority(?:.{0,3} strengths| has the following)"),
        (_S.SUMMARY, r"(?:this|the) local authority (?:requires|is|has)\b.*because"),
        (_S.SUMMARY, r"children.{0,3}s? services in .*because"),
    )
)
_LSCB_HEADING = re.compile(
    r"(?:section \d:? )?(?:the )?(?:effectiveness of )?(?:the )?(?:local )?safeguarding children.{0,3} board"
    r"|(?:the )?lscb\b(?! is likely)|section 2\b|inspection judge?ments? about the lscb|what does the lscb"
    r"|inspection findings . the local safeguarding|key strengths and weaknesses of the lscb"
    r"|(?:the )?effectiveness of the (?:lscb|local safeguarding)",
    re.IGNORECASE,
)
_SECOND_PART = re.compile(r"section 2\b|(?:the )?effectiveness of the (?:lscb|local safeguarding)", re.IGNORECASE)
_WHOLE_TITLE = re.compile(
    r"(?:recommendations?|areas for improvement|priority and immediate action|executive summary):?$", re.IGNORECASE
)
_AUTHORITY_PART = re.compile(
    r"(?:section 1:? )?(?:the )?local authority(?:\s*[-\u2013:]|$)|section 1\b|.*about (?:the|this) local authority",
    re.IGNORECASE,
)
_RECOMMENDS = re.compile(
    "|".join(pattern.pattern for pattern, section in _HEADINGS if section is _S.RECOMMENDATIONS), re.IGNORECASE
)
_KEPT = frozenset({_S.ABOUT, _S.BOILERPLATE, _S.COVER})


def names_part(text: str) -> bool:
    """Whether ``text`` is a part's title and nothing else: it opens the part even where it is set as plain text."""
    return _WHOLE_TITLE.match(text) is not None


@dataclass(slots=True)
class SectionReader:
    """Follows the headings of one report.

    Attributes
    ----------
    section : Section
        The part that is open.
    recommending : bool
        Whether points here say what is to improve. In the LSCB's part they stand in section LSCB, whose judgement is
        theirs.
    """

    framework: Framework
    section: Section = Section.COVER
    in_lscb: bool = False
    recommending: bool = False
    _closed_size: float = 0.0  # of the heading over grade descriptors: smaller ones are theirs

    def heading(self, text: str, size: float) -> None:
        """Take note of a heading and its font size."""
        plain = text.strip()
        if self.section is _S.BOILERPLATE and size < self._closed_size - 0.9 and not _SECOND_PART.match(plain):
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
