"""Labelled paragraphs with their text, as the sentence encoder is tuned on them."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.domain import VALENCES, fingerprint
from pipeline.errors import PipelineError
from pipeline.store import Store
from pipeline.themes.dataset import as_arrays, folder_of
from pipeline.themes.workbench import open_bench


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled paragraph, under the fingerprint that the pipeline knows it by."""

    fingerprint: str
    authority: str
    text: str
    labels: dict[str, str]


def read_examples(path: Path) -> list[Example]:
    """Labelled paragraphs from JSON lines with ``report``, ``text`` and ``labels``.

    The authority is the folder that the report lies in.

    Raises
    ------
    PipelineError
        The file cannot be read, or a line is not such a record.
    """
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            labels = dict(record["labels"])
            if not set(labels.values()) <= set(VALENCES):
                raise ValueError(f"a valence other than {', '.join(VALENCES)}")
            examples.append(Example(fingerprint(record["text"]), folder_of(record["report"]), record["text"], labels))
        except (ValueError, KeyError, TypeError) as error:
            raise PipelineError(f"{path}, line {number}: not a labelled paragraph ({error}).") from error
    if not any(example.labels for example in examples):
        raise PipelineError(f"{path} holds no labelled paragraph.")
    return examples


def stored_examples(config: Config) -> list[Example]:
    """The labels of the configuration's label file, with the paragraphs that they are found in.

    Raises
    ------
    UsageError
        None is found in the store, or the label file or the taxonomy is wrong.
    """
    with closing(Store(config.store)) as store:
        bench = open_bench(config, store)
    data = as_arrays(bench.placed.matched, bench.taxonomy.codes, several=False)
    return [
        Example(key, authority, text, {code: VALENCES[v] for code, v in zip(data.codes, row, strict=True) if v >= 0})
        for key, authority, text, row in zip(
            data.fingerprints, data.authorities.tolist(), data.texts, data.valences.tolist(), strict=True
        )
    ]
