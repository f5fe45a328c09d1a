"""The data package: what the dictionary says is what the files hold."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.publish import catalogue
from pipeline.publish.datapackage import DESCRIPTOR, FOLDER


@pytest.fixture(scope="module")
def package(published: Path) -> dict[str, Any]:
    """The descriptor."""
    read: dict[str, Any] = json.loads((published / FOLDER / DESCRIPTOR).read_text(encoding="utf-8"))
    return read


def _parsed(cell: str, field: dict[str, Any]) -> object:
    if cell == "":
        return None
    kinds = {"string": str, "integer": int, "number": float}
    if field["type"] == "boolean":
        return {**dict.fromkeys(field["trueValues"], True), **dict.fromkeys(field["falseValues"], False)}[cell]
    value: float | str = kinds[field["type"]](cell)
    bounds = field.get("constraints", {})
    if bounds:
        assert bounds["minimum"] <= float(value) <= bounds["maximum"], (field, cell)
    return value


def test_every_file_of_the_folder_is_described(published: Path, package: dict[str, Any]) -> None:
    described = {resource["path"] for resource in package["resources"]}
    assert described | {DESCRIPTOR} == {path.name for path in (published / FOLDER).iterdir()}
    assert all(field["description"] for resource in package["resources"] for field in resource["schema"]["fields"])


def test_every_csv_is_as_its_schema_says(published: Path, package: dict[str, Any]) -> None:
    themes = {row["theme"] for row in csv.DictReader((published / FOLDER / "themes.csv").open(encoding="utf-8"))}
    for resource in package["resources"]:
        if resource["format"] != "csv":
            continue
        path = published / FOLDER / resource["path"]
        assert resource["hash"] == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        schema = resource["schema"]
        with path.open(encoding="utf-8", newline="") as file:
            heading, *lines = csv.reader(file)
        assert heading == [field["name"] for field in schema["fields"]]
        for line in lines:
            for cell, field in zip(line, schema["fields"], strict=True):
                _parsed(cell, field)
        keys = [tuple(line[heading.index(name)] for name in schema["primaryKey"]) for line in lines]
        assert len(keys) == len(set(keys)), resource["name"]
        if schema.get("foreignKeys"):
            assert {line[heading.index("theme")] for line in lines} <= themes, resource["name"]


def test_parquet_holds_the_same_as_csv_in_types_of_its_own(published: Path, package: dict[str, Any]) -> None:
    kinds = {"string": "str", "integer": "int64", "number": "float64", "boolean": "bool"}
    for resource in package["resources"]:
        if resource["format"] != "parquet":
            continue
        frame = pd.read_parquet(published / FOLDER / resource["path"])
        fields = resource["schema"]["fields"]
        assert [str(kind) for kind in frame.dtypes] == [kinds[field["type"]] for field in fields], resource["name"]
        with (published / FOLDER / f"{Path(resource['path']).stem}.csv").open(encoding="utf-8", newline="") as file:
            _, *lines = csv.reader(file)
        assert len(lines) == len(frame)
        for line, row in zip(lines, frame.itertuples(index=False), strict=True):
            for cell, value, field in zip(line, row, fields, strict=True):
                exact = _parsed(cell, field)
                if exact is None:
                    assert value == "" or pd.isna(value)
                elif isinstance(exact, str):
                    assert value in (exact, exact.removeprefix("'"))  # the CSV keeps spreadsheets from running it
                else:
                    assert value == exact


def test_the_tables_at_the_top_are_those_of_the_package(published: Path) -> None:
    for name in (catalogue.THEMES, catalogue.SECTIONS):
        assert (published / f"{name}.csv").read_bytes() == (published / FOLDER / f"{name}.csv").read_bytes()
        assert (published / f"{name}.csv").read_bytes() == (published / "site" / "data" / f"{name}.csv").read_bytes()
