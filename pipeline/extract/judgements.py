"""Judgements: read off the table's geometry, or off the sentence that gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.domain import Basis, Domain, Framework, Grade, Judgement
from pipeline.extract.layout import PageRows, Row

_GRADE = (
    r"(?P<grade>outstanding|good|adequate|inadequate|not\s+judged"
    r"|requires?\s+improvement(?:\s+to(?:\s+be(?:\s+good)?)?)?)"
)
_GRADE_ANYWHERE = re.compile(_GRADE, re.IGNORECASE)
_WORD = r"(?:outstanding|good|adequate|inadequate|requires?|improvement|to|be|not|judged)"
# A grade may take up to three lines of its cell: what a row ends with are words of a grade, put together afterwards.
_GRADE_WORDS = re.compile(rf"(?:^|(?<=\s)){_WORD}(?:\s+{_WORD})*[.\d]*$", re.IGNORECASE)

# A label begins so; what it is about is told from all its lines.
_STARTS = re.compile(
    r"^(?:the\s+)?(?:impact\s+of|experiences?\s+and\s+progress|overall\s+effectiveness|effectiveness\s+of)\b"
    r"|^\d(?:\.\d)?\.?\s+[a-z]|^children\s+(?:and\s+young\s+people\s+)?(?:who|looked)\b|^adoption\b|^leadership\b"
    r"|^outcomes\s+for\b|^capacity\s+to\b|^quality\s+of\b",
    re.IGNORECASE,
)
_LABELS: tuple[tuple[re.Pattern[str], Domain | None], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), domain)
    for pattern, domain in (
        (r"capacity to improve|quality of provision", None),  # 2013: judgements without a domain of their own
        (r"overall effectiveness", Domain.OVERALL),
        (r"safeguarding children.{0,3} board|\blscb\b", Domain.LSCB),
        (r"impact of (?:the )?lead|leadership", Domain.LEADERSHIP),
        (r"need help|need of help|help and protection", Domain.HELP_AND_PROTECTION),
        (r"adoption", Domain.ADOPTION),
        # Until 2022 the row on children in care is about care leavers too.
        (r"children in care|looked after", Domain.CHILDREN_IN_CARE),
        (r"care leavers|leaving care", Domain.CARE_LEAVERS),
    )
)
_HEAD = re.compile(r"^(?:key\s+)?judge?ments?\s*(?:judge?ment\s*)?grade$", re.IGNORECASE)
_LABEL_WORDS = 20
_FURTHEST = 90.0  # points between one row's label and the next


@dataclass(slots=True)
class _Label:
    text: str
    page: int
    x0: float
    first: float
    last: float

    @property
    def domain(self) -> Domain | None:
        return next((domain for pattern, domain in _LABELS if pattern.search(self.text)), None)


@dataclass(slots=True)
class _Mark:
    """A grade, or some words of one, where it stands."""

    text: str
    page: int
    baseline: float


@dataclass(slots=True)
class Table:
    """The judgement table: its cells, the rows it takes up (page, baseline), and the page it begins on."""

    judgements: list[Judgement]
    rows: set[tuple[int, float]]
    page: int


def grade_of(text: str) -> Grade:
    """The grade that ``text`` (a match of the grade pattern) names."""
    plain = " ".join(text.lower().split())
    if plain.startswith("require"):
        return Grade.REQUIRES_IMPROVEMENT
    return Grade(plain)


def grade_words(text: str) -> bool:
    """Whether ``text`` is nothing but a grade or some words of one."""
    found = _GRADE_WORDS.search(text)
    return found is not None and found.start() == 0


def whole_grades(text: str) -> list[Grade]:
    """The grades that ``text`` names, in order."""
    return [grade_of(found["grade"]) for found in _GRADE_ANYWHERE.finditer(text)]


def judgement_table(pages: list[PageRows], framework: Framework) -> Table | None:
    """The report's judgement table, or ``None`` where there is none.

    The table is the run of rows whose labels name judgement domains and that carry grades in a column of their own:
    on the first pages, or at the end of a report of 2013.
    """
    if framework is Framework.LAC:
        rows = [row for page in pages for row in page.body]
        return _read(rows[_last(rows, re.compile(r"record of main findings", re.IGNORECASE)) + 1 :])
    rows = [row for page in pages[:3] for row in page.body]
    for index, row in enumerate(rows):
        if _HEAD.match(row.text):
            table = _read(rows[index + 1 :])
            if table and len(table.judgements) >= 2:
                table.rows.add((row.page, row.baseline))
                return table
    for index, row in enumerate(rows):
        if _STARTS.match(row.text):
            start = index  # a grade over three lines begins above its label
            while start and _grade_above(rows[start - 1], row):
                start -= 1
            table = _read(rows[start:])
            if table and len(table.judgements) >= 2:
                return table
    return None


def _grade_above(row: Row, label: Row) -> bool:
    return grade_words(row.text) and row.x0 > label.x0 + 60 and 0 <= label.baseline - row.baseline < 2.5 * label.size


def _last(rows: list[Row], heading: re.Pattern[str]) -> int:
    return max((index for index, row in enumerate(rows) if heading.match(row.text)), default=len(rows))


def _read(rows: list[Row]) -> Table | None:
    """Read labels and grades from the rows on, till the table ends."""
    labels: list[_Label] = []
    marks: list[_Mark] = []
    taken: set[tuple[int, float]] = set()
    column: float | None = None  # left edge of the grades
    above: Row | None = None
    for row in rows:
        label, grade, grade_x = _cells(row)
        near = above is None or row.page != above.page or row.baseline - above.baseline < _FURTHEST
        wide = column is not None and not grade and row.x1 > column + 30
        if label and near and not wide and _starts(label, row, labels):
            labels.append(_Label(label, row.page, row.x0, row.baseline, row.baseline))
        elif label and labels and _continues(row, labels[-1], above, column, bool(grade)):
            labels[-1].text += f" {label}"
            labels[-1].last = row.baseline
        elif label or not near:
            if labels:
                break
            continue
        if grade:
            marks.append(_Mark(grade, row.page, row.baseline))
            column = grade_x if grade_x is not None else column
        taken.add((row.page, row.baseline))
        above = row
    if any(len(label.text.split()) > _LABEL_WORDS for label in labels):
        return None  # numbered points, not a table
    judgements = _matched(labels, _whole(marks))
    return Table(judgements, taken, judgements[0].page or 1) if judgements else None


def _cells(row: Row) -> tuple[str, str, float | None]:
    """A row's label, its words of a grade, and their left edge where they have a cell of their own."""
    last = row.cells[-1]
    if (found := _GRADE_WORDS.search(last.text)) and found.start() == 0:
        return " ".join(cell.text for cell in row.cells[:-1]), found[0], last.x0
    if found and len(row.cells) == 1:
        return last.text[: found.start()].strip(), found[0], None
    return row.text, "", None


def _whole(words: list[_Mark]) -> list[_Mark]:
    """Put the words of grades together: a grade each, at the middle of its lines."""
    stream, starts = "", []
    for word in words:
        starts.append(len(stream))
        stream += word.text.rstrip(".0123456789") + " "
    found = []
    for match in _GRADE_ANYWHERE.finditer(stream):
        inside = [word for word, start in zip(words, starts, strict=True) if match.start() <= start < match.end()]
        inside = inside or [word for word, start in zip(words, starts, strict=True) if start <= match.start()][-1:]
        same_page = [word.baseline for word in inside if word.page == inside[0].page]
        found.append(_Mark(match[0], inside[0].page, sum(same_page) / len(same_page)))
    return found


def _starts(label: str, row: Row, labels: list[_Label]) -> bool:
    """Whether a label begins here; a line close below a label is more of it, unless it is numbered."""
    if not _STARTS.match(label):
        return False
    close = bool(labels) and labels[-1].page == row.page and row.baseline - labels[-1].last < 1.5 * row.size
    return label[0].isdigit() or not close


def _continues(row: Row, label: _Label, above: Row | None, column: float | None, graded: bool) -> bool:
    """Whether a row is a further line of the label above it: in its column, close below it."""
    if above is None or row.page != label.page:
        return above is not None and row.page == label.page + 1 and graded
    in_column = -4 < row.x0 - label.x0 < 45 and (graded or column is None or row.x1 < column)
    return in_column and row.baseline - label.last < 2.1 * row.size and len(row.text.split()) <= 14


def _matched(labels: list[_Label], marks: list[_Mark]) -> list[Judgement]:
    """Give each label its grade: in order where there are as many of one as of the other, else the nearest."""
    if len(labels) == len(marks):
        pairs = list(zip(labels, marks, strict=True))
    else:
        pairs = []
        free = list(marks)
        for label in labels:
            best = min(free, key=lambda mark: _distance(label, mark), default=None)
            if best is not None and _distance(label, best) <= 40:
                free.remove(best)
                pairs.append((label, best))
    found: dict[Domain, Judgement] = {}
    for label, mark in pairs:
        if (domain := label.domain) is not None and domain not in found:
            found[domain] = Judgement(domain, grade_of(mark.text), label.page, Basis.TABLE)
    return list(found.values())


def _distance(label: _Label, mark: _Mark) -> float:
    if mark.page != label.page:
        return 1000.0 * abs(mark.page - label.page)
    if label.first - 1 <= mark.baseline <= label.last + 1:
        return 0.0
    return min(abs(mark.baseline - label.first), abs(mark.baseline - label.last))


_SERVICES = r"children.{0,3}s?\s+(?:social\s+care\s+)?services?"
_OF_PLACE = r"(?:(?:in|for|provided\s+by)\s+.{3,80}?\s+)?"
_BOARD = r"(?:local\s+)?safeguarding\s+children.{0,3}\s+board(?:\s*\(\w+\))?"
_OVERALL_SENTENCE = re.compile(
    rf"^(?:(?:the\s+)?overall\s+(?:judge?ment|effectiveness)\s+(?:is\s+|was\s+)?(?:that\s+)?)?"
    rf"(?:{_SERVICES}\s+{_OF_PLACE})?(?:it\s+)?(?:is\s+|are\s+)?{_GRADE}\s*\.?$",
    re.IGNORECASE | re.DOTALL,
)
_NAMES_MATTER = re.compile(rf"^(?:the\s+)?overall\s+(?:judge?ment|effectiveness)|^{_SERVICES}", re.IGNORECASE)
_LSCB_SENTENCE = re.compile(
    rf"^(?:the\s+)?(?:judge?ment\s+(?:for|on|of)\s+)?(?:the\s+)?(?:effectiveness\s+of\s+)?(?:the\s+)?"
    rf"(?:{_BOARD}|lscb|[\w ,.'\u2019&-]{{3,60}}?{_BOARD})"
    rf"\s*(?:is\s+|are\s+)?(?:judged\s+(?:to\s+be|as)\s+)?:?\s*{_GRADE}\s*(?:because\b.{{0,3}})?[.:]?$",
    re.IGNORECASE | re.DOTALL,
)


def sentence_judgements(pieces: Iterable[tuple[int, str]], wanted: set[Domain]) -> Iterator[Judgement]:
    """Judgements given in a sentence of their own: the overall one of 2013 to 2018, and the LSCB's.

    Parameters
    ----------
    pieces : iterable of (page, text)
        Headings and short paragraphs in reading order.
    wanted : set of Domain
        Which of OVERALL and LSCB to look for; the first sentence that gives one counts.
    """
    left = set(wanted)
    before: tuple[int, str] | None = None
    for page, text in pieces:
        plain = " ".join(text.split())
        # A sentence whose last word is set in another weight arrives in two pieces.
        whole = f"{before[1]} {plain}" if before is not None and before[0] == page else plain
        before = (page, plain)
        for domain, pattern in ((Domain.OVERALL, _OVERALL_SENTENCE), (Domain.LSCB, _LSCB_SENTENCE)):
            found = pattern.match(plain) or pattern.match(whole) if domain in left else None
            if found and (domain is Domain.LSCB or _NAMES_MATTER.match(found[0])):
                left.discard(domain)
                yield Judgement(domain, grade_of(found["grade"]), page, Basis.SENTENCE)
                break
