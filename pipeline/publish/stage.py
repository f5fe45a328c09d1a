"""The publish stage: every publication written anew when anything that it shows has changed, and only then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from pipeline import __version__
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.files import clear_half_written
from pipeline.stage import Context, Outcome, Stage
from pipeline.store import Store
from pipeline.tables.stage import corpus_stamp

if TYPE_CHECKING:
    from pipeline.publish.publication import Publication

STAMP = "publish_stamp"
FILES = "publish_files"
"""Keys in ``meta``: what the publications were made from, and (JSON) their files, relative to the output folder."""

PUBLICATION_VERSION = 2
"""Raise it when the publications look or count differently, so that they are made again."""

Writer = Callable[["Publication", Path], list[Path]]
"""Writes some files into the output folder, each whole or not at all, and says which."""


def publish(context: Context) -> Outcome:
    """Write every publication into ``config.output``, unless they are there and nothing has changed since.

    Raises
    ------
    PipelineError
        A file may not be replaced; on Windows because another program has it open.
    OSError
        As the file system does (disk full); each publication is then the old one or the new one.
    """
    config = context.config
    with context.store.reading() as connection:
        if not is_stale(connection, config):
            return Outcome(Stage.PUBLISH, unchanged=1)
        stamp = _stamp(connection, config)

    from pipeline.correcting import correct
    from pipeline.publish.gathering import gather
    from pipeline.themes.taxonomy import load_taxonomy

    clear_half_written(config.output)  # by a run that was killed; no other run is here
    taxonomy = load_taxonomy(config.taxonomy)
    publication = gather(
        context.store,
        config,
        taxonomy,
        context.run_id,
        lambda corpus: correct(context.store, config, taxonomy, corpus=corpus),
    )
    writers = list(_writers())
    files: list[Path] = []
    for done, write in enumerate(writers, start=1):
        try:
            files.extend(write(publication, config.output))
        except PermissionError as error:
            raise PipelineError(
                f"{error.filename2 or error.filename} cannot be replaced ({error.strerror}): close the program that "
                "has it open, or check its owner and permissions, then run again."
            ) from error
        context.progress(Stage.PUBLISH, done, len(writers))
    names = sorted(path.relative_to(config.output).as_posix() for path in files)
    with context.store.writing() as connection:
        Store.put(connection, FILES, json.dumps(names))
        Store.put(connection, STAMP, stamp)
    return Outcome(Stage.PUBLISH, done=len(names))


def forget(connection: Connection) -> None:
    """Have every publication made again, though nothing has changed."""
    Store.put(connection, STAMP, "")


def is_stale(connection: Connection, config: Config) -> bool:
    """Whether the publications are missing, in part or in whole, or show something else than the store holds."""
    if Store.get(connection, STAMP) != _stamp(connection, config):
        return True
    names = json.loads(Store.get(connection, FILES) or "[]")
    return not names or not all((config.output / name).is_file() for name in names)


def _stamp(connection: Connection, config: Config) -> str:
    parts = [str(PUBLICATION_VERSION), __version__, corpus_stamp(connection, config)]
    from pipeline.correcting import answers_file

    files = (config.authorities, config.labels, answers_file(config))
    known = [path.read_bytes() for path in files if path is not None and path.is_file()]
    return hashlib.sha256("\n".join(parts).encode() + b"\n".join(known)).hexdigest()


def _writers() -> Iterator[Writer]:
    from pipeline.publish import csvs, datapackage, pictures, qda, site, workbook

    yield csvs.write
    yield datapackage.write
    yield workbook.write
    yield pictures.write
    yield qda.write
    yield site.write  # last: it shows the pictures
