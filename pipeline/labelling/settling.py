"""Disagreements as a batch to settle, and who was followed when they were settled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.errors import UsageError
from pipeline.labelling import layout
from pipeline.labelling.agreement import is_settled, latest_readings
from pipeline.labelling.batch import OPEN, SETTLE, Batch, Item, batch_id
from pipeline.labelling.ledger import Reading
from pipeline.labelling.pool import Candidate, labels_here, read_pool
from pipeline.store import Store
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

Said = dict[str, dict[str, str]]
"""``{annotator: {code: valence}}`` of one paragraph."""


def unsettled(labels: pd.DataFrame, codes: Sequence[str], between: Sequence[str] = ()) -> dict[str, Said]:
    """``{fingerprint: what each said}`` of paragraphs whose readers differ, unless settled since the latest reading."""
    own = labels[~is_settled(labels)]
    if between:
        own = own[own["annotator"].isin(between)]
    own = latest_readings(own)
    settled = labels[is_settled(labels)].groupby("fingerprint")["date"].max().to_dict()
    read = own.groupby("fingerprint")["date"].max().to_dict()
    found: dict[str, Said] = {}
    columns = ["fingerprint", "annotator", "theme", "valence"]
    for key, annotator, theme, valence in own[columns].itertuples(index=False, name=None):
        said = found.setdefault(key, {}).setdefault(annotator, {})
        if theme in codes:
            said[theme] = valence
    return {
        key: said
        for key, said in found.items()
        if disputed(said) and not (key in settled and settled[key] >= read[key])
    }


def disputed(said: Said) -> list[str]:
    """The themes about which readers of a paragraph differ, by their presence or valence."""
    themes = dict.fromkeys(theme for labels in said.values() for theme in labels)
    return [theme for theme in themes if len({labels.get(theme) for labels in said.values()}) > 1]


def disagreements(
    store: Store,
    config: Config,
    labels: pd.DataFrame,
    taxonomy: Taxonomy,
    today: date,
    between: Sequence[str] = (),
    count: int | None = None,
) -> tuple[Batch, tuple[str, ...]]:
    """The paragraphs whose readers differ, most disputed first, with what they agree on filled in.

    Each keeps the way that it was drawn, so that settled labels of random paragraphs still estimate prevalence.

    Raises
    ------
    UsageError
        There is none, or the store holds none of them.
    """
    pool = read_pool(store)
    labels = labels_here(labels, pool)
    found = unsettled(labels, taxonomy.codes, between)
    if not found:
        raise UsageError("There is no disagreement left to settle: every paragraph read twice is agreed on or settled.")
    places = {candidate.fingerprint: candidate for candidate in pool}
    heads = layout.headings(taxonomy.themes)
    drawn = labels.drop_duplicates("fingerprint").set_index("fingerprint")["drawn"].to_dict()
    order = sorted((key for key in found if key in places), key=lambda key: (-len(disputed(found[key])), key))
    if not order:
        raise UsageError(f"None of the {len(found)} paragraphs in dispute is in the store; run `pipeline run` first.")
    items = [_item(places[key], found[key], drawn[key], heads, config) for key in order[:count]]
    digest = hashlib.sha256("\n".join(item.fingerprint for item in items).encode()).hexdigest()
    batch = Batch(
        batch_id(today, SETTLE, digest, suggestions=False),
        today,
        f"disagreements: {len(items)} of {len(found)} paragraphs whose readers differ",
        False,
        taxonomy,
        tuple(items),
    )
    lost = len(found) - len(order)
    notes = [f"{lost} of {len(found)} paragraphs in dispute are not in the store and were left out."] if lost else []
    return batch, tuple(notes)


def _item(candidate: Candidate, said: Said, drawn: str, heads: dict[str, str], config: Config) -> Item:
    open_themes = disputed(said)
    agreed = next(iter(said.values()))
    given = {theme: OPEN if theme in open_themes else agreed[theme] for theme in {*open_themes, *agreed}}
    words = [
        f"{heads[theme]}: " + ", ".join(f"{who} {labels.get(theme, 'no')}" for who, labels in said.items())
        for theme in open_themes
    ]
    return replace(candidate.item(config, drawn), given=given, said="\n".join(words))


def followed(
    store: Store, labels: pd.DataFrame, settled: Sequence[Reading], codes: Sequence[str]
) -> tuple[Counter[str], int]:
    """How often each reader was followed in the themes that were in dispute, and how many such there were."""
    labels = labels_here(labels, read_pool(store))
    keys = {reading.fingerprint for reading in settled}
    own = latest_readings(labels[~is_settled(labels) & labels["fingerprint"].isin(keys)])
    said: dict[str, Said] = {}
    columns = ["fingerprint", "annotator", "theme", "valence"]
    for key, annotator, theme, valence in own[columns].itertuples(index=False, name=None):
        mine = said.setdefault(key, {}).setdefault(annotator, {})
        if theme in codes:
            mine[theme] = valence
    counts: Counter[str] = Counter()
    total = 0
    for reading in settled:
        of_paragraph = said.get(reading.fingerprint, {})
        for theme in disputed(of_paragraph):
            total += 1
            counts.update(who for who, given in of_paragraph.items() if given.get(theme) == reading.labels.get(theme))
    return counts, total
