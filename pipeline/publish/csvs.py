"""The tables that most people open first, as plain CSV files at the top of the output folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.publish.frames import write_frame
from pipeline.publish.publication import SECTIONS, THEMES, Publication

_TOP = (THEMES, SECTIONS)


def write(publication: Publication, output: Path) -> list[Path]:
    """Write ``theme-frequencies.csv``, ``section-frequencies.csv`` and, under ``tables/``, all other tables."""
    written = []
    for table in publication.tables.values():
        path = output / f"{table.name}.csv" if table.name in _TOP else output / "tables" / f"{table.name}.csv"
        write_frame(table.frame, "csv", path)
        written.append(path)
    return written
