"""From a file to a document, in this process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.domain import Document
from pipeline.errors import SetAside

EXTRACTOR = "extract-1"
"""Stamp of the code that reads: it changes whenever what is read may change."""


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    """How a PDF is read, and what it may cost.

    Attributes
    ----------
    engine : {"pdfium", "pdfplumber"}
        ``pdfplumber`` is the reference reading: an order of magnitude slower, through the same code from lines on.
    timeout_s : float
        Seconds a PDF may take.
    memory_mb : int
        Mebibytes a worker may hold; checked in the workers of :func:`pipeline.extract.read_many` only.
    max_pages : int
        A longer PDF is set aside.
    """

    engine: Literal["pdfium", "pdfplumber"] = "pdfium"
    timeout_s: float = 60
    memory_mb: int = 1024
    max_pages: int = 2000


def read_document(path: Path, options: ExtractOptions = ExtractOptions()) -> Document:
    """Read one PDF, in this process.

    Raises
    ------
    SetAside
        Where the file is no PDF, cannot be read, holds no text, or is over a limit; the reason says which.
    """
    from pipeline.extract.checks import check_file, check_text
    from pipeline.extract.document import document_of

    deadline = time.monotonic() + options.timeout_s
    check_file(path)
    source = _source(path, options)
    try:
        if source.count > options.max_pages:
            raise SetAside(f"too many pages: {source.count:,} (at most {options.max_pages:,})")
        pages = []
        for page in source:
            pages.append(page)
            if time.monotonic() > deadline:
                raise SetAside(too_long(options))
    finally:
        source.close()
    check_text(pages)
    return document_of(pages)


def too_long(options: ExtractOptions) -> str:
    """The reason of a report that took too long."""
    return f"too slow to read: over {options.timeout_s:g} seconds"


def _source(path: Path, options: ExtractOptions):  # type: ignore[no-untyped-def]
    if options.engine == "pdfplumber":
        from pipeline.extract.plumber import PlumberPages

        return PlumberPages(path)
    from pipeline.extract.pdfium import PdfiumPages

    return PdfiumPages(path)
