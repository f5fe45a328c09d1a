"""The two tables that most people open first, as plain CSV files at the top of the output folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.publish.catalogue import SECTIONS, THEMES
from pipeline.publish.frames import write_frame
from pipeline.publish.publication import Publication


def write(publication: Publication, output: Path) -> list[Path]:
    """Write ``theme-frequencies.csv`` and ``section-frequencies.csv``."""
    written = []
    for name in (THEMES, SECTIONS):
        written.append(output / f"{name}.csv")
        write_frame(publication.frame(name), "csv", written[-1])
    return written
