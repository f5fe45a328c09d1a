"""The tag stage: every report whose tags are missing or were made by another model or taxonomy is tagged anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from pipeline.config import Config
from pipeline.schema import Status, paragraphs, reports, tags, vectors
from pipeline.stage import Context, Outcome, Stage
from pipeline.themes.cache import vectors_of
from pipeline.themes.tagger import Tagger, tagger_stamp
from pipeline.themes.taxonomy import load_taxonomy

if TYPE_CHECKING:
    import numpy as np

_BATCH = 12  # reports a transaction: about 1,500 paragraphs, enough for the model to work on many at a time


def _stale(stamp: str) -> ColumnElement[bool]:
    return and_(reports.c.status == Status.EXTRACTED, func.coalesce(reports.c.tagged_with, "") != stamp)


def untagged_reports(connection: Connection, config: Config) -> list[str]:
    """Ids of the reports whose tags are missing or were made by another model, taxonomy or encoder setting."""
    stamp = tagger_stamp(config.models, load_taxonomy(config.taxonomy), config.tagging.encoder)
    return list(connection.scalars(select(reports.c.report_id).where(_stale(stamp)).order_by(reports.c.report_id)))


def tag(context: Context) -> Outcome:
    """Tag the substantive paragraphs of every report that needs it, a few reports a transaction."""
    config, store = context.config, context.store
    taxonomy = load_taxonomy(config.taxonomy)
    stamp = tagger_stamp(config.models, taxonomy, config.tagging.encoder)
    with store.reading() as connection:
        rows = connection.execute(
            select(reports.c.report_id, reports.c.tagged_with).where(_stale(stamp)).order_by(reports.c.report_id)
        ).all()
        total = connection.scalar(select(func.count()).select_from(reports).where(reports.c.status == Status.EXTRACTED))
    outcome = Outcome(Stage.TAG, unchanged=(total or 0) - len(rows))
    if not rows:
        return outcome
    again = sorted({row.tagged_with for row in rows if row.tagged_with})
    if again:
        count = sum(row.tagged_with is not None for row in rows)
        outcome.notes.append(
            f"{count} reports were tagged by another model or taxonomy ({', '.join(again)}) and are tagged anew by "
            f"{stamp}: what moved in the tables moved because of that, too."
        )
    tagger = Tagger.load(config.models, taxonomy, config.tagging.encoder)
    outcome.notes.extend(tagger.notes)
    ids = [row.report_id for row in rows]
    context.progress(Stage.TAG, 0, len(ids))
    for start in range(0, len(ids), _BATCH):
        chosen = ids[start : start + _BATCH]
        with store.writing() as connection:
            _tag_reports(connection, tagger, chosen)
        outcome.done += len(chosen)
        context.progress(Stage.TAG, outcome.done, len(ids))
    return outcome


def _tag_reports(connection: Connection, tagger: Tagger, report_ids: Sequence[str]) -> None:
    found = connection.execute(
        select(paragraphs.c.paragraph_id, paragraphs.c.fingerprint, paragraphs.c.text)
        .where(paragraphs.c.report_id.in_(report_ids), paragraphs.c.substantive)
        .order_by(paragraphs.c.paragraph_id)
    ).all()
    # The same words occur in more than one report; they are read once.
    texts = {row.fingerprint: row.text for row in found}
    encoded = _vectors(connection, tagger, texts)
    tagged = dict(zip(texts, tagger.tag(list(texts.values()), encoded), strict=True))
    of_reports = select(paragraphs.c.paragraph_id).where(paragraphs.c.report_id.in_(report_ids))
    connection.execute(delete(tags).where(tags.c.paragraph_id.in_(of_reports)))
    rows = [
        {
            "paragraph_id": row.paragraph_id,
            "theme": tag.theme,
            "probability": tag.probability,
            "valence": tag.valence,
            "model_id": tag.model_id,
        }
        for row in found
        for tag in tagged[row.fingerprint]
    ]
    if rows:
        connection.execute(insert(tags), rows)
    connection.execute(update(reports).where(reports.c.report_id.in_(report_ids)).values(tagged_with=tagger.stamp))


def _vectors(connection: Connection, tagger: Tagger, texts: dict[str, str]) -> np.ndarray | None:
    """The encoder's vector of each text, from the store where it is kept; None without an encoder."""
    if tagger.encoder_id is None or not texts:
        return None
    rows, fresh = vectors_of(connection, tagger.encoder_id, texts, tagger.encode)
    if fresh:
        connection.execute(
            insert(vectors),
            [
                {"fingerprint": fingerprint, "encoder": tagger.encoder_id, "vector": vector.tobytes()}
                for fingerprint, vector in fresh.items()
            ],
        )
    return rows
