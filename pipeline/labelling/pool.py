"""The paragraphs that a batch can be drawn from, and found again in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import select

from pipeline.config import Config
from pipeline.evidence import page_link
from pipeline.labelling.batch import Item
from pipeline.schema import Status, paragraphs, reports, tags
from pipeline.store import Store

if TYPE_CHECKING:
    import pandas as pd

_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A substantive paragraph of an extracted report.

    ``report`` is the last folder and the file's name of the report's place, as in the label file. ``tagged`` says
    whether a model has read its report.
    """

    paragraph_id: str
    fingerprint: str
    report: str
    page: int
    authority: str
    published: date | None
    section: str
    text: str
    url: str | None
    file: str
    tagged: bool

    def link(self, config: Config) -> str:
        """An address that opens the report at the page; the publisher's only if it is a web address."""
        web = self.url if self.url and urlsplit(self.url).scheme in ("http", "https") else None
        return page_link(web, Path(config.resolve(self.file)), self.page)

    def item(self, config: Config, drawn: str) -> Item:
        """The paragraph as one to be labelled."""
        return Item(
            self.fingerprint,
            self.report,
            self.page,
            self.authority,
            self.published,
            self.section,
            self.text,
            self.link(config),
            drawn,
        )


def read_pool(store: Store) -> list[Candidate]:
    """Every substantive paragraph, by ``paragraph_id``."""
    query = (
        select(
            paragraphs.c.paragraph_id, paragraphs.c.fingerprint, reports.c.source_path, paragraphs.c.page,
            reports.c.authority, reports.c.listed_authority, reports.c.published, paragraphs.c.section,
            paragraphs.c.text, reports.c.url, reports.c.file, reports.c.tagged_with,
        )
        .select_from(paragraphs.join(reports))
        .where(reports.c.status == Status.EXTRACTED, paragraphs.c.substantive)
        .order_by(paragraphs.c.paragraph_id)
    )  # fmt: skip
    with store.reading() as connection:
        return [
            Candidate(
                row.paragraph_id,
                row.fingerprint,
                report_name(row.source_path),
                row.page,
                row.authority or row.listed_authority or "",
                row.published,
                row.section,
                row.text,
                row.url,
                row.file,
                row.tagged_with is not None,
            )
            for row in connection.execute(query)
        ]


def report_name(source_path: str) -> str:
    """The last folder and the file's name: what stays the same wherever the tree of reports lies."""
    return "/".join(source_path.replace("\\", "/").rsplit("/", 2)[-2:])


def labels_here(labels: pd.DataFrame, pool: Sequence[Candidate]) -> pd.DataFrame:
    """The labels under today's fingerprints of their paragraphs; those that are not in the pool as they were."""
    import pandas as pd

    from pipeline.themes.labels import place_labels, rekey

    here = pd.DataFrame(
        [(c.paragraph_id, c.report, c.page, c.text) for c in pool], columns=["paragraph_id", "report", "page", "text"]
    )
    return rekey(labels, place_labels(labels, here))


def once_each(pool: Iterable[Candidate]) -> list[Candidate]:
    """The pool without repeated words: standard sentences stand in many reports and are labelled once."""
    return list({candidate.fingerprint: candidate for candidate in pool}.values())


def stored_tags(store: Store, paragraph_ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The themes and valences that the model in use gave each paragraph."""
    found: dict[str, list[tuple[str, str]]] = {}
    with store.reading() as connection:
        for start in range(0, len(paragraph_ids), _ASKED_AT_ONCE):
            asked = paragraph_ids[start : start + _ASKED_AT_ONCE]
            query = select(tags.c.paragraph_id, tags.c.theme, tags.c.valence).where(tags.c.paragraph_id.in_(asked))
            for row in connection.execute(query.order_by(tags.c.paragraph_id, tags.c.theme)):
                found.setdefault(row.paragraph_id, []).append((row.theme, row.valence))
    return found


def tagged_with(store: Store, theme: str) -> set[str]:
    """The ``paragraph_id`` of every paragraph that carries the theme by the model in use."""
    with store.reading() as connection:
        return set(connection.scalars(select(tags.c.paragraph_id).where(tags.c.theme == theme)))
