"""``pipeline tag``: any text, as JSON lines, tagged with the themes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import PipelineError, UsageError
from pipeline.files import written_whole
from pipeline.themes.tagger import Tagger
from pipeline.themes.taxonomy import load_taxonomy

_TEXTS_AT_A_TIME = 512


@dataclass(frozen=True)
class _Text:
    id: object
    text: str


def tag_file(config: Config, input_: Path, output: Path) -> tuple[int, tuple[str, ...]]:
    """Tag each line's text; how many there were, and what the tagger wants said.

    Raises
    ------
    UsageError
        If the input does not exist.
    PipelineError
        If a line is not ``{"id": ..., "text": "..."}``; it is named, and no output is written.
    """
    if not input_.is_file():
        raise UsageError(f"There is no file {input_}; name one with --input.")
    tagger = Tagger.load(config.models, load_taxonomy(config.taxonomy), config.tagging.encoder)
    texts = _read(input_)
    count = 0
    with written_whole(output) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        while batch := list(islice(texts, _TEXTS_AT_A_TIME)):
            for text, tags in zip(batch, tagger.tag([text.text for text in batch]), strict=True):
                themes = [
                    {"theme": tag.theme, "probability": round(tag.probability, 4), "valence": str(tag.valence)}
                    for tag in tags
                ]
                file.write(json.dumps({"id": text.id, "themes": themes}, ensure_ascii=False) + "\n")
            count += len(batch)
    return count, tagger.notes


def _read(path: Path) -> Iterator[_Text]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                record = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except (UnicodeDecodeError, ValueError, RecursionError) as error:
                raise PipelineError(f"{path}, line {number} is not a JSON object ({error}); mend the line.") from error
            if not isinstance(record, dict) or "id" not in record or not isinstance(record.get("text"), str):
                raise PipelineError(f'{path}, line {number} must be {{"id": ..., "text": "..."}}; add what is missing.')
            yield _Text(record["id"], record["text"])
