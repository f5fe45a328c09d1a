"""The discover and download stages: what the sources have, fetched and registered in the store by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.config import Config
from pipeline.files import sha256_of
from pipeline.imports import IMPORTED
from pipeline.schema import REPORT_ID_LENGTH, Status, reports
from pipeline.sources import make_source
from pipeline.sources.base import Discovery, Fetched, KnownFile, Listing, Source
from pipeline.sources.base import Outcome as FetchOutcome
from pipeline.sources.options import FolderSource
from pipeline.stage import Context, Outcome, Stage
from pipeline.store import Store

_BATCH = 32  # files a transaction


@dataclass(frozen=True)
class Found:
    """What one source has that is not held yet."""

    source: Source
    new: tuple[Listing, ...]


def sources_of(config: Config, store: Store, only: str | None = None) -> list[Source]:
    """The configured sources, and the folder of imported files where there is one."""
    options = [option for option in config.sources if only in (None, option.name)]
    imported = config.corpus / IMPORTED
    if imported.is_dir() and only in (None, IMPORTED):
        options.append(FolderSource(name=IMPORTED, type="folder", path=str(imported)))
    return [make_source(option, config, store) for option in options]


def look(source: Source, store: Store, context: Context | None = None, dry_run: bool = False) -> Discovery:
    """What a source has now against what the store knows of it."""
    with store.reading() as connection:
        rows = connection.execute(
            select(reports.c.source_path, reports.c.bytes, reports.c.mtime_ns).where(
                reports.c.source == source.name, reports.c.status != Status.REPLACED
            )
        )
        known = {row.source_path: KnownFile(row.bytes, row.mtime_ns) for row in rows}

    def shown(_what: str, done: int, total: int | None) -> None:
        if context is not None:
            context.progress(Stage.DISCOVER, done, total or done)

    return source.discover(known, shown, dry_run=dry_run)


def discover(context: Context) -> Outcome:
    """Ask every source what it has; what is new waits in ``context.found`` for the download stage."""
    outcome = Outcome(Stage.DISCOVER)
    for source in sources_of(context.config, context.store, context.source):
        discovery = look(source, context.store, context)
        context.found.append(Found(source, discovery.new))
        outcome.done += len(discovery.new)
        outcome.unchanged += len(discovery.unchanged)
        outcome.doubts.extend(discovery.doubts)
        outcome.notes.extend(discovery.notes)
        outcome.notes.extend(_remember_gone(context.store, source.name, discovery))
    return outcome


def _remember_gone(store: Store, source: str, discovery: Discovery) -> list[str]:
    """Note which files a source has given up, or has again; said once each. What was read of them is counted still."""
    with store.reading() as connection:
        rows = connection.execute(
            select(reports.c.report_id, reports.c.source_path, reports.c.gone).where(
                reports.c.source == source, reports.c.status != Status.REPLACED
            )
        ).all()
    gone = set(discovery.gone)
    lost = [row for row in rows if row.gone is None and row.source_path in gone]
    back = [row for row in rows if row.gone is not None and row.source_path not in gone]
    if lost or back:
        with store.writing() as connection:
            for chosen, day in ((lost, date.today()), (back, None)):
                ids = [row.report_id for row in chosen]
                connection.execute(update(reports).where(reports.c.report_id.in_(ids)).values(gone=day))
    return [
        *(f"{row.source_path} is no longer at its source; what was read of it is kept and counted." for row in lost),
        *(f"{row.source_path} is at its source again." for row in back),
    ]


def download(context: Context) -> Outcome:
    """Fetch what was found and register it: one row a file, the report's id its content."""
    outcome = Outcome(Stage.DOWNLOAD)
    total = sum(len(found.new) for found in context.found)

    def shown(_what: str, done: int, _total: int | None) -> None:
        context.progress(Stage.DOWNLOAD, done, total)

    for found in context.found:
        results = found.source.fetch(found.new, shown)
        for batch in _batches(results):
            with context.store.writing() as connection:
                for fetched in batch:
                    _take(connection, context, fetched, outcome)
    return outcome


def _batches(results: Iterator[Fetched]) -> Iterator[list[Fetched]]:
    while batch := list(islice(results, _BATCH)):
        yield batch


def _take(connection: Connection, context: Context, fetched: Fetched, outcome: Outcome) -> None:
    listing = fetched.listing
    if fetched.outcome in (FetchOutcome.READY, FetchOutcome.UNCHANGED):
        try:
            new = register(connection, listing, context.config, context.run_id)
        except OSError as error:
            outcome.set_aside += 1
            outcome.notes.append(
                f"{listing.source_path} cannot be read ({error.strerror}); it is tried again next time."
            )
            return
        outcome.done += new
        outcome.unchanged += not new
        return
    if fetched.reason:
        # What was left for another run may be more than the summary knows of: a monitor should hear of it.
        told = outcome.doubts if fetched.outcome is FetchOutcome.LEFT else outcome.notes
        told.append(fetched.reason)
    outcome.set_aside += fetched.outcome is FetchOutcome.FAILED


def register(connection: Connection, listing: Listing, config: Config, run_id: int) -> bool:
    """Bring one file's row up to date; whether its content is new to the store.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if listing.file is None:
        raise FileNotFoundError(2, "it was not fetched", listing.source_path)
    sha256 = listing.sha256 or sha256_of(listing.file)
    at_place = (reports.c.source == listing.source) & (reports.c.source_path == listing.source_path)
    held = connection.execute(
        select(reports.c.report_id, reports.c.sha256).where(at_place, reports.c.status != Status.REPLACED)
    ).first()
    facts = _facts(listing, config)
    if held is not None and held.sha256 == sha256:
        connection.execute(update(reports).where(reports.c.report_id == held.report_id).values(**facts))
        return False
    if held is not None:
        _replace(connection, held.report_id, held.sha256)
    report_id = sha256[:REPORT_ID_LENGTH]
    same = connection.execute(
        select(reports.c.report_id, reports.c.file, reports.c.status, reports.c.reason, reports.c.source_path).where(
            reports.c.report_id == report_id
        )
    ).first()
    if same is not None and (same.status == Status.REPLACED or not config.resolve(same.file).exists()):
        # It came back, or was moved: the same report at another place.
        again = bool(same.status == Status.REPLACED)
        connection.execute(
            update(reports)
            .where(reports.c.report_id == report_id)
            .values(
                **facts,
                source=listing.source,
                source_path=listing.source_path,
                status=Status.FOUND if again else same.status,
                reason=None if again else same.reason,
                gone=None,
            )
        )
        return again
    status, reason = Status.FOUND, None
    if same is not None and same.status == Status.SET_ASIDE:
        status, reason = Status.SET_ASIDE, same.reason
    elif same is not None:
        status, reason = Status.DUPLICATE, f"same content as {same.source_path}"
    connection.execute(
        insert(reports).values(
            report_id=_id_of_place(sha256, listing) if same is not None else report_id,
            source=listing.source,
            source_path=listing.source_path,
            sha256=sha256,
            status=status,
            reason=reason,
            first_run=run_id,
            **facts,
        )
    )
    return True


def _facts(listing: Listing, config: Config) -> dict[str, object]:
    """The columns that the source speaks for."""
    return {
        "file": _file_of(listing, config),
        "bytes": listing.size,
        "mtime_ns": listing.mtime_ns,
        "url": listing.url,
        "title": listing.title,
        "listed_urn": listing.urn,
        "listed_authority": listing.authority,
        "listed_published": listing.published,
    }


def _file_of(listing: Listing, config: Config) -> str:
    """Relative to the configuration where it lies below it, so that a corpus can be moved or mailed as a folder."""
    file = Path(str(listing.file)).absolute()
    home = config.path.parent
    return file.relative_to(home).as_posix() if file.is_relative_to(home) else str(file)


def _id_of_place(sha256: str, listing: Listing) -> str:
    place = f"{sha256}\n{listing.source}\n{listing.source_path}"
    return hashlib.sha256(place.encode()).hexdigest()[:REPORT_ID_LENGTH]


def _replace(connection: Connection, report_id: str, sha256: str) -> None:
    """A file has other content now. A copy of the old content elsewhere takes its report over, else it is retired."""
    if report_id != sha256[:REPORT_ID_LENGTH]:
        connection.execute(delete(reports).where(reports.c.report_id == report_id))
        return
    heir = connection.execute(
        select(reports)
        .where(reports.c.sha256 == sha256, reports.c.report_id != report_id)
        .order_by(reports.c.source_path)
    ).first()
    if heir is None:
        connection.execute(
            update(reports)
            .where(reports.c.report_id == report_id)
            .values(status=Status.REPLACED, reason="its file has other content now")
        )
        return
    connection.execute(delete(reports).where(reports.c.report_id == heir.report_id))
    kept = (
        "source",
        "source_path",
        "file",
        "bytes",
        "mtime_ns",
        "url",
        "title",
        "listed_urn",
        "listed_authority",
        "listed_published",
    )
    connection.execute(
        update(reports).where(reports.c.report_id == report_id).values({name: getattr(heir, name) for name in kept})
    )
