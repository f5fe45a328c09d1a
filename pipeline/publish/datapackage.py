"""Every table as CSV and Parquet with a data dictionary: a Frictionless data package, ready for Power BI and R.

The dictionary follows the Data Package specification, version 1 (https://specs.frictionlessdata.io/data-package/).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.files import sha256_of, write_text
from pipeline.publish import catalogue, columns
from pipeline.publish.folders import folder_written_whole
from pipeline.publish.frames import write_frame
from pipeline.publish.publication import About, Publication, PublishedTable
from pipeline.tables.columns import (
    ANNEX,
    CHANGES,
    CLAIMS,
    CO_OCCURRENCE,
    CONTRASTS,
    CORRECTED,
    FREQUENCIES,
    SECTION_FIVE,
    TERMS,
    Field,
)

FOLDER = "data"
DESCRIPTOR = "datapackage.json"

_TYPES = {"text": "string", "count": "integer", "percent": "number", "number": "number", "flag": "boolean"}
_KEYS: dict[tuple[Field, ...], tuple[str, ...]] = {
    FREQUENCIES: ("by", "band", "theme"),
    CONTRASTS: ("by", "measure", "theme"),
    CHANGES: ("by", "band", "measure", "theme"),
    CORRECTED: ("by", "band", "measure", "theme"),
    CLAIMS: ("period", "measure", "section"),
    SECTION_FIVE: ("subject", "figure"),
    ANNEX: ("authority", "judgement"),
    TERMS: ("by", "band", "term"),
    CO_OCCURRENCE: ("theme", "with_theme"),
    columns.JUDGED: ("domain", "year", "band"),
    columns.REPORTS: ("report_id",),
    columns.THEMES: ("theme",),
}
_OF_SECTIONS = (catalogue.SECTIONS, catalogue.SECTIONS_LATEST, catalogue.SECTIONS_APART)
"""Tables whose column ``theme`` holds a section of the paper."""


def write(publication: Publication, output: Path) -> list[Path]:
    """Write the folder ``data`` anew and put it in the place of the old one."""
    folder = output / FOLDER
    with folder_written_whole(folder) as building:
        resources = []
        for table in publication.tables.values():
            write_frame(table.frame, "csv", building / f"{table.name}.csv")
            write_frame(table.frame, "parquet", building / f"{table.name}.parquet")
            resources += [_csv(table, building), _parquet(table, building)]
        descriptor = _descriptor(publication.about, resources)
        write_text(building / DESCRIPTOR, json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n")
        names = sorted(path.name for path in building.iterdir())
    return [folder / name for name in names]


def _descriptor(about: About, resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "profile": "data-package",
        "name": "inspection-themes",
        "title": "Theme frequencies by rating band in Ofsted's reports on local authorities' children's services",
        "description": f"{about.reports} reports of {about.authorities} authorities, {about.paragraphs} paragraphs; "
        f"themes assigned by {', '.join(about.models) or 'no model yet'} against the taxonomy '{about.taxonomy}'.",
        "version": f"{about.version}+run.{about.run_id}",
        "created": about.made.isoformat(),
        "licenses": [
            {
                "name": "OGL-UK-3.0",
                "title": "Open Government Licence v3.0 (the reports: Crown copyright)",
                "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            }
        ],
        "sources": [
            {
                "title": "Ofsted: reports on local authorities' children's services",
                "path": "https://reports.ofsted.gov.uk/",
            }
        ],
        "resources": resources,
    }


def _csv(table: PublishedTable, folder: Path) -> dict[str, Any]:
    path = folder / f"{table.name}.csv"
    return {
        **_resource(table, path),
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "header": True},
    }


def _parquet(table: PublishedTable, folder: Path) -> dict[str, Any]:
    path = folder / f"{table.name}.parquet"
    return {
        **_resource(table, path, bounded=False),  # readers of Parquet give a missing number as one that no bound admits
        "name": f"{table.name}-parquet",
        "profile": "data-resource",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
    }


def _resource(table: PublishedTable, path: Path, bounded: bool = True) -> dict[str, Any]:
    return {
        "name": table.name,
        "path": path.name,
        "title": table.title,
        "description": table.about,
        "schema": schema_of(table.fields, _KEYS[table.fields], _themed(table), bounded),
    }


def _themed(table: PublishedTable) -> bool:
    names = {field.name for field in table.fields}
    return "theme" in names and table.name not in (catalogue.THEME_LIST, *_OF_SECTIONS)


def schema_of(fields: Sequence[Field], key: Sequence[str], themed: bool, bounded: bool) -> dict[str, Any]:
    """The Table Schema of some columns.

    Parameters
    ----------
    themed : bool
        Their ``theme`` is a key of the table of themes.
    bounded : bool
        Say that percentages run from 0 to 100.
    """
    described: list[dict[str, Any]] = []
    for field in fields:
        entry: dict[str, Any] = {
            "name": field.name,
            "type": _TYPES[field.kind],
            "title": field.title,
            "description": field.note,
        }
        if field.kind == "flag":
            entry |= {"trueValues": ["True"], "falseValues": ["False"]}
        if field.kind == "percent" and bounded:
            entry |= {"constraints": {"minimum": 0, "maximum": 100}}
        described.append(entry)
    schema: dict[str, Any] = {"fields": described, "primaryKey": list(key), "missingValues": [""]}
    if themed:
        reference = {"resource": catalogue.THEME_LIST, "fields": "theme"}
        schema["foreignKeys"] = [{"fields": "theme", "reference": reference}]
    return schema
