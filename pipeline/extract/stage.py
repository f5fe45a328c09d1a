"""The extract stage: every report that is new, changed or read by an older extractor is read into the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, false, func, insert, not_, or_, select, update

from pipeline.authorities import Authorities, place_name
from pipeline.config import Config, Extract
from pipeline.domain import Document, fingerprint
from pipeline.errors import SetAside
from pipeline.extract import EXTRACTOR, ExtractOptions, read_many
from pipeline.schema import REPORT_ID_LENGTH, Status, judgements, paragraphs, reports
from pipeline.stage import Context, Outcome, Stage

_BATCH = 16  # documents a transaction: a killed run loses at most these


@dataclass(frozen=True)
class _Listed:
    """What the source says of a report that is to be read."""

    file: str
    urn: str | None
    authority: str | None
    published: date | None


@dataclass(frozen=True)
class _Identity:
    """Whose report it is, and what does not agree about it."""

    urn: str | None
    authority: str | None
    region: str | None
    warnings: tuple[str, ...] = ()


def stale_reports(connection: Connection, config: Config) -> dict[str, _Listed]:
    """The reports to be read: never read, read by another extractor or engine, or set aside under other limits."""
    stamp, stamp_aside = _stamps(config.extract)
    current = or_(
        and_(reports.c.status == Status.EXTRACTED, reports.c.extracted_with == stamp),
        and_(reports.c.status == Status.SET_ASIDE, reports.c.extracted_with == stamp_aside),
    )
    rows = connection.execute(
        select(
            reports.c.report_id,
            reports.c.file,
            reports.c.listed_urn,
            reports.c.listed_authority,
            reports.c.listed_published,
        )
        .where(_readable(), not_(func.coalesce(current, false())))
        .order_by(reports.c.source_path)
    )
    return {
        row.report_id: _Listed(row.file, row.listed_urn, row.listed_authority, row.listed_published) for row in rows
    }


def _readable() -> ColumnElement[bool]:
    # A copy of a report has an id of its own; only the report itself is read.
    itself = reports.c.report_id == func.substr(reports.c.sha256, 1, REPORT_ID_LENGTH)
    return and_(reports.c.status.in_((Status.FOUND, Status.EXTRACTED, Status.SET_ASIDE)), itself)


def extract(context: Context) -> Outcome:
    """Read what is stale, in worker processes, and write each document with its judgements and paragraphs."""
    config, store = context.config, context.store
    stamp, stamp_aside = _stamps(config.extract)
    with store.reading() as connection:
        total = connection.scalar(select(func.count()).select_from(reports).where(_readable())) or 0
        stale = stale_reports(connection, config)
    outcome = Outcome(Stage.EXTRACT, unchanged=total - len(stale))
    if not stale:
        return outcome
    authorities = Authorities.load(config.authorities)
    options = ExtractOptions(
        engine=config.extract.engine,
        timeout_s=config.extract.timeout_s,
        memory_mb=config.extract.memory_mb,
        max_pages=config.extract.max_pages,
    )
    context.progress(Stage.EXTRACT, 0, len(stale))
    jobs = ((report_id, config.resolve(listed.file)) for report_id, listed in stale.items())
    results = read_many(jobs, options, workers=min(config.extract.processes, len(stale)))
    while batch := list(islice(results, _BATCH)):
        with store.writing() as connection:
            for report_id, result in batch:
                if isinstance(result, SetAside):
                    _write_set_aside(connection, report_id, result, stamp_aside)
                    outcome.set_aside += 1
                else:
                    listed = stale[report_id]
                    _write(connection, report_id, result, stamp, listed, _identity(listed, result, authorities))
                outcome.done += 1
        context.progress(Stage.EXTRACT, outcome.done, len(stale))
    return outcome


def _stamps(extract: Extract) -> tuple[str, str]:
    """The stamp of a report that was read, and of one set aside, which another limit may let through."""
    stamp = f"{EXTRACTOR} {extract.engine}"
    return stamp, f"{stamp} {extract.timeout_s:g}s {extract.memory_mb}MB {extract.max_pages}p"


def _identity(listed: _Listed, document: Document, authorities: Authorities) -> _Identity:
    """URN, authority and region: as the source lists them, else as the cover prints them."""
    by_source = (authorities.find(listed.urn) if listed.urn else None) or (
        authorities.find(listed.authority) if listed.authority else None
    )
    printed = document.cover.authority
    by_cover = authorities.find(printed) if printed else None
    warnings: tuple[str, ...] = ()
    if by_source and by_cover and by_source.urn != by_cover.urn:
        warnings = (f"the source lists it under {by_source.name}, its cover says {by_cover.name}",)
    chosen = by_source or (None if listed.urn else by_cover)
    if chosen:
        return _Identity(chosen.urn, chosen.name, chosen.region, warnings)
    return _Identity(listed.urn, place_name(printed) if printed else listed.authority, None, warnings)


def _write_set_aside(connection: Connection, report_id: str, why: SetAside, stamp: str) -> None:
    _forget(connection, report_id)
    connection.execute(
        update(reports)
        .where(reports.c.report_id == report_id)
        .values(status=Status.SET_ASIDE, reason=why.reason, extracted_with=stamp, tagged_with=None)
    )
    # Copies of what cannot be used are no use either: each is shown with the reason.
    connection.execute(
        update(reports)
        .where(_copy_of(report_id), reports.c.status.in_((Status.DUPLICATE, Status.SET_ASIDE)))
        .values(status=Status.SET_ASIDE, reason=why.reason)
    )


def _copy_of(report_id: str) -> ColumnElement[bool]:
    return and_(
        func.substr(reports.c.sha256, 1, REPORT_ID_LENGTH) == report_id,
        reports.c.report_id != report_id,
    )


def _forget(connection: Connection, report_id: str) -> None:
    connection.execute(delete(judgements).where(judgements.c.report_id == report_id))
    connection.execute(delete(paragraphs).where(paragraphs.c.report_id == report_id))


def _write(
    connection: Connection, report_id: str, document: Document, stamp: str, listed: _Listed, identity: _Identity
) -> None:
    cover = document.cover
    _forget(connection, report_id)
    connection.execute(
        update(reports)
        .where(reports.c.report_id == report_id)
        .values(
            status=Status.EXTRACTED,
            reason=None,
            urn=identity.urn,
            authority=identity.authority,
            region=identity.region,
            framework=cover.framework.value,
            inspection_type=cover.inspection_type.value,
            published=listed.published or cover.published,
            inspection_start=cover.inspection_start,
            inspection_end=cover.inspection_end,
            lead_inspector=cover.lead_inspector,
            pages=document.pages,
            warnings="\n".join((*document.warnings, *identity.warnings)) or None,
            extracted_with=stamp,
            tagged_with=None,
        )
    )
    connection.execute(
        update(reports)
        .where(_copy_of(report_id), reports.c.status == Status.SET_ASIDE)
        .values(status=Status.DUPLICATE, reason=None)
    )
    _insert(
        connection,
        judgements,
        (
            {
                "report_id": report_id,
                "domain": j.domain.value,
                "grade": j.grade.value,
                "page": j.page,
                "basis": j.basis.value,
            }
            for j in document.judgements
        ),
    )
    _insert(
        connection,
        paragraphs,
        (
            {
                "paragraph_id": f"{report_id}-{p.ordinal:04d}",
                "report_id": report_id,
                "ordinal": p.ordinal,
                "page": p.page,
                "page_end": p.page_end,
                "x0": p.x0,
                "top": p.top,
                "section": p.section.value,
                "kind": p.kind.value,
                "number": p.number,
                "heading": p.heading,
                "text": p.text,
                "words": p.words,
                "substantive": p.substantive,
                "fingerprint": fingerprint(p.text),
            }
            for p in document.paragraphs
        ),
    )


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, object]]) -> None:
    if values := list(rows):
        connection.execute(insert(table), values)
