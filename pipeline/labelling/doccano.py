"""A batch for doccano (text classification, several labels a text): JSON lines and the labels, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.domain import Valence
from pipeline.errors import UsageError
from pipeline.files import write_text
from pipeline.labelling import layout
from pipeline.labelling.batch import Batch, Filled, Row
from pipeline.labelling.jsons import parsed, read_text, text_of
from pipeline.themes.taxonomy import Taxonomy

_NOTHING = "no theme"
_COLOURS = {Valence.STRENGTH: "#BFDDF2", Valence.WEAKNESS: "#F8CFA5", Valence.MIXED: "#E3E5E6"}


def labels_path(path: Path) -> Path:
    """Where the project's labels are written: beside the texts."""
    return path.with_name(f"{path.stem}.labels.json")


def write_doccano(batch: Batch, path: Path) -> None:
    """Write the texts to ``path`` and the labels (``camhs +`` and so on) beside it (see :func:`labels_path`).

    Suggestions are in the metadata: as labels they could not be told from a reader's.
    """
    heads = layout.headings(batch.themes)
    lines = []
    for item in batch.items:
        record = {"text": item.text, "label": [], **batch.record(item)}
        if item.suggested is not None:
            record["suggested"] = layout.suggestion(item, heads)
        lines.append(json.dumps(record, ensure_ascii=False))
    names = [
        (f"{theme.code} {valence.value}", colour) for theme in batch.themes for valence, colour in _COLOURS.items()
    ]
    labels = [
        {"text": name, "prefix_key": None, "suffix_key": None, "background_color": colour, "text_color": "#000000"}
        for name, colour in [*names, (_NOTHING, "#FFFFFF")]
    ]
    write_text(labels_path(path), json.dumps(labels, indent=1) + "\n")
    write_text(path, "\n".join(lines) + "\n")


def read_doccano(path: Path, taxonomy: Taxonomy) -> Filled:
    """Read doccano's JSONL export. A text without a label is not read yet; ``no theme`` says that it carries none.

    Raises
    ------
    UsageError
        Not such an export: a line that is no JSON object.
    """
    rows, codes = [], dict[str, None]()
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        record = parsed(line, f"{path}, line {number}")
        if not isinstance(record, dict):
            raise UsageError(f"{path}, line {number}: not a JSON object; export the project as JSONL.")
        asked = record.get("themes")
        codes |= dict.fromkeys(str(code) for code in asked) if isinstance(asked, list) else {}
        rows.append(_row(record, f"line {number}"))
    return Filled(path, tuple(codes) or taxonomy.codes, tuple(rows))


def _row(record: dict[str, Any], where: str) -> Row:
    labels: dict[str, str] = {}
    faults: list[str] = []
    nothing = False
    given = record.get("label")
    for label in given if isinstance(given, list) else []:
        code, _, sign = str(label).rpartition(" ")
        if str(label) == _NOTHING:
            nothing = True
        elif sign not in set(Valence) or not code:
            faults.append(f"{where}: the label '{str(label)[:60]}' is not a theme and one of + - 0")
        elif labels.get(code, sign) != sign:
            faults.append(f"{where} ({code}): both {labels[code]} and {sign} are chosen")
        else:
            labels[code] = sign
    if nothing and labels:
        faults.append(f"{where}: it is said both to carry no theme and to carry {', '.join(labels)}")
    if given is not None and not isinstance(given, list):
        faults.append(f"{where}: `label` is not a list; make the project one for text classification")
    # Its export calls the text `data` or `text`, by version, and spreads the metadata beside it.
    return Row(
        where, text_of(record, "key").lower(), text_of(record, "report"), text_of(record, "page"),
        text_of(record, "drawn"), text_of(record, "batch"), text_of(record, "text") or text_of(record, "data"),
        labels, nothing, None, tuple(faults),
    )  # fmt: skip
