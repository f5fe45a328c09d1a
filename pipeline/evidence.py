"""``pipeline paragraphs``: the sentences behind the numbers, each with its report, page and link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import ColumnElement, func, or_, select

from pipeline.config import Config
from pipeline.domain import Band, Domain, Grade, Valence
from pipeline.errors import UsageError
from pipeline.schema import Status, judgements, paragraphs, reports, tags
from pipeline.store import Store
from pipeline.themes.tagger import Tagger
from pipeline.themes.taxonomy import load_taxonomy


@dataclass(frozen=True)
class Evidence:
    """One paragraph as evidence; ``theme``, ``probability`` and ``valence`` where a theme was asked for."""

    paragraph_id: str
    authority: str | None
    published: date | None
    grade: str
    section: str
    page: int
    number: str | None
    text: str
    link: str
    theme: str | None = None
    probability: float | None = None
    valence: str | None = None
    why: str | None = None  # the sentence and the terms that carried the theme, where asked for


@dataclass(frozen=True)
class Wanted:
    """Which paragraphs are looked for; every condition that is given must hold."""

    theme: str | None = None
    rating: str | None = None  # a band or a grade, of the judgement ``domain``
    domain: Domain = Domain.OVERALL
    authority: str | None = None
    search: str | None = None
    valence: str | None = None
    section: str | None = None
    limit: int | None = 20


def find(store: Store, config: Config, wanted: Wanted) -> tuple[list[Evidence], int]:
    """The paragraphs that fit (surest first where a theme is asked for, else newest first), and how many there are."""
    grade = func.coalesce(judgements.c.grade, Band.NOT_JUDGED.value).label("grade")
    sources = paragraphs.join(reports).outerjoin(
        judgements,
        (judgements.c.report_id == reports.c.report_id) & (judgements.c.domain == wanted.domain.value),
    )
    columns: list[ColumnElement[object]] = [
        paragraphs.c.paragraph_id, reports.c.authority, reports.c.published, grade, paragraphs.c.section,
        paragraphs.c.page, paragraphs.c.number, paragraphs.c.text, reports.c.url, reports.c.file,
    ]  # fmt: skip
    conditions: list[ColumnElement[bool]] = [reports.c.status == Status.EXTRACTED, paragraphs.c.substantive]
    order: list[ColumnElement[object]] = [reports.c.published.desc(), paragraphs.c.paragraph_id]
    if wanted.theme:
        sources = sources.join(tags)
        columns += [tags.c.theme, tags.c.probability, tags.c.valence]
        conditions.append(tags.c.theme == wanted.theme)
        order = [tags.c.probability.desc(), *order]
        if wanted.valence:
            conditions.append(tags.c.valence == wanted.valence)
    if wanted.rating:
        conditions.append(grade.in_(_grades(config, wanted.rating)))
    if wanted.authority:
        conditions.append(
            or_(
                reports.c.authority.icontains(wanted.authority, autoescape=True),
                reports.c.listed_authority.icontains(wanted.authority, autoescape=True),
            )
        )
    if wanted.search:
        conditions.append(paragraphs.c.text.icontains(wanted.search, autoescape=True))
    if wanted.section:
        conditions.append(paragraphs.c.section == wanted.section)
    query = select(*columns).select_from(sources).where(*conditions)
    with store.reading() as connection:
        total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = connection.execute(query.order_by(*order).limit(wanted.limit)).mappings().all()
    return [
        Evidence(
            **{key: value for key, value in row.items() if key not in ("url", "file")},
            link=page_link(row["url"], config.resolve(row["file"]), row["page"]),
        )
        for row in rows
    ], total


def _grades(config: Config, rating: str) -> Sequence[str]:
    """The grades that count in the band, and the grade of that very name."""
    return sorted({rating} | {grade.value for grade, band in config.bands.items() if band.value == rating})


def page_link(url: str | None, file: Path, page: int) -> str:
    """An address that opens the report at the page: the publisher's where it is known, else the file's."""
    return f"{url or file.absolute().as_uri()}#page={page}"


def check(wanted: Wanted, config: Config) -> Wanted:
    """``wanted`` with its rating in the grades' own words.

    Raises
    ------
    UsageError
        An unknown theme, rating or valence.
    """
    if wanted.theme is not None:
        load_taxonomy(config.taxonomy).theme(wanted.theme)
    if wanted.valence is not None and (wanted.theme is None or wanted.valence not in set(Valence)):
        raise UsageError("--valence is +, - or 0, and goes with --theme; correct it.")
    if wanted.rating is None:
        return wanted
    rating = " ".join(wanted.rating.lower().replace("_", " ").replace("-", " ").split())
    if rating not in set(Grade):
        raise UsageError(f"There is no rating '{wanted.rating}'; choose one of {', '.join(Grade)}.")
    return replace(wanted, rating=rating)


def explained(found: Sequence[Evidence], config: Config) -> list[Evidence]:
    """Each paragraph with the sentence and the terms that carried its theme, as the tagger tells."""
    tagger = Tagger.load(config.models, load_taxonomy(config.taxonomy), config.tagging.encoder)

    def why(item: Evidence, theme: str) -> str:
        explanation = tagger.explain(item.text, theme)
        carried = explanation.terms or explanation.words
        return f'"{explanation.sentence}"' + (f" ({', '.join(carried)})" if carried else "")

    return [replace(item, why=why(item, item.theme)) if item.theme else item for item in found]
