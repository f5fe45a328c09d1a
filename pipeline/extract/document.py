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
from pipeline.extract.furniture import boxes_opened, contents_rows
from pipeline.extract.judgements import Table, judgement_table, sentence_judgements
from pipeline.extract.layout import arranged
from pipeline.extract.pages import Page
from pipeline.extract.paragraphs import Block, blocks
from pipeline.extract.sections import SectionReader, names_part

_ILACS_DOMAINS = (
    Domain.LEADERSHIP,
    Domain.HELP_AND_PROTECTION,
    Domain.CHILDREN_IN_CARE,
    Domain.CARE_LEAVERS,
    Domain.OVERALL,
)
_SENTENCE_WORDS = 40  # a sentence that judges is a heading or a short paragraph of its own
_VISITS = (InspectionType.FOCUSED_VISIT, InspectionType.MONITORING_VISIT, InspectionType.JTAI)


def document_of(pages: list[Page]) -> Document:
    """Read a report's structure from the lines of its pages."""
    rows, size = arranged(pages)
    cover = read_cover(rows)
    table = judgement_table(rows, cover.framework) if cover.inspection_type not in _VISITS else None
    tables = (set(table.rows) if table else set()) | contents_rows(rows)
    tables |= boxes_opened(rows, tables, size)
    found = blocks(rows, size, tables)
    judgements = _judgements(cover, table, found)
    paragraphs = _paragraphs(found, cover, table)
    return Document(cover, judgements, paragraphs, len(pages), _warnings(cover, judgements, pages))


def _judgements(cover: Cover, table: Table | None, found: list[Block]) -> tuple[Judgement, ...]:
    judgements = list(table.judgements) if table else []
    if cover.framework in (Framework.SIF, Framework.LSCB_REVIEW):
        wanted = {Domain.LSCB} if cover.framework is Framework.LSCB_REVIEW else {Domain.OVERALL, Domain.LSCB}
        pieces = (
            (block.page, block.text)
            for block in found
            if block.kind in (ParagraphKind.HEADING, ParagraphKind.PARAGRAPH)
            and len(block.text.split()) <= _SENTENCE_WORDS
        )
        judgements.extend(sentence_judgements(pieces, wanted - {judgement.domain for judgement in judgements}))
    if cover.framework is Framework.ILACS and judgements and not any(j.domain is Domain.OVERALL for j in judgements):
        judgements.append(Judgement(Domain.OVERALL, Grade.NOT_JUDGED, table.page if table else None, Basis.ABSENT))
    order = list(Domain)
    return tuple(sorted(judgements, key=lambda judgement: order.index(judgement.domain)))


def _paragraphs(found: list[Block], cover: Cover, table: Table | None) -> tuple[Paragraph, ...]:
    reader = SectionReader(cover.framework, in_lscb=cover.framework is Framework.LSCB_REVIEW)
    end_of_table = max(table.rows) if table and cover.framework is Framework.ILACS else None
    paragraphs: list[Paragraph] = []
    heading: str | None = None
    for block in found:
        kind = block.kind
        if kind is ParagraphKind.HEADING:
            opens = not block.minor or names_part(block.text)
            if opens and not _on_cover(block, cover, end_of_table):
                reader.heading(block.text, block.size)
            heading = block.text
        elif kind not in (ParagraphKind.FOOTNOTE, ParagraphKind.TABLE):
            if reader.section is Section.COVER and _after_cover(block, cover, end_of_table):
                reader.section = Section.SUMMARY
            reader.text(block.text)
            if reader.recommending and kind in (ParagraphKind.BULLET, ParagraphKind.NUMBERED):
                kind = ParagraphKind.RECOMMENDATION
        paragraphs.append(
            Paragraph(
                ordinal=len(paragraphs) + 1,
                page=block.page,
                page_end=block.page_end,
                section=reader.section,
                kind=kind,
                number=block.number,
                text=block.text,
                heading=heading if kind is not ParagraphKind.HEADING else None,
                x0=round(block.x0, 1),
                top=round(block.top, 1),
            )
        )
    return tuple(paragraphs)


def _on_cover(block: Block, cover: Cover, end_of_table: tuple[int, float] | None) -> bool:
    """Whether a heading belongs to the cover: titles there name every section's matter."""
    if cover.inspection_type in _VISITS:
        return False
    if end_of_table is not None:
        return (block.page, block.top) <= end_of_table
    return block.page == 1


def _after_cover(block: Block, cover: Cover, end_of_table: tuple[int, float] | None) -> bool:
    """Whether running text after the cover begins here without a heading of its own: the opening summary."""
    if cover.inspection_type in _VISITS:
        return len(block.text.split()) > 12
    return end_of_table is not None and (block.page, block.top) > end_of_table


def _warnings(cover: Cover, judgements: tuple[Judgement, ...], pages: list[Page]) -> tuple[str, ...]:
    warnings = []
    if cover.framework is Framework.UNKNOWN:
        warnings.append("its framework could not be told from its first page")
    if cover.framework is Framework.ILACS and cover.inspection_type not in _VISITS:
        have = {judgement.domain for judgement in judgements}
        missing = [
            domain.value for domain in _ILACS_DOMAINS if domain not in have and domain is not Domain.CARE_LEAVERS
        ]
        if missing:
            warnings.append(f"no judgement found on {', '.join(missing)}")
    warnings.extend(f"page {page.number} holds an image and no text" for page in pages if page.images)
    return tuple(warnings)
