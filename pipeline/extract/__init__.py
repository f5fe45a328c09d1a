"""Extraction: a PDF in, a document out (cover, judgements, sections, paragraphs)."""

from __future__ import annotations

from pipeline.extract.reading import EXTRACTOR, ExtractOptions, read_document
from pipeline.extract.workers import read_many

__all__ = ["EXTRACTOR", "ExtractOptions", "read_document", "read_many"]
