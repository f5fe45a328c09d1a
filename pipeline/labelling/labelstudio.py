"""A batch for Label Studio: tasks as JSON and the labelling interface as XML; its export taken back.

The formats are those of its documentation, "Label Studio Task Format" and "Import pre-annotated data".
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pipeline.domain import Valence
from pipeline.errors import UsageError
from pipeline.files import write_text
from pipeline.labelling import layout
from pipeline.labelling.batch import Batch, Filled, Row
from pipeline.labelling.jsons import parsed, read_text, text_of
from pipeline.themes.taxonomy import Taxonomy

_TEXT = "paragraph"
_NOTHING = "no_theme"
_MODEL = "inspection-themes"
_MEANINGS = {
    Valence.STRENGTH: "a strength or an improvement",
    Valence.WEAKNESS: "a weakness, a risk or a recommendation",
    Valence.MIXED: "both or neither",
}


def config_path(path: Path) -> Path:
    """Where the labelling interface is written: beside the tasks."""
    return path.with_name(f"{path.stem}.config.xml")


def write_labelstudio(batch: Batch, path: Path) -> None:
    """Write the tasks to ``path`` and the labelling interface beside it (see :func:`config_path`)."""
    tasks: list[dict[str, object]] = []
    for item in batch.items:
        heading = f"{item.authority}, {item.published or 'no date'}, page {item.page}"
        task: dict[str, object] = {"data": {**batch.record(item), "text": item.text, "heading": heading}}
        if item.suggested is not None:
            task["predictions"] = [_prediction(item.suggested)]
        tasks.append(task)
    write_text(config_path(path), labelling_interface(batch))
    write_text(path, json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")


def _prediction(suggested: tuple[tuple[str, str], ...]) -> dict[str, object]:
    pairs = suggested or ((_NOTHING, layout.NOTHING_MARK),)
    return {
        "model_version": _MODEL,
        "result": [
            {"id": name, "from_name": name, "to_name": _TEXT, "type": "choices", "value": {"choices": [choice]}}
            for name, choice in pairs
        ],
    }


def labelling_interface(batch: Batch) -> str:
    """The project's labelling configuration: the paragraph, and for each theme one choice of + - 0."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$heading")
    ElementTree.SubElement(view, "Header", value="$link", size="6")
    ElementTree.SubElement(view, "Text", name=_TEXT, value="$text")
    for theme in batch.themes:
        ElementTree.SubElement(view, "Header", value=f"{theme.name}: {theme.definition}", size="5")
        choices = ElementTree.SubElement(
            view, "Choices", name=theme.code, toName=_TEXT, choice="single-radio", showInline="true"
        )
        for valence, meaning in _MEANINGS.items():
            ElementTree.SubElement(choices, "Choice", value=valence.value, hint=meaning)
    ElementTree.SubElement(view, "Header", value="Read, and carries no theme", size="5")
    nothing = ElementTree.SubElement(view, "Choices", name=_NOTHING, toName=_TEXT, choice="single", showInline="true")
    ElementTree.SubElement(nothing, "Choice", value=layout.NOTHING_MARK)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def read_labelstudio(path: Path, taxonomy: Taxonomy) -> Filled:
    """Read Label Studio's JSON export (not JSON-MIN). A task without a submitted annotation is not read yet.

    Raises
    ------
    UsageError
        Not such an export.
    """
    tasks = parsed(read_text(path), str(path))
    if isinstance(tasks, dict):
        tasks = [tasks]
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise UsageError(f"{path} is not a list of Label Studio tasks; export the project as JSON.")
    if tasks and not any("data" in task for task in tasks):
        raise UsageError(f"{path} has no `data` in its tasks; export the project as JSON, not JSON-MIN.")
    rows, codes, skipped = [], dict[str, None](), 0
    for number, task in enumerate(tasks, start=1):
        row, asked, cancelled = _row(task, number, taxonomy)
        rows.append(row)
        codes |= dict.fromkeys(asked)
        skipped += cancelled
    notes = [f"{skipped} tasks were skipped by the annotator and count as not read."] if skipped else []
    return Filled(path, tuple(codes), tuple(rows), notes=tuple(notes))


def _row(task: dict[str, Any], number: int, taxonomy: Taxonomy) -> tuple[Row, list[str], bool]:
    where = f"task {text_of(task, 'id') or number}"
    data = task.get("data") if isinstance(task.get("data"), dict) else {}
    assert isinstance(data, dict)
    themes = data.get("themes")
    asked = [str(code) for code in themes] if isinstance(themes, list) else list(taxonomy.codes)
    given = task.get("annotations")
    found = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    done = [one for one in found if not one.get("was_cancelled")]
    readings = [_reading(one, where) for one in done]
    faults: list[str] = []
    labels: dict[str, str] = {}
    nothing = False
    day: date | None = None
    if len(readings) > 1 and any(reading[:2] != readings[0][:2] for reading in readings[1:]):
        faults.append(f"{where}: {len(readings)} annotations that differ; export one annotator's at a time")
    elif readings:
        labels, nothing, said = readings[0]
        faults += said
        day = _day(done[0])
    if nothing and labels:
        faults.append(f"{where}: it is said both to carry no theme and to carry {', '.join(labels)}")
    row = Row(
        where, text_of(data, "key").lower(), text_of(data, "report"), text_of(data, "page"), text_of(data, "drawn"),
        text_of(data, "batch"), text_of(data, "text"), labels, nothing, day, tuple(faults),
    )  # fmt: skip
    return row, asked, bool(found) and not done


def _reading(annotation: dict[str, Any], where: str) -> tuple[dict[str, str], bool, list[str]]:
    """Labels, whether it is said to carry none, and faults. Submitting nothing says that there is nothing."""
    labels: dict[str, str] = {}
    faults: list[str] = []
    marked = False
    results = annotation.get("result")
    for result in results if isinstance(results, list) else []:
        name = text_of(result, "from_name") if isinstance(result, dict) else ""
        value = result.get("value") if isinstance(result, dict) else None
        choices = value.get("choices") if isinstance(value, dict) else None
        chosen = [str(choice) for choice in choices] if isinstance(choices, list) else []
        if name == _NOTHING:
            marked = marked or bool(chosen)
        elif len(chosen) == 1 and chosen[0] in set(Valence):
            if labels.get(name, chosen[0]) != chosen[0]:
                faults.append(f"{where} ({name[:40]}): both {labels[name]} and {chosen[0]} are chosen")
            labels[name] = chosen[0]
        else:
            shown = ", ".join(chosen)[:40] or "nothing"
            faults.append(f"{where} ({name[:40] or 'no name'}): '{shown}' is not one of + - 0")
    return labels, marked or not (labels or faults), faults


def _day(annotation: dict[str, Any]) -> date | None:
    for key in ("updated_at", "created_at"):
        try:
            return datetime.fromisoformat(text_of(annotation, key).replace("Z", "+00:00")).date()
        except ValueError:
            continue
    return None
