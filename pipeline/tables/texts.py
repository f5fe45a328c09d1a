"""The text behind the counts, read some reports at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, select

from pipeline import schema
from pipeline.errors import PipelineError
from pipeline.tables.corpus import Corpus

REPORTS_AT_A_TIME = 100


def paragraph_rows(
    connection: Connection, corpus: Corpus, columns: Sequence[Column[Any]], reports: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, list[tuple[Any, ...]]]]:
    """Columns of the store's ``paragraphs`` for the corpus's paragraphs, in blocks of whole reports.

    Parameters
    ----------
    columns : sequence of Column
        Of ``pipeline.schema.paragraphs``.
    reports : ndarray of int, optional
        Positions in ``corpus.reports``, ascending; all by default.

    Yields
    ------
    (positions, rows)
        Positions in ``corpus.paragraphs`` and, in the same order, the rows.

    Raises
    ------
    PipelineError
        The store has other paragraphs than when the corpus was read.
    """
    report_of = corpus.paragraphs["report"].to_numpy()
    ordinals = corpus.paragraphs["ordinal"].to_numpy()
    ids = corpus.reports["report_id"].to_numpy(dtype=object)
    wanted = np.arange(len(ids)) if reports is None else reports
    table = schema.paragraphs.c
    for start in range(0, len(wanted), REPORTS_AT_A_TIME):
        block = wanted[start : start + REPORTS_AT_A_TIME]
        query = (
            select(table.ordinal, *columns)
            .where(table.report_id.in_(ids[block].tolist()), table.substantive)
            .order_by(table.report_id, table.ordinal)
        )
        rows = connection.execute(query).all()
        positions = np.concatenate(
            [np.arange(*np.searchsorted(report_of, [report, report + 1]), dtype=np.int64) for report in block]
        )
        if [row[0] for row in rows] != ordinals[positions].tolist():
            raise PipelineError("The store changed while its tables were being made; run the command again.")
        yield positions, [tuple(row[1:]) for row in rows]
