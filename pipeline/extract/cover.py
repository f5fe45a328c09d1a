"""The cover: whose services, which framework, what kind of visit, when, by whom."""

from __future__ import annotations

import re
from datetime import date

from pipeline.domain import Cover, Framework, InspectionType
from pipeline.extract.dates import dates_in, span_in
from pipeline.extract.layout import PageRows, Row

_LINES = 40  # rows of the first page that can belong to the cover

_TITLES = re.compile(
    r"[,(]?\s*\b(?:(?:senior|regional)\s+)?(?:his|her)\s+majesty.{0,2}s?\s+(?:senior\s+)?inspectors?\b.*$|[,(]?\s*\b(?:senior\s+|s)?hmi\b.*$"
    r"|[,(]\s*(?:ofsted|social care|regulatory|senior)\b.*$",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^(?:lead|reporting)\s+inspectors?\b(?:\s+on\s+site)?\s*:?\s*(?P<name>.*)$", re.IGNORECASE)
_DATES = re.compile(
    r"^(?:(?:inspection|visit|fieldwork)\s+dates?|dates?\s+of\s+(?:the\s+)?(?:inspection|visit))\s*:?\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(r"^(?:report\s+|date\s+)?published(?:\s+on)?\s*:?\s*(?P<rest>.*)$", re.IGNORECASE)
_ILACS_NAME = re.compile(
    r"inspection\s+of\s+(?P<name>.+?)\s+(?:local\s+authority\s+)?children.{0,3}s?\s+(?:social\s+care\s+)?services",
    re.IGNORECASE,
)
_TRUST_NAME = re.compile(
    r"inspection\s+of\s+(.+?)\s+(?:children\b.*trust|children\b.*company|local\s+authority)\b", re.IGNORECASE
)
_LAC_TITLE = re.compile(r"^inspection of (?:services for )?looked after children(?: services)?\s*", re.IGNORECASE)
_TITLE_END = re.compile(
    r"\s*(?:\bre-?\s?inspection\b|\binspection of\b|\breview of\b|\bjoint targeted"
    r"|\bfocus(?:s?ed)? visit|\bmonitoring visit)",
    re.IGNORECASE,
)
_PLACE_TAIL = re.compile(
    r"\s+(?:(?:metropolitan\s+borough|metropolitan\s+district|metropolitan\s+city|metropolitan|borough|county|city|district|unitary)\s+)*"
    r"(?:council|unitary\s+authority|local\s+authority|authority)$"
    r"|\s+(?:local\s+)?safeguarding\s+children.{0,3}\s+board$"
    r"|\s+(?:metropolitan\s+(?:borough|district)|county\s+council)$",
    re.IGNORECASE,
)


def read_cover(pages: list[PageRows]) -> Cover:
    """Read the cover from the first pages."""
    rows = pages[0].body[:_LINES] if pages else []
    texts = [row.text for row in rows]
    front = _front(rows)
    opening = " ".join(" ".join(row.text for page in pages[:1] for row in page.body).lower().split())
    framework = _framework(front, opening)
    start, end = _span(texts)
    return Cover(
        authority=_authority(rows, framework),
        framework=framework,
        inspection_type=_kind(front, opening, framework, start, end),
        published=_published(texts),
        inspection_start=start,
        inspection_end=end,
        lead_inspector=_lead(pages, texts),
    )


def _front(rows: list[Row]) -> str:
    """The rows of the cover that stand out: large, bold, or above everything else."""
    front = [row.text for index, row in enumerate(rows) if row.size > 13.5 or row.bold or index < 4]
    return " ".join(" ".join(front).lower().split())


def _framework(front: str, opening: str) -> Framework:
    if re.search(r"judgement\s+grade", front) and "safeguarding children board" not in front:
        return Framework.ILACS
    if re.search(r"joint targeted area inspection|\bjtai\b", front):
        return Framework.JTAI
    if re.search(r"inspection of (?:services for )?looked after children", front):
        return Framework.LAC
    if re.search(r"services for children in need of help and protection,?\s+children looked after", front):
        return Framework.SIF
    if re.search(r"review of the effectiveness of the (?:local )?safeguarding children", front):
        return Framework.LSCB_REVIEW
    if re.search(r"inspection of .*children.{0,3}s? (?:social care )?services", front):
        return Framework.ILACS
    if re.search(r"joint targeted area inspection of|\bjtai\b", opening):
        return Framework.JTAI
    if re.search(r"(?:focus(?:s?ed)?|monitoring) visit|\bilacs\b|inspection of local authority children", opening):
        return Framework.ILACS
    return Framework.UNKNOWN


def _kind(front: str, opening: str, framework: Framework, start: date | None, end: date | None) -> InspectionType:
    if framework is Framework.JTAI:
        return InspectionType.JTAI
    if framework is Framework.LSCB_REVIEW:
        return InspectionType.LSCB_REVIEW
    if framework is Framework.SIF:
        return InspectionType.REINSPECTION if re.search(r"\bre-?\s?inspection of", front) else InspectionType.INSPECTION
    if framework is Framework.ILACS:
        if re.search(r"judgement\s+grade", opening):
            return _length(opening, start, end)
        if re.search(r"\bmonitoring visit\b", opening):
            return InspectionType.MONITORING_VISIT
        if re.search(r"\bfocus(?:s?ed)? visit\b", opening):
            return InspectionType.FOCUSED_VISIT
        return _length(opening, start, end)
    return InspectionType.INSPECTION if framework is Framework.LAC else InspectionType.UNKNOWN


def _length(opening: str, start: date | None, end: date | None) -> InspectionType:
    """A short inspection is one week on site, a standard one two."""
    if "short inspection" in opening or (start and end and (end - start).days <= 5):
        return InspectionType.SHORT_INSPECTION
    return InspectionType.INSPECTION


def _after(texts: list[str], pattern: re.Pattern[str]) -> list[str]:
    """What follows the label on its row, and the row after where the span goes on there."""
    for index, text in enumerate(texts):
        if found := pattern.match(text):
            rest = found["rest"]
            after = texts[index + 1] if index + 1 < len(texts) else ""
            return [rest, after]
    return []


def _span(texts: list[str]) -> tuple[date | None, date | None]:
    parts = _after(texts, _DATES)
    for text in (parts[:1], parts) if parts else ():
        joined = " ".join(text)
        span = span_in(joined)
        dangling = re.search(r"(?:to|and|[\u2013\u2014-])\s*$", text[0]) if text else None
        if span and not (dangling and len(text) == 1):
            return span
    return None, None


def _published(texts: list[str]) -> date | None:
    for part in _after(texts, _PUBLISHED):
        if found := dates_in(part):
            return found[0]
    return None


def _lead(pages: list[PageRows], texts: list[str]) -> str | None:
    everywhere = [texts] + [[row.text for row in page.body] for page in pages[1:]]
    for page in everywhere:
        for index, text in enumerate(page):
            if found := _LEAD.match(text):
                rest = found["name"].strip()
                if not rest and index + 1 < len(page):
                    rest = page[index + 1].strip()
                name = _TITLES.sub("", rest).strip(" ,.:;")
                if 2 <= len(name.split()) <= 5 and not re.search(r"\d", name):
                    return name
    return None


def _authority(rows: list[Row], framework: Framework) -> str | None:
    title = _title(rows)
    if found := _ILACS_NAME.search(title):
        name = found["name"]
        if not re.match(r"(?:local authority|looked after|services|children)", name, re.IGNORECASE):
            return place_name(name)
    if found := _TRUST_NAME.search(title):
        return place_name(found[1])
    if framework is Framework.LAC:
        title = _LAC_TITLE.sub("", title)
    return place_name(_TITLE_END.split(title)[0]) or None


def _title(rows: list[Row]) -> str:
    """The large rows at the head of the first page, as one line of text."""
    worded = [row for row in rows if not row.text.isdigit()]
    large = max((row.size for row in worded), default=0.0)
    parts: list[str] = []
    for row in worded:
        second = bool(parts) and row.bold and row.size < 15  # what was inspected, set smaller below whose it is
        if row.size > large - 9 and row.size > 13.5 and not second:
            parts.append(row.text)
        elif parts:
            break
    return " ".join(" ".join(parts).split())


def place_name(printed: str) -> str:
    """The place in an authority's printed name: without "Council", "County", "local authority" and the like.

    "London Borough of", "Royal Borough of" and "City of" stay: they tell places apart.
    """
    name = " ".join(printed.split()).strip(" ,.:;")
    while True:
        shorter = _PLACE_TAIL.sub("", name).strip(" ,.:;")
        if shorter == name or not shorter:
            return name
        name = shorter
