"""The store: one database that every stage reads, and writes in whole transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

import pipeline.sources.schema  # noqa: F401 - declares its tables in the same metadata
from pipeline.errors import PipelineError, UsageError
from pipeline.schema import SCHEMA_VERSION, meta, metadata

_ADVISORY_LOCK = 0x0F57ED


class Store:
    """A database, opened; SQLite in WAL mode by default, PostgreSQL for a team.

    Parameters
    ----------
    url : str
        An SQLAlchemy database URL, its path absolute.

    Raises
    ------
    UsageError
        If the URL is not one, or its driver is not installed.
    PipelineError
        If the database cannot be opened or was made by another version.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            parsed = make_url(url)
            self._file = Path(parsed.database) if parsed.drivername == "sqlite" and parsed.database else None
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            self.engine: Engine = create_engine(url, connect_args={"timeout": 5} if self._file else {})
        except (ArgumentError, NoSuchModuleError) as error:
            raise UsageError(
                f"The store '{url}' is not a database URL ({error}); see 'store' in config.yaml."
            ) from error
        except ModuleNotFoundError as error:
            raise UsageError(
                f"The store '{self.name}' needs the package {error.name}; install it: pip install '.[postgresql]'."
            ) from error
        except OSError as error:
            raise PipelineError(
                f"The store's folder cannot be made ({error}); check 'store' in config.yaml."
            ) from error
        if self._file is not None:
            event.listen(self.engine, "connect", _sqlite_settings)
        self._prepare()

    @property
    def name(self) -> str:
        """The database as a user knows it, without a password."""
        return str(self._file) if self._file else make_url(self.url).render_as_string(hide_password=True)

    def _prepare(self) -> None:
        with self.reading() as connection:
            # Asking before creating: a store in use by another run is then read without a write lock.
            exists = self.engine.dialect.has_table(connection, meta.name)
            version = connection.scalar(select(meta.c.value).where(meta.c.key == "schema_version")) if exists else None
        if version is None:
            with self.writing() as connection:
                metadata.create_all(connection)
                if self.get(connection, "schema_version") is None:
                    connection.execute(insert(meta).values(key="schema_version", value=str(SCHEMA_VERSION)))
        elif version != str(SCHEMA_VERSION):
            raise PipelineError(
                f"The store {self.name} was made by another version (schema {version}, this one is {SCHEMA_VERSION}); "
                "move it away and run again: everything in it can be derived anew."
            )

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or none."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from."""
        with self._explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise PipelineError(self._sentence(error)) from error

    def _sentence(self, error: SQLAlchemyError) -> str:
        cause = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
        cause = " ".join(cause.split())
        if "locked" in cause:
            return f"The store {self.name} is locked by another program; wait for it to end, then run again."
        if "full" in cause or "No space" in cause or "disk I/O" in cause:
            return f"The disk of the store {self.name} is full; free some space, then run again (nothing is lost)."
        if "unable to open" in cause or "readonly" in cause:
            return (
                f"The store {self.name} cannot be opened for writing ({cause}); check the folder and its permissions."
            )
        if "not a database" in cause or "malformed" in cause:
            return f"The store {self.name} is damaged or not a database ({cause}); move it away and run again."
        return f"The store {self.name} answered: {cause}; check 'store' in config.yaml."

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the store for one run; the lock goes with the process, however it ends.

        Raises
        ------
        PipelineError
            If another run holds it.
        """
        busy = f"Another run is using the store {self.name}; wait for it to end, then run again."
        if self._file is not None:
            import filelock

            try:
                with filelock.FileLock(f"{self._file}.lock", timeout=0):
                    yield
            except filelock.Timeout as error:
                raise PipelineError(busy) from error
            return
        with self.reading() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            if self.engine.dialect.name == "postgresql" and not connection.scalar(
                text("select pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK}
            ):
                raise PipelineError(busy)
            try:
                yield
            finally:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})

    @staticmethod
    def get(connection: Connection, key: str) -> str | None:
        """A fact about the store."""
        value: str | None = connection.scalar(select(meta.c.value).where(meta.c.key == key))
        return value

    @staticmethod
    def put(connection: Connection, key: str, value: str) -> None:
        """Set a fact about the store."""
        if connection.execute(meta.update().where(meta.c.key == key).values(value=value)).rowcount == 0:
            connection.execute(insert(meta).values(key=key, value=value))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _sqlite_settings(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
