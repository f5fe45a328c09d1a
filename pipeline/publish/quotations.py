"""The strongest paragraphs for and against each theme: the evidence that the workbook and the pages show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, func, select

from pipeline.config import Config
from pipeline.domain import Band, Domain, Valence
from pipeline.schema import Status, judgements, paragraphs, reports, tags

_LOOKED_AT = 400  # of the surest paragraphs of a theme and valence, before one an authority is chosen


@dataclass(frozen=True)
class Quotation:
    """One paragraph as evidence for a theme."""

    theme: str
    valence: str
    probability: float
    paragraph_id: str
    authority: str
    published: date | None
    band: str
    section: str
    page: int
    number: str | None
    text: str
    url: str | None
    file: Path


def strongest(connection: Connection, config: Config, each: int) -> dict[tuple[str, str], list[Quotation]]:
    """The surest paragraphs of each theme, as strengths and as weaknesses, no more than one an authority.

    Parameters
    ----------
    each : int
        How many for each theme and valence, at most.

    Returns
    -------
    dict of (theme, valence) to list of Quotation
        Surest first; themes and valences without a paragraph have no entry.
    """
    place = func.row_number().over(
        partition_by=(tags.c.theme, tags.c.valence), order_by=(tags.c.probability.desc(), tags.c.paragraph_id)
    )
    ranked = (
        select(tags.c.theme, tags.c.valence, tags.c.probability, tags.c.paragraph_id, place.label("place"))
        .select_from(tags.join(paragraphs).join(reports))
        .where(
            reports.c.status == Status.EXTRACTED,
            paragraphs.c.substantive,
            tags.c.valence.in_([Valence.STRENGTH.value, Valence.WEAKNESS.value]),
        )
        .subquery()
    )
    found = connection.execute(
        select(ranked.c.theme, ranked.c.valence, ranked.c.probability, ranked.c.paragraph_id, reports.c.authority,
               reports.c.urn, paragraphs.c.report_id)
        .select_from(ranked.join(paragraphs, ranked.c.paragraph_id == paragraphs.c.paragraph_id).join(reports))
        .where(ranked.c.place <= _LOOKED_AT)
        .order_by(ranked.c.theme, ranked.c.valence, ranked.c.place)
    )  # fmt: skip
    chosen: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    heard: set[tuple[str, str, str]] = set()
    for row in found:
        key = (row.theme, row.valence)
        whose = (*key, row.urn or row.authority or row.report_id)
        if whose not in heard and len(chosen[key]) < each:
            heard.add(whose)
            chosen[key].append((row.paragraph_id, row.probability))
    texts = _texts(connection, config, {paragraph for pairs in chosen.values() for paragraph, _ in pairs})
    return {
        (theme, valence): [Quotation(theme, valence, sure, paragraph, *texts[paragraph]) for paragraph, sure in pairs]
        for (theme, valence), pairs in chosen.items()
    }


_Text = tuple[str, date | None, str, str, int, str | None, str, str | None, Path]


def _texts(connection: Connection, config: Config, wanted: Iterable[str]) -> dict[str, _Text]:
    bands = {grade.value: band.value for grade, band in config.bands.items()}
    found: dict[str, _Text] = {}
    ids = sorted(wanted)
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(
                paragraphs.c.paragraph_id,
                func.coalesce(reports.c.authority, reports.c.listed_authority, "authority not known").label(
                    "authority"
                ),
                reports.c.published,
                func.coalesce(judgements.c.grade, Band.NOT_JUDGED.value).label("grade"),
                paragraphs.c.section,
                paragraphs.c.page,
                paragraphs.c.number,
                paragraphs.c.text,
                reports.c.url,
                reports.c.file,
            )
            .select_from(
                paragraphs.join(reports).outerjoin(
                    judgements,
                    (judgements.c.report_id == reports.c.report_id) & (judgements.c.domain == Domain.OVERALL.value),
                )
            )
            .where(paragraphs.c.paragraph_id.in_(ids[start : start + 500]))
        )
        for row in rows:
            found[row.paragraph_id] = (
                row.authority,
                row.published,
                bands.get(row.grade, row.grade),
                row.section,
                row.page,
                row.number,
                row.text,
                row.url,
                config.resolve(row.file),
            )
    return found
