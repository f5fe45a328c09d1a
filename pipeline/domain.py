"""The field's own vocabulary: frameworks, judgements, bands, sections, paragraphs, and the records the stages pass on.

These records hold what a report says. How it is stored is declared in :mod:`pipeline.schema`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Framework(StrEnum):
    """The inspection framework that a report was written under."""

    LAC = "LAC"  # 2013: inspection of services for looked after children
    SIF = "SIF"  # Nov 2013 - 2018: single inspection framework
    LSCB_REVIEW = "LSCB review"  # a review of the Local Safeguarding Children Board alone
    ILACS = "ILACS"  # 2018 - : inspection of local authority children's services
    JTAI = "JTAI"  # joint targeted area inspection
    UNKNOWN = "unknown"


class InspectionType(StrEnum):
    """What kind of visit the report is about."""

    INSPECTION = "inspection"
    SHORT_INSPECTION = "short inspection"
    REINSPECTION = "re-inspection"
    LSCB_REVIEW = "LSCB review"
    FOCUSED_VISIT = "focused visit"
    MONITORING_VISIT = "monitoring visit"
    JTAI = "joint targeted area inspection"
    UNKNOWN = "unknown"


class Domain(StrEnum):
    """What a judgement is about.

    In ILACS reports until 2022 ``CHILDREN_IN_CARE`` is the joint judgement on children in care and care leavers.
    """

    OVERALL = "overall_effectiveness"
    HELP_AND_PROTECTION = "help_and_protection"
    CHILDREN_IN_CARE = "children_in_care"
    ADOPTION = "adoption"
    CARE_LEAVERS = "care_leavers"
    LEADERSHIP = "leadership"
    LSCB = "lscb"


class Grade(StrEnum):
    """A grade as the report gives it. ``ADEQUATE`` is the 2013 framework's own."""

    OUTSTANDING = "outstanding"
    GOOD = "good"
    ADEQUATE = "adequate"
    REQUIRES_IMPROVEMENT = "requires improvement"
    INADEQUATE = "inadequate"
    NOT_JUDGED = "not judged"


class Band(StrEnum):
    """A rating band of the tables, best first."""

    OUTSTANDING = "outstanding"
    GOOD = "good"
    REQUIRES_IMPROVEMENT = "requires improvement"
    INADEQUATE = "inadequate"
    NOT_JUDGED = "not judged"


class Basis(StrEnum):
    """How the report gives a judgement."""

    TABLE = "table"
    SENTENCE = "sentence"
    ABSENT = "absent"  # the report gives none where its framework used to (overall effectiveness from 2026)


class Section(StrEnum):
    """The part of a report that a paragraph stands in, one vocabulary across the frameworks."""

    COVER = "cover"
    SUMMARY = "summary"
    RECOMMENDATIONS = "recommendations"
    HELP_AND_PROTECTION = "help_and_protection"
    CHILDREN_IN_CARE = "children_in_care"
    ADOPTION = "adoption"
    CARE_LEAVERS = "care_leavers"
    LEADERSHIP = "leadership"
    LSCB = "lscb"
    ABOUT = "about"  # about the inspection, about the area: facts
    BOILERPLATE = "boilerplate"  # grade descriptors, complaints, team lists, addresses


SECTION_DOMAIN: dict[Section, Domain] = {
    Section.SUMMARY: Domain.OVERALL,
    Section.RECOMMENDATIONS: Domain.OVERALL,
    Section.HELP_AND_PROTECTION: Domain.HELP_AND_PROTECTION,
    Section.CHILDREN_IN_CARE: Domain.CHILDREN_IN_CARE,
    Section.ADOPTION: Domain.ADOPTION,
    Section.CARE_LEAVERS: Domain.CARE_LEAVERS,
    Section.LEADERSHIP: Domain.LEADERSHIP,
    Section.LSCB: Domain.LSCB,
}
"""The judgement that a section's own text explains."""

UNTAGGED_SECTIONS = frozenset({Section.COVER, Section.ABOUT, Section.BOILERPLATE})
"""Sections that are kept but never tagged."""


class ParagraphKind(StrEnum):
    """The typographic kind of a paragraph."""

    NUMBERED = "numbered"
    BULLET = "bullet"
    PARAGRAPH = "paragraph"
    RECOMMENDATION = "recommendation"
    HEADING = "heading"
    FOOTNOTE = "footnote"
    TABLE = "table"


TAGGED_KINDS = frozenset(
    {ParagraphKind.NUMBERED, ParagraphKind.BULLET, ParagraphKind.PARAGRAPH, ParagraphKind.RECOMMENDATION}
)

MINIMUM_SUBSTANTIVE_WORDS = 8
"""Shorter pieces ("This includes:") say nothing that a theme could be read from."""


class Valence(StrEnum):
    """How a paragraph puts a theme: a strength, a weakness, or mixed and factual."""

    STRENGTH = "+"
    WEAKNESS = "-"
    MIXED = "0"


VALENCES = tuple(valence.value for valence in Valence)
"""Their signs, in the order in which arrays and models number them."""


RANDOM_DRAWS = frozenset({"random", "random by era"})
"""Values of ``drawn`` under which labels say something about prevalence; others were picked, by a model or a word."""

_NON_WORD = re.compile(r"\W+")


def normalised(text: str) -> str:
    """Lower case, every run of non-word characters as one space: what a paragraph's fingerprint is taken of."""
    return _NON_WORD.sub(" ", text.lower()).strip()


def fingerprint(text: str) -> str:
    """First 12 hex digits of the SHA-1 of the normalised text: the key that labels hang on."""
    return hashlib.sha1(normalised(text).encode(), usedforsecurity=False).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Cover:
    """What a report's first pages say about the inspection. ``None`` where they do not say it.

    ``authority`` is the name as printed; :mod:`pipeline.authorities` finds the URN for it.
    """

    authority: str | None = None
    framework: Framework = Framework.UNKNOWN
    inspection_type: InspectionType = InspectionType.UNKNOWN
    published: date | None = None
    inspection_start: date | None = None
    inspection_end: date | None = None
    lead_inspector: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One cell of a report's judgement table, or one sentence that judges. Pages count from 1."""

    domain: Domain
    grade: Grade
    page: int | None
    basis: Basis = Basis.TABLE


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph, whole: lines, columns and page breaks joined, its number or bullet apart from its text.

    Attributes
    ----------
    ordinal : int
        Place in the report, from 1, headings and footnotes included.
    page, page_end : int
        First and last page, from 1, in the PDF's own order.
    heading : str or None
        The nearest heading above it.
    x0, top : float
        Left and upper edge of its first line on ``page``, in points from the page's upper left corner.
    """

    ordinal: int
    page: int
    page_end: int
    section: Section
    kind: ParagraphKind
    number: str | None
    text: str
    heading: str | None = None
    x0: float = 0.0
    top: float = 0.0

    @property
    def words(self) -> int:
        """Number of whitespace-separated words."""
        return len(self.text.split())

    @property
    def substantive(self) -> bool:
        """Whether it is tagged and counted: running text, about the services, long enough to say something."""
        return (
            self.kind in TAGGED_KINDS
            and self.section not in UNTAGGED_SECTIONS
            and self.words >= MINIMUM_SUBSTANTIVE_WORDS
        )


@dataclass(frozen=True, slots=True)
class Document:
    """A report as read: cover, judgements, paragraphs.

    ``warnings`` are sentences about what looked odd and was read all the same.
    """

    cover: Cover
    judgements: tuple[Judgement, ...]
    paragraphs: tuple[Paragraph, ...]
    pages: int
    warnings: tuple[str, ...] = field(default=())
