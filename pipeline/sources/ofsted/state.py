"""What is remembered of the site between runs: its hosts, its providers, its publications, and which are held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, insert, select, update

from pipeline.sources.schema import site_providers, site_publications, site_robots

_ROBOTS_KEPT = timedelta(hours=24)  # RFC 9309: no longer than a day


@dataclass(frozen=True, slots=True)
class Provider:
    """An authority's page. ``publications``: how many it listed when last read well, ``None`` if never."""

    urn: str
    name: str
    url: str
    in_search: bool
    publications: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A publication, as remembered; the columns of ``site_publications``."""

    file_number: str
    urn: str
    title: str
    kind: str
    published: date | None
    url: str
    listed: bool = True
    file: str | None = None
    bytes: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    checked: str | None = None
    withdrawn: bool = False
    tries: int = 0
    next_try: str | None = None
    reason: str | None = None

    def held(self, folder: Path) -> bool:
        """Whether its file is on disk as it was stored."""
        if self.file is None:
            return False
        try:
            status = (folder / self.file).stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.bytes, self.mtime_ns)


_COLUMNS = tuple(field.name for field in fields(Known))


class SiteState:
    """The site's tables in the store. Every write is one transaction.

    Parameters
    ----------
    engine : Engine
        The store's.
    source : str
        The source's name: two sources of this type remember apart.
    """

    def __init__(self, engine: Engine, source: str) -> None:
        self._engine = engine
        self._source = source

    def robots(self, host: str) -> str | None:
        """The host's robots.txt, unless it was asked for more than a day ago."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(site_robots.c.text, site_robots.c.asked).where(
                    site_robots.c.source == self._source, site_robots.c.host == host
                )
            ).first()
        if row is None or datetime.fromisoformat(row.asked) + _ROBOTS_KEPT < datetime.now(UTC):
            return None
        text: str = row.text
        return text

    def keep_robots(self, host: str, text: str) -> None:
        """Keep it for a day."""
        row = {"host": host, "text": text, "asked": stamp()}
        with self._engine.begin() as connection:
            kept = select(site_robots.c.host).where(site_robots.c.source == self._source, site_robots.c.host == host)
            if connection.execute(kept).first() is None:
                self._insert(connection, site_robots, [row])
            else:
                self._update(connection, site_robots, "host", [row])

    def providers(self) -> dict[str, Provider]:
        """Every provider ever listed, by URN."""
        table = site_providers
        with self._engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.source == self._source).order_by(table.c.urn))
            return {row.urn: Provider(row.urn, row.name, row.url, row.in_search, row.publications) for row in rows}

    def publications(self) -> dict[str, Known]:
        """Every publication ever listed, by file number."""
        table = site_publications
        with self._engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.source == self._source).order_by(table.c.file_number))
            return {row.file_number: Known(**{name: getattr(row, name) for name in _COLUMNS}) for row in rows}

    def keep_survey(self, providers: Iterable[Provider], publications: Mapping[str, Known]) -> None:
        """Remember what the pages listed: providers and publications that are new or differ."""
        known_providers, known = self.providers(), self.publications()
        providers = [each for each in providers if known_providers.get(each.urn) != each]
        changed = [each for each in publications.values() if known.get(each.file_number) != each]
        with self._engine.begin() as connection:
            for table, key, rows, before in (
                (site_providers, "urn", [asdict(each) for each in providers], known_providers),
                (site_publications, "file_number", [_row(each) for each in changed], known),
            ):
                self._insert(connection, table, [row for row in rows if row[key] not in before])
                self._update(connection, table, key, [row for row in rows if row[key] in before])

    def keep(self, publications: Iterable[Known]) -> None:
        """Remember publications, known ones, as they are now."""
        with self._engine.begin() as connection:
            self._update(connection, site_publications, "file_number", [_row(each) for each in publications])

    def _insert(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(insert(table), [{**row, "source": self._source} for row in rows])

    def _update(self, connection: Connection, table: Table, key: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            names = [name for name in rows[0] if name != key]
            statement = (
                update(table)
                .where(table.c.source == self._source, table.c[key] == bindparam("key_"))
                .values({name: bindparam(name) for name in names})
            )
            connection.execute(statement, [{"key_": row[key], **{name: row[name] for name in names}} for row in rows])


def _row(publication: Known) -> dict[str, Any]:
    return {name: getattr(publication, name) for name in _COLUMNS}


def stamp(at: datetime | None = None) -> str:
    """A time as it is stored: ISO 8601 in UTC, to the second, so that text sorts as time does."""
    return (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
