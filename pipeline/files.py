"""Files that are never half-written, names that are safe, cells that a spreadsheet does not run."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}(\.\w+)?")  # names that written_whole gives
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place if the block ends well, remove it if not.

    Raises
    ------
    OSError
        As the file system does (disk full, no permission); ``path`` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last: some writers choose the format by it.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_half_written(folder: Path) -> None:
    """Remove the temporary files that :func:`written_whole` left in ``folder`` when its process was killed.

    Only for a folder that nobody else is writing into.
    """
    for left in folder.glob(".*"):
        if _TEMPORARY.fullmatch(left.name) and left.is_file():
            left.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content in hex, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def safe_name(text: str, limit: int = 100) -> str:
    """A file name that any system takes and that leaves no folder: from a title, an authority, a URL."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._ ,&'()-]+", "-", plain)
    plain = re.sub(r"\.{2,}", ".", plain).strip(" .-")[:limit].strip(" .-")
    if not plain or _RESERVED.match(plain):
        plain = f"file {plain}".strip()
    return plain


def neutralised(cell: object) -> object:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe; everything else is left alone.

    A lone sign is a valence and a signed number is a number: neither can be run.
    """
    if not isinstance(cell, str) or not cell.startswith(_FORMULA_STARTS):
        return cell
    if cell in ("+", "-") or re.fullmatch(r"[+-]?\d+(\.\d+)?%?", cell):
        return cell
    return "'" + cell


def neutralise(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of ``frame`` with every text cell made safe for a spreadsheet (see :func:`neutralised`)."""
    safe = frame.copy()
    for column in safe.select_dtypes(exclude=["number", "bool"]).columns:
        safe[column] = safe[column].map(neutralised)
    return safe
