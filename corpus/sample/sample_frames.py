"""The layouts of the sample's reports, one for each form that real ones take, and the truth noted while drawing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sample_layout import (
    BLACK_SQUARE,
    BODY,
    DASH,
    DOT,
    HEADING,
    HEIGHT,
    LEFT,
    NO_BREAK_SPACE,
    PART,
    RIGHT,
    SMALL,
    SOFT_HYPHEN,
    SQUARE,
    SUBHEADING,
    SUBTITLE,
    TEXT,
    TITLE,
    Sheet,
    Style,
)
from sample_text import Composed, Composer, read_bank

from pipeline.domain import (
    MINIMUM_SUBSTANTIVE_WORDS,
    TAGGED_KINDS,
    UNTAGGED_SECTIONS,
    Domain,
    Framework,
    Grade,
    InspectionType,
    ParagraphKind,
    Section,
    Valence,
)

GRADES = {
    "o": Grade.OUTSTANDING,
    "g": Grade.GOOD,
    "r": Grade.REQUIRES_IMPROVEMENT,
    "i": Grade.INADEQUATE,
    "n": Grade.NOT_JUDGED,
}
BANKS = {
    Section.HELP_AND_PROTECTION: "help_and_protection",
    Section.CHILDREN_IN_CARE: "children_in_care",
    Section.ADOPTION: "adoption",
    Section.CARE_LEAVERS: "care_leavers",
    Section.LEADERSHIP: "leadership",
    Section.LSCB: "lscb",
}
SIF_COUNTS = {
    Section.HELP_AND_PROTECTION: 22,
    Section.CHILDREN_IN_CARE: 19,
    Section.ADOPTION: 5,
    Section.CARE_LEAVERS: 8,
    Section.LEADERSHIP: 15,
    Section.LSCB: 9,
}
ILACS_COUNTS = {
    Section.HELP_AND_PROTECTION: 13,
    Section.CHILDREN_IN_CARE: 11,
    Section.CARE_LEAVERS: 6,
    Section.LEADERSHIP: 11,
}
SHORT_COUNTS = {
    Section.HELP_AND_PROTECTION: 10,
    Section.CHILDREN_IN_CARE: 9,
    Section.CARE_LEAVERS: 4,
    Section.LEADERSHIP: 8,
}
BOARD = "Local Safeguarding Children Board"
EXPERIENCES = "The experiences and progress of"
HELP = "help and protection"
LOOKED_AFTER = "children looked after"
IMPACT = "The impact of leaders on social work practice with"
WITHIN_CARE = (Section.ADOPTION, Section.CARE_LEAVERS)
NOTED_TERMS = {
    "Public Law Outline": "The Public Law Outline sets out what must be done before and during care proceedings.",
    "CAMHS": "CAMHS: child and adolescent mental health services.",
    "virtual school": "A virtual school follows the education of all children in care, whichever school they attend.",
}


@dataclass(frozen=True)
class Specification:
    """One entry of ``reports.yaml``."""

    urn: int
    authority: str
    printed: str
    frame: str
    published: date
    grades: dict[Domain, Grade]
    options: dict[str, Any]
    start: date | None = None
    end: date | None = None
    inspection_date: str = ""
    lead: str = ""
    team: tuple[str, ...] = ()
    type: InspectionType = InspectionType.INSPECTION

    @property
    def framework(self) -> Framework:
        """SIF, ILACS, or unknown where the file is no report."""
        if self.frame.startswith("sif"):
            return Framework.SIF
        return Framework.ILACS if self.frame.startswith("ilacs") else Framework.UNKNOWN

    @property
    def name(self) -> str:
        """``<urn>_<authority>/<title> - <date>.pdf``, as the files of the real corpus are named."""
        day = f"{self.published:%d} {self.published:%B} {self.published.year}".lower()
        return f"{self.urn}_{self.authority.lower()}/children's services inspection - {day}.pdf"


@dataclass
class Truth:
    """What a perfect reading of the report would find."""

    judgements: list[tuple[Domain, Grade, int | None]] = field(default_factory=list)
    paragraphs: list[tuple[Section, ParagraphKind, str | None, int, str]] = field(default_factory=list)
    themes: list[dict[str, Valence]] = field(default_factory=list)
    pages: int = 0


@dataclass
class Content:
    """Everything that a report says, before it is laid out."""

    parts: dict[Section, list[Composed]]
    summary: list[Composed]
    part_summaries: dict[Section, list[Composed]]
    recommendations: list[Composed]
    board_recommendations: list[Composed]
    for_children: list[Composed]
    footnotes: dict[int, str]


def facts_of(specification: Specification, places: dict[str, dict[str, str]]) -> dict[str, str]:
    """What ``{name}`` stands for in the sentences of this report."""
    early = specification.framework is Framework.SIF
    return {
        **places[specification.authority],
        "la": specification.authority,
        "director": "Director of Children’s Services" if early else "director of children’s services",
        "in_care": "looked after" if early else "in care",
        "exploitation": "sexual exploitation" if early else "exploitation",
        "previous": f"the inspection of {specification.published.year - 3}",
    }


def _domain_of(section: Section, grades: dict[Domain, Grade]) -> Domain:
    """The judgement that a part explains; until 2022 care leavers are judged with children in care."""
    domain = Domain(section.value)
    return Domain.CHILDREN_IN_CARE if section is Section.CARE_LEAVERS and domain not in grades else domain


def compose(specification: Specification, places: dict[str, dict[str, str]], used: set[str]) -> Content:
    """Write the report's text from the bank, by its grades and a seed of its own."""
    composer = Composer(specification.name, facts_of(specification, places), used)
    sif = specification.framework is Framework.SIF
    counts = SIF_COUNTS if sif else SHORT_COUNTS if specification.options.get("short") else ILACS_COUNTS
    grades = specification.grades
    overall = grades.get(Domain.OVERALL, grades[Domain.LEADERSHIP])
    judged = {section: _domain_of(section, grades) for section in counts}
    sections = {section: grades[domain] for section, domain in judged.items() if domain in grades}
    openings = [composer.opening("overall", "leadership", overall, 2)]
    part_summaries: dict[Section, list[Composed]] = {}
    for section, grade in sections.items():
        openings.append(composer.opening(section.value, BANKS[section], grade, 2))
        if specification.frame in ("sif_2016", "sif_reinspection") and section not in WITHIN_CARE:
            drafts = [composer.opening(section.value, BANKS[section], grade, 3) for _ in range(2)]
            part_summaries[section] = [draft for draft in drafts if draft]
    summary = [opening for opening in openings if opening]
    brief = bool(specification.options.get("bullets"))
    parts = {
        section: composer.part(
            BANKS[section], grade, counts[section], (1, 3) if brief or section is Section.LSCB else (2, 4)
        )
        for section, grade in sections.items()
    }
    weak = composer.weakest(parts)
    if specification.frame == "sif_2014":
        summary += [item for section in list(parts)[:5] for item in composer.part(BANKS[section], overall, 2, (1, 2))]
    if not sif:
        summary = [summary[0], *summary[2:4], summary[-1]]
    tails = [f" in {composer.fill('{town}')}", f" throughout {specification.authority}", " in every team"]
    if sif:
        recommendations = composer.improvements(
            "recommendations", [theme for theme in weak * 2 if theme != "lscb"], 13, tails
        )
    else:
        recommendations = composer.improvements("what_needs_to_improve", weak * 2, 7 if weak else 3, tails)
    return Content(
        parts,
        summary,
        part_summaries,
        recommendations,
        composer.improvements("recommendations", ["lscb"] * 4, 4, [f" across {specification.authority}"])
        if Section.LSCB in parts
        else [],
        composer.for_children(overall, 6) if specification.frame in ("sif_2016", "sif_reinspection") else [],
        {},
    )


class ReportWriter:
    """Draws one report and notes the truth about it."""

    def __init__(
        self, specification: Specification, content: Content, facts: dict[str, str], path: Path, pages: dict[str, int]
    ) -> None:
        self.specification = specification
        self.content = content
        self.options = specification.options
        self.truth = Truth()
        self.pages_of = pages  # heading -> page label, from the pass before
        self.found_pages: dict[str, int] = {}
        self.number = 0
        self._facts = facts
        self._boilerplate = read_bank("boilerplate")
        self._notes: dict[int, str] = {}
        self._terms = dict(NOTED_TERMS)
        self._sif = specification.framework is Framework.SIF
        self._new_cover = specification.frame in ("ilacs_5", "ilacs_2026") or bool(self.options.get("new_cover"))
        self._bullet = {"dot": DOT, "square": SQUARE}.get(
            self.options.get("bullet", ""), SQUARE if specification.published.year < 2019 else BLACK_SQUARE
        )
        self.sheet = Sheet(
            path,
            f"{specification.printed}: specimen report",
            "An invented report about an authority that does not exist, for testing software",
            self._margins,
            self._notes,
        )

    # What every page has

    def _margins(self, sheet: Sheet) -> None:
        canvas = sheet.canvas
        canvas.setLineWidth(0.8)
        canvas.line(LEFT, 62, RIGHT, 62)
        if sheet.page > 1:
            canvas.setFont(BODY, 7)
            canvas.setFillGray(0.35)
            canvas.drawRightString(RIGHT, HEIGHT - 44, "Specimen report")
            canvas.setFillGray(0)
        for step, size in enumerate((9, 13, 9)):
            canvas.rect(RIGHT - 46 + step * 17, HEIGHT - 66, size, size, fill=1)
        canvas.setFont(BODY, 18)
        left = self.specification.frame == "sif_2016" and sheet.page % 2 == 0
        if left:
            canvas.drawString(LEFT, 42, str(sheet.label))
        else:
            canvas.drawRightString(RIGHT, 42, str(sheet.label))
        if self._new_cover and sheet.page > 1:
            canvas.setFont(BODY, 7.4)
            name = self.specification.authority
            canvas.drawString(LEFT, 52, f"Inspection of {name} local authority children’s services")
            canvas.drawString(LEFT, 42, self.specification.inspection_date)

    def boilerplate(self, key: str) -> list[str]:
        """Sentences of the boilerplate with this report's facts in them."""
        facts = {**self._facts, **self._figures()}
        return [re.sub(r"\{(\w+)\}", lambda m: facts[m[1]], line) for line in self._boilerplate[key]]

    def _figures(self) -> dict[str, str]:
        draw = random.Random(f"figures of {self.specification.name}")
        ranges = {
            "homes": (2, 9), "children": (21_000, 148_000), "share": (19, 24), "poor": (11, 29), "fsm_primary": (9, 27),
            "fsm_secondary": (8, 24), "cin": (1_100, 4_200), "cin_before": (1_100, 4_200), "cp": (120, 640),
            "private": (4, 31), "cla": (160, 760), "rate": (38, 92), "outside": (41, 140), "outside_share": (12, 33),
            "residential": (9, 58), "fostered": (110, 540), "fostered_outside": (11, 34), "adopted": (8, 61),
            "sgo": (7, 49),
        }  # fmt: skip
        figures = {name: f"{draw.randint(low, high):,}" for name, (low, high) in ranges.items()}
        figures["previous_year"] = str(self.specification.published.year - 3)
        figures["team_size"] = ("no", "one", "two", "three", "four", "five", "six", "seven")[
            len(self.specification.team) + 1
        ]
        return figures

    # How text is dressed for the page

    def _dressed(self, text: str) -> str:
        if self.options.get("no_break_spaces"):
            text = re.sub(r"(?<=\b[Ss]ection) (?=\d)|(?<=\d) (?=\w)|(?<=£\d) ", NO_BREAK_SPACE, text)
        if self.options.get("soft_hyphens"):
            text = re.sub(r"\b([a-z]{6})([a-z]{6,})\b", rf"\1{SOFT_HYPHEN}\2", text)
        if self.options.get("ligatures"):
            text = text.replace("fi", "\ufb01").replace("fl", "\ufb02")
        return text

    def _noted(self, text: str) -> str:
        """The text with a footnote mark behind the first term that the report explains at the foot of the page."""
        for term, note in list(self._terms.items()):
            if term in text and self._sif:
                del self._terms[term]
                return text.replace(term, f"{term}[^{self._note(note)}]", 1)
        return text

    def _note(self, text: str) -> int:
        number = len(self._notes) + 1
        self._notes[number] = text
        return number

    # Pieces

    def write(
        self,
        paragraph: Composed,
        section: Section,
        kind: ParagraphKind,
        style: Style = TEXT,
        indent: float = 0,
        marker: str | None = None,
    ) -> None:
        """Draw a paragraph and note it."""
        text = self._noted(paragraph.text) if kind is ParagraphKind.NUMBERED else paragraph.text
        first, _ = self.sheet.text(self._dressed(text), style, indent, marker)
        substantive = (
            kind in TAGGED_KINDS
            and section not in UNTAGGED_SECTIONS
            and len(paragraph.text.split()) >= MINIMUM_SUBSTANTIVE_WORDS
        )
        if substantive:
            number = marker.rstrip(".") if marker and marker[0].isdigit() else None
            self.truth.paragraphs.append((section, kind, number, first, paragraph.text))
            self.truth.themes.append(paragraph.themes)

    def numbered(
        self, paragraphs: list[Composed], section: Section, kind: ParagraphKind = ParagraphKind.NUMBERED
    ) -> None:
        """Numbered paragraphs, going on from the number before."""
        for paragraph in paragraphs:
            self.number += 1
            self.write(paragraph, section, kind, indent=0 if self._new_cover else 28, marker=f"{self.number}.")

    def bullets(self, paragraphs: list[Composed], section: Section, kind: ParagraphKind = ParagraphKind.BULLET) -> None:
        """Paragraphs behind a symbol-font bullet."""
        style = Style(after=7)
        for paragraph in paragraphs:
            self.write(paragraph, section, kind, style, 18, self._bullet)
        self.sheet.space(5)

    def plain(self, paragraphs: list[Composed], section: Section) -> None:
        """Unmarked paragraphs."""
        for paragraph in paragraphs:
            self.write(paragraph, section, ParagraphKind.PARAGRAPH)

    def heading(self, text: str, style: Style = HEADING, entry: str | None = None) -> None:
        """A heading, kept with what follows; ``entry`` is its line in the contents."""
        self.sheet.text(self._dressed(text), style, keep=44)
        if entry:
            self.found_pages[entry] = self.sheet.label

    def facts(self, key: str) -> None:
        """Facts about the area: bullets, and dashes below them."""
        for line in self.boilerplate(key):
            dash = line.startswith("- ")
            self.sheet.text(line.removeprefix("- "), Style(after=5), 40 if dash else 18, DASH if dash else self._bullet)
        self.sheet.space(4)

    def judgement(self, domain: Domain, page: int | None) -> None:
        """Note that the report gives ``domain`` its grade on ``page``."""
        self.truth.judgements.append((domain, self.specification.grades[domain], page))

    def grade(self, domain: Domain) -> str:
        """The grade as this report's table words it."""
        grade = self.specification.grades[domain]
        words = grade.value.capitalize()
        if grade is Grade.REQUIRES_IMPROVEMENT:
            if self.options.get("require"):
                words = "Require improvement"
            if self.options.get("to_be_good") or not self._sif:
                words = "Requires improvement to be good"
        return words.title() if self.options.get("title_case_grades") else words

    def is_graded(self, domain: Domain, subject: str, plural: bool = True) -> str:
        """A sentence that judges: "... are good", "... require improvement"."""
        grade = self.specification.grades[domain]
        if grade is Grade.REQUIRES_IMPROVEMENT:
            return f"{subject} {'require' if plural else 'requires'} improvement"
        return f"{subject} {'are' if plural else 'is'} {grade.value}"

    # The single inspection framework

    def sif_table(self, label: Callable[[Domain], str]) -> None:
        """The table of sub-judgements."""
        widths = [300.0, RIGHT - LEFT - 300]
        if self.options.get("narrow_grades"):
            widths = [RIGHT - LEFT - 106, 106.0]
        long_row = "2. Children looked after and achieving permanence"
        rows = [
            (Domain.HELP_AND_PROTECTION, f"1. Children who need {HELP}", 0, True),
            (Domain.CHILDREN_IN_CARE, long_row, 0, True),
            (Domain.ADOPTION, "2.1 Adoption performance", 36, False),
            (Domain.CARE_LEAVERS, "2.2 Experiences and progress of care leavers", 36, False),
            (Domain.LEADERSHIP, "3. Leadership, management and governance", 0, True),
        ]
        for domain, text, indent, bold in rows:
            page = self.sheet.row([text, label(domain)], widths, TEXT, indent, bold)
            self.judgement(domain, page)
        self.sheet.space(14)

    def sif_cover(self) -> None:
        """Authority, title, date, overall judgement and table."""
        sheet, specification = self.sheet, self.specification
        old = specification.frame == "sif_2014"
        again = specification.frame == "sif_reinspection"
        sheet.text(self._dressed(specification.printed), TITLE)
        first = "Re-inspection" if again else "Inspection"
        sheet.text(f"{first} of services for children in need of {HELP}, {LOOKED_AFTER} and care leavers", SUBTITLE)
        if not again:
            sheet.text("and")
            note = self._note(self.boilerplate("cover_note")[0])
            board = f"Review of the effectiveness of the {BOARD}"
            sheet.text(f"{board}[^{note}]", SUBTITLE)
        sheet.text(f"Inspection date: {specification.inspection_date}", SUBTITLE if old else TEXT)
        if not old or self.options.get("report_published"):
            day = specification.published
            sheet.text(f"Report published: {day.day} {day:%B %Y}")
        sheet.space(14)
        if self.options.get("table_over_pages"):
            sheet.space(self.options["table_over_pages"])
        if old:
            self.old_sif_judgements()
        else:
            place = specification.printed
            subject = f"Children’s services in {place}"
            ending = " to be good" if specification.grades[Domain.OVERALL] is Grade.REQUIRES_IMPROVEMENT else ""
            page = sheet.row([self.is_graded(Domain.OVERALL, subject) + ending], [RIGHT - LEFT], SUBHEADING)
            self.judgement(Domain.OVERALL, page)
            self.sif_table(self.grade)
        sheet.new_page()

    def old_sif_judgements(self) -> None:
        """Page 1 of 2014: the overall judgement in a sentence, the table, and the board's judgement below it."""
        sheet = self.sheet
        overall = self.specification.grades[Domain.OVERALL]
        sheet.start_box()
        if overall is Grade.GOOD:
            sheet.text("The overall judgement is **good.**", SUBTITLE_PLAIN)
            sheet.text("The authority runs effective services and meets the standard for this grade.")
        else:
            sheet.text(f"The overall judgement is that children’s services are **{overall.value}**", SUBTITLE_PLAIN)
            sheet.text("There are failings that leave children harmed or in danger of harm.")
        self.judgement(Domain.OVERALL, sheet.page)
        sheet.end_box()
        self.sif_table(self.grade)
        sheet.start_box()
        subject = f"The judgement for the effectiveness of the {BOARD} (LSCB) is"
        if overall is Grade.INADEQUATE:
            subject = f"The effectiveness of the {BOARD} (LSCB) is"
        sheet.text(f"{subject} **{self.specification.grades[Domain.LSCB].value}.**", SUBTITLE_PLAIN)
        self.judgement(Domain.LSCB, sheet.page)
        sheet.end_box()

    def contents(self, entries: list[tuple[str, int]]) -> None:
        """The contents page; the numbers come from the pass before."""
        self.sheet.text("Contents", TITLE)
        for entry, level in entries:
            page = str(self.pages_of.get(entry, 0))
            style = SUBHEADING if level == 0 else TEXT
            y = self.sheet.y - style.leading
            self.sheet.text(entry, style, indent=18 * level, short=40)
            self.sheet.canvas.setFont(style.font, style.size)
            self.sheet.canvas.drawRightString(RIGHT, y, page)
        self.sheet.new_page()

    def area(self) -> None:
        """Facts about the area."""
        note = self._note(self.boilerplate("area_note")[0])
        self.heading(
            f"Information about this local authority area[^{note}]", entry="Information about this local authority area"
        )
        for title, key in (
            ("Previous inspections", "area_previous"),
            ("Children living in this area", "area_people"),
            ("Child protection in this area", "area_protection"),
            ("Children looked after in this area", "area_care"),
        ):
            self.heading(title, SUBHEADING)
            self.facts(key)

    def about_inspection(self) -> None:
        """How the inspection was done and by whom."""
        self.heading("Information about this inspection", entry="Information about this inspection")
        for line in self.boilerplate("about_inspection") + self.boilerplate("team_intro"):
            self.sheet.text(line)
        self.heading("The inspection team", SUBHEADING)
        self.sheet.text(f"Lead inspector: {self.specification.lead}")
        self.sheet.text(f"Team inspectors: {', '.join(self.specification.team)}.")

    def last_page(self) -> None:
        """Complaints, remit and address."""
        self.sheet.new_page()
        if self._sif:
            for line in self.boilerplate("complaints"):
                self.sheet.text(line, SMALL)
            self.sheet.space(180)
        for line in self.boilerplate("office") + self.boilerplate("specimen"):
            self.sheet.text(line, SMALL if self._sif else TEXT)

    def sif_2014(self) -> None:
        """Winter 2013 to 2014: bullets or numbers, the board's part at the end, its judgement on page 1."""
        content = self.content
        self.sif_cover()
        self.contents(
            [
                ("Section 1: the local authority", 0),
                ("Summary of key findings", 1),
                ("What does the local authority need to improve?", 1),
                ("Information about this inspection", 1),
                ("Information about this local authority area", 1),
                ("Inspection judgements about the local authority", 1),
                ("What the inspection judgements mean: the local authority", 0),
                (f"Section 2: The effectiveness of the {BOARD}", 0),
                ("What the inspection judgements mean: the LSCB", 0),
            ]
        )
        self.heading("Section 1: the local authority", PART, "Section 1: the local authority")
        self.heading("Summary of key findings", entry="Summary of key findings")
        grade = self.specification.grades[Domain.OVERALL].value
        self.heading(f"This local authority is {grade} because:", SUBHEADING)
        self.bullets(content.summary, Section.SUMMARY)
        title = "What does the local authority need to improve?"
        self.heading(title, entry=title)
        self.heading("Areas for improvement", SUBHEADING)
        self.bullets(content.recommendations, Section.RECOMMENDATIONS, ParagraphKind.RECOMMENDATION)
        self.sheet.new_page()
        self.about_inspection()
        self.sheet.new_page()
        self.area()
        self.sheet.new_page()
        title = "Inspection judgements about the local authority"
        self.heading(title, entry=title)
        self.sif_parts(self.old_part_heading)
        self.sheet.new_page()
        title = "What the inspection judgements mean: the local authority"
        self.heading(title, entry=title)
        for line in self.boilerplate("descriptor_sif"):
            self.sheet.text(line)
        self.sheet.new_page()
        title = f"Section 2: The effectiveness of the {BOARD}"
        self.heading(title, PART, title)
        self.heading(self.is_graded(Domain.LSCB, "The effectiveness of the LSCB", plural=False), SUBHEADING)
        self.heading("Areas for improvement", SUBHEADING)
        self.bullets(content.board_recommendations, Section.LSCB, ParagraphKind.RECOMMENDATION)
        self.heading("Key strengths and weaknesses of the LSCB", SUBHEADING)
        self.findings(content.parts[Section.LSCB], Section.LSCB)
        title = "What the inspection judgements mean: the LSCB"
        self.heading(title, entry=title)
        for line in self.boilerplate("descriptor_lscb"):
            self.sheet.text(line)
        self.last_page()

    def findings(self, paragraphs: list[Composed], section: Section) -> None:
        """Numbered, or as bullets where the report has no numbers."""
        if self.options.get("bullets"):
            self.bullets(paragraphs, section)
        else:
            self.numbered(paragraphs, section)

    def sif_parts(self, heading: Callable[[Section], None]) -> None:
        """Help and protection, care, adoption, care leavers, leadership."""
        for section, paragraphs in self.content.parts.items():
            if section is Section.LSCB:
                continue
            heading(section)
            summaries = self.content.part_summaries.get(section, [])
            if summaries:
                self.heading("Summary", SUBHEADING)
                self.plain(summaries, section)
                self.heading("Inspection findings", SUBHEADING)
            self.findings(paragraphs, section)

    def old_part_heading(self, section: Section) -> None:
        """The heading of a part in 2014: a sentence that gives its grade."""
        domain = Domain(section.value)
        subjects = {
            Section.HELP_AND_PROTECTION: f"{EXPERIENCES} children who need {HELP}",
            Section.CHILDREN_IN_CARE: f"{EXPERIENCES} {LOOKED_AFTER} and achieving permanence",
            Section.LEADERSHIP: "Leadership, management and governance",
        }
        if section in subjects:
            self.heading(self.is_graded(domain, subjects[section]) + ".")
        else:
            self.sub_part_heading(section)

    def sub_part_heading(self, section: Section) -> None:
        """Adoption and care leavers, judged within the part on care."""
        grade = self.specification.grades[Domain(section.value)]
        ending = "it requires improvement" if grade is Grade.REQUIRES_IMPROVEMENT else f"it is {grade.value}"
        if grade is Grade.NOT_JUDGED:
            ending = "it has not been judged, as the number of children is too small"
        if section is Section.ADOPTION:
            self.heading(f"The graded judgement for adoption performance is that {ending}", SUBHEADING)
        else:
            subject = "The graded judgement about the experience and progress of care leavers"
            self.heading(f"{subject} is that {ending}", SUBHEADING)

    def new_part_heading(self, section: Section) -> None:
        """The heading of a part from 2015: a ruled box with the grade at its right."""
        titles = {
            Section.HELP_AND_PROTECTION: f"{EXPERIENCES} children who need {HELP}",
            Section.CHILDREN_IN_CARE: f"{EXPERIENCES} {LOOKED_AFTER} and achieving permanence",
            Section.LEADERSHIP: "Leadership, management and governance",
        }
        if section not in titles:
            self.sub_part_heading(section)
            return
        self.sheet.new_page()
        grade = self.specification.grades[Domain(section.value)].value.capitalize()
        self.sheet.row([titles[section], grade], [285, RIGHT - LEFT - 285], SUBHEADING)
        self.sheet.space(12)
        self.found_pages[titles[section]] = self.sheet.label

    def sif_2016(self) -> None:
        """2015 to 2018: executive summary, numbered recommendations, and the board's part with its own judgement."""
        content = self.content
        board = Section.LSCB in content.parts
        self.sif_cover()
        self.found_pages["Executive summary"] = self.sheet.label
        if board:
            self.sheet.start_box()
        self.heading("Executive summary", SUBHEADING)
        self.plain(content.summary, Section.SUMMARY)
        if board:
            self.sheet.end_box()
        self.sheet.new_page()
        titles = [
            ("Executive summary", 1),
            ("The local authority", 0),
            ("Information about this local authority area", 1),
            ("Recommendations", 1),
            ("Summary for children and young people", 1),
            (f"{EXPERIENCES} children who need {HELP}", 1),
            (f"{EXPERIENCES} {LOOKED_AFTER} and achieving permanence", 1),
            ("Leadership, management and governance", 1),
        ]
        if board:
            titles += [
                (f"The {BOARD}", 0),
                (f"Inspection findings – the {BOARD}", 1),
            ]
        self.contents([*titles, ("Information about this inspection", 0)])
        self.heading("The local authority", PART, "The local authority")
        self.area()
        self.sheet.new_page()
        self.heading("Recommendations", entry="Recommendations")
        self.numbered(content.recommendations, Section.RECOMMENDATIONS, ParagraphKind.RECOMMENDATION)
        self.sheet.new_page()
        title = "Summary for children and young people"
        self.heading(title, entry=title)
        self.bullets(content.for_children, Section.SUMMARY)
        self.sif_parts(self.new_part_heading)
        if board:
            self.board_part()
        self.sheet.new_page()
        self.about_inspection()
        self.last_page()

    def board_part(self) -> None:
        """The Local Safeguarding Children Board's own part, which may count its pages from 1."""
        sheet, content = self.sheet, self.content
        sheet.new_page()
        if self.options.get("lscb_own_pages"):
            sheet.first_of_part = sheet.page
        title = f"The {BOARD}"
        self.heading(f"{title} (LSCB)", PART, title)
        sheet.row([self.is_graded(Domain.LSCB, title, plural=False)], [RIGHT - LEFT], SUBHEADING)
        self.judgement(Domain.LSCB, sheet.page)
        sheet.space(12)
        self.heading("Executive summary", SUBHEADING)
        self.plain(content.part_summaries[Section.LSCB], Section.LSCB)
        self.heading("Recommendations", SUBHEADING)
        self.numbered(content.board_recommendations, Section.LSCB, ParagraphKind.RECOMMENDATION)
        title = f"Inspection findings – the {BOARD}"
        self.heading(title, entry=title)
        self.numbered(content.parts[Section.LSCB], Section.LSCB)

    # ILACS

    def ilacs(self) -> None:
        """2018 on: a table of grades, a summary, what needs to improve, and a part for each judgement."""
        specification, sheet, content = self.specification, self.sheet, self.content
        self.ilacs_cover()
        parts_of_care = (Section.CHILDREN_IN_CARE, Section.CARE_LEAVERS)
        joint = Domain.CARE_LEAVERS not in specification.grades
        self.plain(content.summary, Section.SUMMARY)
        if self.options.get("improve_on_page_2"):
            sheet.new_page()
        mark = ""
        if self.options.get("national_framework"):
            mark = f"?[^{self._note(self.boilerplate('framework_note')[0])}]"
        self.heading(f"What needs to improve{mark}", HEADING if mark else SUBHEADING)
        recommendations = content.recommendations
        if self.options.get("national_framework"):
            recommendations = [
                Composed(f"{item.text.rstrip('.')}. (Outcome {index % 4 + 1}, national framework)", item.themes)
                for index, item in enumerate(recommendations)
            ]
        self.bullets(recommendations, Section.RECOMMENDATIONS, ParagraphKind.RECOMMENDATION)
        if self.options.get("improve_on_page_2"):
            sheet.new_page()
        subject = f"{EXPERIENCES} children"
        titles = {
            Section.HELP_AND_PROTECTION: f"{subject} who need {HELP}",
            Section.CHILDREN_IN_CARE: f"{subject} in care and care leavers" if joint else f"{subject} in care",
            Section.CARE_LEAVERS: f"{EXPERIENCES} care leavers",
            Section.LEADERSHIP: f"{IMPACT} children and families",
        }
        for section, paragraphs in content.parts.items():
            domain = Domain(section.value)
            if not (joint and section is Section.CARE_LEAVERS):
                if self.options.get("bare_section_titles"):
                    self.heading(titles[section])
                    self.number = 0
                else:
                    self.heading(f"{titles[section]}: {self.grade(domain).lower()}")
            shown = Section.CHILDREN_IN_CARE if joint and section in parts_of_care else section
            self.numbered(paragraphs, shown)
        self.last_page()

    def ilacs_cover(self) -> None:
        """Title, dates, lead inspector and the table of grades."""
        specification, sheet = self.specification, self.sheet
        grades = specification.grades
        new = self._new_cover
        if new:
            sheet.text(f"Inspection of {specification.authority} local authority children’s services", TITLE)
        else:
            sheet.text(self._dressed(specification.printed), TITLE)
            sheet.text("Inspection of children’s social care services", SUBTITLE)
        sheet.space(4)
        sheet.text(f"**Inspection dates:** {self._dressed(specification.inspection_date)}")
        if new:
            crown = "His" if specification.published.year >= 2023 else "Her"
            sheet.text(f"**Lead inspector:** {specification.lead}, {crown} Majesty’s Inspector")
        else:
            sheet.text(f"**Lead inspector:** {specification.lead}", Style(after=0))
            sheet.text("Her Majesty’s Inspector", indent=104)
        sheet.space(4)
        care = f"{EXPERIENCES} children in care"
        labels = {
            Domain.LEADERSHIP: f"{IMPACT} children and families",
            Domain.HELP_AND_PROTECTION: f"{EXPERIENCES} children who need {HELP}",
            Domain.CHILDREN_IN_CARE: care if Domain.CARE_LEAVERS in grades else f"{care} and care leavers",
            Domain.CARE_LEAVERS: f"{EXPERIENCES} care leavers",
            Domain.OVERALL: "Overall effectiveness",
        }
        widths = [230.0, RIGHT - LEFT - 230] if new else [300.0, RIGHT - LEFT - 300]
        sheet.row(["Judgement", "**Grade**"], widths, TEXT, bold=True)
        for domain in labels:
            if domain in grades:
                self.judgement(domain, sheet.row([labels[domain], self.grade(domain)], widths, TEXT, centred=not new))
        if Domain.OVERALL not in grades:
            self.truth.judgements.append((Domain.OVERALL, Grade.NOT_JUDGED, None))
        sheet.space(14)

    def draw(self) -> Truth:
        """Write the file."""
        frames: dict[str, Callable[[], None]] = {
            "sif_2014": self.sif_2014,
            "sif_2016": self.sif_2016,
            "sif_reinspection": self.sif_2016,
            "ilacs_4": self.ilacs,
            "ilacs_5": self.ilacs,
            "ilacs_2026": self.ilacs,
        }
        frames[self.specification.frame]()
        self.truth.pages = self.sheet.page
        self.sheet.save()
        return self.truth


SUBTITLE_PLAIN = Style(13, 17, BODY, 6)
