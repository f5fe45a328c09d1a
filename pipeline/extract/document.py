"""One PDF read whole: lines, rows, cover, judgements, paragraphs, sections."""

from __future__ import annotations

from pipeline.domain import (
    Basis,
    Cover,
    Document,
    Domain,
    Framework,
    Grade,
    InspectionType,
    Judgement,
    Paragraph,
    ParagraphKind,
    Section,
)
from pipeline.extract.cover import read_cover
from pipeline.extract.judgements import Table, judgement_table, sentence_judgements
from pipeline.extract.layout import PageRows, arranged
from pipeline.extract.pages import Page
from pipeline.extract.paragraphs import Block, blocks
from pipeline.extract.sections import SectionReader

_ILACS_DOMAINS = (Domain.LEADERSHIP, Domain.HELP_AND_PROTECTION, Domain.CHILDREN_IN_CARE, Domain.CARE_LEAVERS, Domain.OVERALL)
_SENTENCE_WORDS = 40  # a sentence that judges is a heading or a short paragraph of its own
_VISITS = (InspectionType.FOCUSED_VISIT, InspectionType.MONITORING_VISIT, InspectionType.JTAI)


def document_of(pages: list[Page]) -> Document:
    """Read a report's structure from the lines of its pages."""
    rows, size = arranged(pages)
    cover = read_cover(rows)
    table = judgement_table(rows, cover.framework) if cover.inspection_type not in _VISITS else None
    found = blocks(rows, size, table.rows if table else set())
    judgements = _judgements(cover, table, found, rows)
    paragraphs = _paragraphs(found, cover, table)
    return Document(cover, judgements, paragraphs, len(pages), _warnings(cover, judgements, pages))


def _judgements(cover: Cover, table: Table | None, found: list[Block], rows: list[PageRows]) -> tuple[Judgement, ...]:
    judgements = list(table.judgements) if table else []
    if cover.framework in (Framework.SIF, Framework.LSCB_REVIEW):
        wanted = {Domain.LSCB} if cover.framework is Framework.LSCB_REVIEW else {Domain.OVERALL, Domain.LSCB}
        pieces = (
            (block.page, block.text)
            for block in found
            if block.kind in (ParagraphKind.HEADING, ParagraphKind.PARAGRAPH) and len(block.text.split()) <= _SENTENCE_WORDS
        )
        judgements.extend(sentence_judgements(pieces, wanted - {judgement.domain for judgement in judgements}))
    if cover.framework is Framework.ILACS and judgements and not any(j.domain is Domain.OVERALL for j in judgements):
        judgements.append(Judgement(Domain.OVERALL, Grade.NOT_JUDGED, table.page if table else None, Basis.ABSENT))
    order = list(Domain)
    return tuple(sorted(judgements, key=lambda judgement: order.index(judgement.domain)))


def _paragraphs(found: list[Block], cover: Cover, table: Table | None) -> tuple[Paragraph, ...]:
    reader = SectionReader(cover.framework)
    if cover.framework is Framework.LSCB_REVIEW:
        reader.in_lscb = True
    paragraphs: list[Paragraph] = []
    heading: str | None = None
    last_table = max(table.rows) if table and cover.framework is Framework.ILACS else None
    recommending = False
    for block in found:
        kind = block.kind
        if kind is ParagraphKind.HEADING:
            section = reader.heading(block.text)
            heading = block.text
            recommending = _recommends(block.text)
        elif kind in (ParagraphKind.FOOTNOTE, ParagraphKind.TABLE):
            section = reader.section
        else:
            if last_table and reader.section is Section.COVER and (block.page, block.top) > last_table:
                reader.section = Section.SUMMARY
            section = reader.text(block.text)
            if recommending and kind in (ParagraphKind.BULLET, ParagraphKind.NUMBERED) and section in (
                Section.RECOMMENDATIONS,
                Section.LSCB,
            ):
                kind = ParagraphKind.RECOMMENDATION
        paragraphs.append(
            Paragraph(
                ordinal=len(paragraphs) + 1,
                page=block.page,
                page_end=block.page_end,
                section=section,
                kind=kind,
                number=block.number,
                text=block.text,
                heading=heading if kind is not ParagraphKind.HEADING else None,
                x0=round(block.x0, 1),
                top=round(block.top, 1),
            )
        )
    return tuple(paragraphs)


def _recommends(heading: str) -> bool:
    return SectionReader(Framework.UNKNOWN).heading(heading) is Section.RECOMMENDATIONS


def _warnings(cover: Cover, judgements: tuple[Judgement, ...], pages: list[Page]) -> tuple[str, ...]:
    warnings = []
    if cover.framework is Framework.UNKNOWN:
        warnings.append("its framework could not be told from its first page")
    if cover.framework is Framework.ILACS and cover.inspection_type not in _VISITS:
        have = {judgement.domain for judgement in judgements}
        missing = [domain.value for domain in _ILACS_DOMAINS if domain not in have and domain is not Domain.CARE_LEAVERS]
        if missing:
            warnings.append(f"no judgement found on {', '.join(missing)}")
    warnings.extend(f"page {page.number} holds an image and no text" for page in pages if page.images)
    return tuple(warnings)
