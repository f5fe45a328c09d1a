"""What the encoder made of each paragraph (:func:`pipeline.themes.stacking.packed`), as the store keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from pipeline.schema import vectors

if TYPE_CHECKING:
    import numpy as np

_ASKED_AT_ONCE = 500  # parameters of one query; SQLite's older limit is 999


def vectors_of(
    connection: Connection,
    encoder_id: str,
    texts: dict[str, str],
    encode: Callable[[list[str]], np.ndarray[Any, Any] | None],
) -> tuple[np.ndarray[Any, Any], dict[str, np.ndarray[Any, Any]]]:
    """A row for each text, kept or made now, and those made now, by fingerprint; nothing is written.

    Parameters
    ----------
    texts : dict
        At least one text by its fingerprint.
    encode : callable
        What this encoder makes of texts that are not kept; with such an ``encoder_id`` it gives rows.

    Returns
    -------
    tuple of ndarray and dict
        float16, shape (texts, size), in the order of ``texts``; and the new rows.
    """
    import numpy as np

    known = _kept(connection, encoder_id, list(texts))
    missing = [fingerprint for fingerprint in texts if fingerprint not in known]
    fresh: dict[str, np.ndarray[Any, Any]] = {}
    if missing:
        encoded = encode([texts[fingerprint] for fingerprint in missing])
        assert encoded is not None  # there is an encoder
        fresh = dict(zip(missing, encoded.astype("<f2"), strict=True))
    rows = known | fresh
    return np.stack([rows[fingerprint] for fingerprint in texts]), fresh


def _kept(connection: Connection, encoder_id: str, fingerprints: Sequence[str]) -> dict[str, np.ndarray[Any, Any]]:
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
