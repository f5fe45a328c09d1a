"""Bodies unpacked within a bound: a small answer must not unpack into all of the memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from pipeline.sources.ofsted.errors import FetchError, TryAgain

_PIECE = 1 << 20


def decoded(pieces: Iterator[bytes], encoding: str | None, limit: int, url: str) -> Iterator[bytes]:
    """The body's pieces, unpacked if they are packed with gzip or deflate.

    Parameters
    ----------
    pieces : iterator of bytes
        As they travel.
    encoding : str or None
        ``Content-Encoding``.
    limit : int
        Bytes, unpacked, at most.

    Raises
    ------
    FetchError
        More than ``limit``, or an encoding that was not asked for.
    TryAgain
        It is damaged.
    """
    size = 0
    for piece in _unpacked(pieces, (encoding or "identity").strip().lower(), limit, url):
        size += len(piece)
        if size > limit:
            raise FetchError(f"{url} is larger than {limit / 1e6:g} MB; it was refused.")
        yield piece


def _unpacked(pieces: Iterator[bytes], encoding: str, limit: int, url: str) -> Iterator[bytes]:
    if encoding == "identity":
        yield from pieces
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError(f"{url} is packed as {encoding[:20]!r}, which was not asked for; it was refused.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its own head
    try:
        for piece in pieces:
            waiting = piece
            while waiting:
                yield unpacker.decompress(waiting, min(_PIECE, limit + 1))
                waiting = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise TryAgain(f"{url} is damaged: it does not unpack") from error
    if not unpacker.eof:
        raise TryAgain(f"{url} is damaged: it ends in the middle")
