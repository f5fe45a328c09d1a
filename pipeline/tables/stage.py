"""The tables stage: theme frequencies by overall judgement as of this run, kept beside those of the run before."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Connection, delete, func, insert, select

from pipeline.config import Config
from pipeline.schema import Status, frequencies, reports
from pipeline.stage import Context, Outcome, Stage
from pipeline.store import Store

STAMP = "tables_stamp"
"""The key in ``meta`` of what the newest snapshot was counted from."""


def tables(context: Context) -> Outcome:
    """Count again if any report was read or tagged anew, was added or withdrawn, or the bands or themes changed."""
    with context.store.reading() as connection:
        stamp = corpus_stamp(connection, context.config)
        if not is_stale(connection, context.config):
            return Outcome(Stage.TABLES, unchanged=1)

    from pipeline.analysis import count_frequencies
    from pipeline.themes.taxonomy import load_taxonomy

    taxonomy = load_taxonomy(context.config.taxonomy)
    counted = count_frequencies(context.store, context.config, taxonomy, intervals=False)
    with context.store.writing() as connection:
        keep = connection.scalar(select(func.max(frequencies.c.snapshot)))
        connection.execute(delete(frequencies).where(frequencies.c.snapshot != (keep or 0)))
        connection.execute(delete(frequencies).where(frequencies.c.snapshot == context.run_id))
        columns = [column.name for column in frequencies.columns if column.name != "snapshot"]
        rows = [dict(zip(columns, row, strict=True)) for row in counted[columns].itertuples(index=False, name=None)]
        if rows:
            connection.execute(insert(frequencies).values(snapshot=context.run_id), rows)
        Store.put(connection, STAMP, stamp)
    return Outcome(Stage.TABLES, done=1)


def is_stale(connection: Connection, config: Config) -> bool:
    """Whether the newest snapshot was counted from something else than what is there now."""
    return Store.get(connection, STAMP) != corpus_stamp(connection, config)


def corpus_stamp(connection: Connection, config: Config) -> str:
    """A digest of everything that the tables are counted from: it is equal exactly when the tables would be."""
    rows = connection.execute(
        select(reports.c.report_id, reports.c.extracted_with, reports.c.tagged_with)
        .where(reports.c.status == Status.EXTRACTED)
        .order_by(reports.c.report_id)
    )
    digest = hashlib.sha256()
    for row in rows:
        digest.update("\t".join(str(value) for value in row).encode())
        digest.update(b"\n")
    bands = {grade.value: band.value for grade, band in sorted(config.bands.items())}
    digest.update(json.dumps([bands, config.tables.model_dump()]).encode())
    digest.update(config.taxonomy.read_bytes() if config.taxonomy.is_file() else b"")
    return digest.hexdigest()
