"""Encoder vectors of paragraphs, from the store where they are kept; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.store import Store
from pipeline.themes.cache import kept_vectors
from pipeline.themes.tagger import Tagger

if TYPE_CHECKING:
    import numpy as np


def vectors_of(store: Store, tagger: Tagger, texts: dict[str, str]) -> np.ndarray[Any, Any] | None:
    """A row for each text of ``{fingerprint: text}``, shape (texts, size), float16; None without an encoder."""
    if tagger.encoder_id is None or not texts:
        return None
    import numpy as np

    with store.reading() as connection:
        known = kept_vectors(connection, tagger.encoder_id, list(texts))
    missing = [fingerprint for fingerprint in texts if fingerprint not in known]
    if missing:
        encoded = tagger.encode([texts[fingerprint] for fingerprint in missing])
        if encoded is None:
            return None
        known.update(zip(missing, encoded, strict=True))
    return np.stack([known[fingerprint] for fingerprint in texts])
