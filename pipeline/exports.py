"""``pipeline export``: the store's tables as CSV, Parquet or JSON lines, for other programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Boolean, ColumnElement, Date, Float, Integer, Select, select

from pipeline.errors import UsageError
from pipeline.files import neutralised, written_whole
from pipeline.schema import judgements, paragraphs, reports, tags
from pipeline.store import Store

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_ROWS_AT_A_TIME = 10_000


class Format(StrEnum):
    """A format that other programs read."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


class Stored(StrEnum):
    """The tables that are exported as the store holds them."""

    REPORTS = "reports"
    JUDGEMENTS = "judgements"
    PARAGRAPHS = "paragraphs"
    TAGS = "tags"


def _columns(what: Stored) -> tuple[list[ColumnElement[Any]], list[ColumnElement[Any]]]:
    """What is selected and what it is ordered by. The order of the columns is part of the contract with users."""
    if what is Stored.REPORTS:
        r = reports.c
        return [
            r.report_id, r.source_path, r.sha256, r.urn, r.authority, r.framework, r.inspection_type, r.published,
            r.inspection_start, r.inspection_end, r.lead_inspector, r.pages, r.status, r.reason,
            r.region, r.source, r.url, r.title, r.warnings,
        ], [r.source_path, r.report_id]  # fmt: skip
    if what is Stored.JUDGEMENTS:
        j = judgements.c
        return [j.report_id, reports.c.source_path, j.domain, j.grade, j.page, j.basis], [
            reports.c.source_path,
            j.report_id,
            j.domain,
        ]
    if what is Stored.PARAGRAPHS:
        p = paragraphs.c
        return [
            p.paragraph_id, p.report_id, p.ordinal, p.page, p.section, p.kind, p.number, p.text,
            p.heading, p.page_end, p.x0, p.top, p.words, p.substantive, p.fingerprint,
        ], [p.paragraph_id]  # fmt: skip
    t = tags.c
    return [t.paragraph_id, t.theme, t.probability, t.valence, t.model_id], [t.paragraph_id, t.theme]


def _query(what: Stored) -> Select[Any]:
    columns, order = _columns(what)
    query = select(*columns).order_by(*order)
    if what is Stored.JUDGEMENTS:
        query = query.join_from(judgements, reports)
    return query


def export(store: Store, what: Stored, form: Format, output: Path | None) -> int:
    """Write one table of the store, a bounded number of rows at a time; the number of rows is returned.

    Raises
    ------
    UsageError
        Parquet without an output file.
    """
    query = _query(what)
    columns = list(query.selected_columns)
    names = [column.name for column in columns]
    with store.reading() as connection:
        rows = map(tuple, connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(query))
        if form is Format.PARQUET:
            if output is None:
                raise UsageError("Parquet cannot be shown on a terminal; name a file with --output.")
            with written_whole(output) as temporary:
                return _parquet(columns, rows, temporary)
        with text_output(output) as file:
            return _csv(names, rows, file) if form is Format.CSV else _jsonl(names, rows, file)


@contextmanager
def text_output(output: Path | None) -> Iterator[IO[str]]:
    """A text file that is written whole or not at all, or standard output."""
    if output is None:
        yield sys.stdout
        return
    with written_whole(output) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


def write_records(
    kind: type[DataclassInstance], records: Iterable[DataclassInstance], form: Format, output: Path | None
) -> None:
    """Write records of one dataclass, a row each, as CSV or JSON lines."""
    names = [field.name for field in fields(kind)]
    rows = (astuple(record) for record in records)
    with text_output(output) as file:
        _csv(names, rows, file) if form is Format.CSV else _jsonl(names, rows, file)


def _csv(names: list[str], rows: Iterable[tuple[Any, ...]], file: IO[str]) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the number of rows
        writer.writerow([neutralised(cell) for cell in row])
    return count


def _jsonl(names: list[str], rows: Iterable[tuple[Any, ...]], file: IO[str]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the number of rows
        file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str) + "\n")
    return count


def _parquet(columns: list[ColumnElement[Any]], rows: Iterator[tuple[Any, ...]], path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {Integer: pa.int64(), Float: pa.float64(), Boolean: pa.bool_(), Date: pa.date32()}

    def kind(column: ColumnElement[Any]) -> Any:
        # Declared, not guessed: a column that is empty in the first rows has its type all the same.
        return next((arrow for sql, arrow in kinds.items() if isinstance(column.type, sql)), pa.string())

    schema = pa.schema([pa.field(column.name, kind(column)) for column in columns])
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, _ROWS_AT_A_TIME)):
            cells = zip(*batch, strict=True)
            writer.write_table(
                pa.table([pa.array(column, f.type) for column, f in zip(cells, schema, strict=True)], schema=schema)
            )
            count += len(batch)
    return count
