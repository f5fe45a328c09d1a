"""Encoder vectors of paragraphs, from the store where they are kept; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.store import Store
from pipeline.themes import cache
from pipeline.themes.tagger import Tagger

if TYPE_CHECKING:
    import numpy as np


def vectors_of(store: Store, tagger: Tagger, texts: dict[str, str]) -> np.ndarray[Any, Any] | None:
    """A row for each text of ``{fingerprint: text}``, shape (texts, size), float16; None without an encoder."""
    if tagger.encoder_id is None or not texts:
        return None
    with store.reading() as connection:
        return cache.vectors_of(connection, tagger.encoder_id, texts, tagger.encode)[0]
