"""Addresses that open a report at a page, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, urlsplit

_LONGEST = 2000  # Excel takes 2,079 characters


def report_link(url: str | None, file: Path, page: int | None = None, seen_from: Path | None = None) -> str:
    """The publisher's address of a report where it is known, else its file's.

    Parameters
    ----------
    url : str or None
        Taken only with ``http`` or ``https``: an address in the store came from outside.
    page : int, optional
        The page to open it at.
    seen_from : Path, optional
        The folder of the document that links; a file is then named relative to it, so that the two can be moved
        together and no folder of this machine's is told. Without it, or from another drive, the address is absolute.
    """
    at = f"#page={page}" if page else ""
    if url and urlsplit(url).scheme in ("http", "https") and len(url) < _LONGEST:
        return f"{url}{at}"
    if seen_from is not None:
        try:
            return quote(Path(os.path.relpath(file, seen_from)).as_posix()) + at
        except ValueError:  # another drive
            return file.absolute().as_uri() + at
    return file.absolute().as_uri() + at
