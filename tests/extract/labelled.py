"""The labelled paragraphs, as another reader cut them, found again in ours."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from pipeline.domain import Document, Paragraph, ParagraphKind, normalised

SIMILAR = 90.0  # percent, of the longest common subsequence's ratio


class Found(StrEnum):
    """How a labelled paragraph is found again, and, where the cuts differ, which is right.

    Of those that join several of ours, a handful are cuts of ours that are wrong: a point with a gap between its lines,
    a paragraph whose page ends in a date.
    """

    SAME = "similar (0.9 or more) to one of ours"
    PART = (
        "whole within one of ours, a part of it: theirs broke off at a page's end, a blank line or a note (ours right)"
    )
    JOINED = "several neighbouring ones of ours run together: a list, a heading and text, points (ours finer)"
    OTHER = "otherwise: a running head or foot within theirs, or a cut of either that is wrong"


def labelled(documents: Mapping[str, Document], labels: Path) -> Iterator[tuple[str, str, Found]]:
    """Each labelled paragraph as (report, text, how it is found again on the pages around its own)."""
    by_report: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with labels.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            by_report[row["report"]].append((row["page"], row["text"]))
    for name, rows in by_report.items():
        document = documents.get(name) or documents[f"pdf/{name}"]
        keys = [(paragraph, normalised(paragraph.text)) for paragraph in document.paragraphs]
        for page, text in rows:
            near = [(p, key) for p, key in keys if p.page - 1 <= page <= p.page_end + 1]
            yield name, text, how(normalised(text), near)


def how(text: str, near: list[tuple[Paragraph, str]]) -> Found:
    """How a paragraph of normalised ``text`` is found among ours, in reading order with their normalised texts."""
    from rapidfuzz import fuzz, process

    best = process.extractOne(text, [key for _, key in near], scorer=fuzz.ratio)
    if best and best[1] >= SIMILAR:
        return Found.SAME
    if any(f" {text} " in f" {key} " for _, key in near):
        return Found.PART
    running = [key for paragraph, key in near if paragraph.kind is not ParagraphKind.FOOTNOTE]
    for first in range(len(running)):
        together = running[first]
        for key in running[first + 1 :]:
            together = f"{together} {key}"
            if len(together) > 1.3 * len(text):
                break
            if fuzz.ratio(text, together) >= SIMILAR:
                return Found.JOINED
    return Found.OTHER
