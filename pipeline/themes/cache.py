"""What the encoder made of each paragraph (:func:`pipeline.themes.stacking.packed`), as the store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from pipeline.schema import vectors

if TYPE_CHECKING:
    import numpy as np

_ASKED_AT_ONCE = 500  # parameters of one query; SQLite's older limit is 999


def kept_vectors(
    connection: Connection, encoder_id: str, fingerprints: Sequence[str]
) -> dict[str, np.ndarray[Any, Any]]:
    """The rows (float16 [size]) of those paragraphs that this encoder has read, by fingerprint."""
    import numpy as np

    known: dict[str, np.ndarray[Any, Any]] = {}
    for start in range(0, len(fingerprints), _ASKED_AT_ONCE):
        rows = connection.execute(
            select(vectors.c.fingerprint, vectors.c.vector).where(
                vectors.c.encoder == encoder_id,
                vectors.c.fingerprint.in_(fingerprints[start : start + _ASKED_AT_ONCE]),
            )
        )
        known.update((row.fingerprint, np.frombuffer(row.vector, dtype="<f2")) for row in rows)
    return known
