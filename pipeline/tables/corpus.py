"""What the tables are counted from: reports, their judgements, their substantive paragraphs and the themes of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike
from sqlalchemy import Connection, Select, select

from pipeline import schema
from pipeline.domain import VALENCES, Band, Domain, Grade, Section
from pipeline.errors import PipelineError

UNKNOWN = "unknown"
"""The group of reports that do not say: shown, never dropped."""

SECTIONS = tuple(section.value for section in Section)
"""``paragraphs.section`` holds positions in this tuple."""

_ROWS_AT_A_TIME = 10_000
_ORDINALS = 1 << 20  # more paragraphs than any report has: report and ordinal fit one integer


@dataclass(frozen=True)
class Corpus:
    """The extracted reports as frames of plain numbers; no text, so that millions of paragraphs fit.

    Attributes
    ----------
    reports : DataFrame, a row a report, in the order of ``report_id``; its position is the report's number
        ``report_id, urn, authority, region, type, framework, inspection_type`` (str), ``published`` (datetime64),
        ``year`` (str, ``"unknown"`` where no date is), ``authority_key`` (int64, one number an authority),
        ``latest`` (bool, see :func:`latest_of_each_authority`).
    judgements : DataFrame
        ``report`` (int64, position in ``reports``), ``domain, grade, band`` (str), ``page`` (float64, NaN where
        unknown).
    paragraphs : DataFrame, a row a substantive paragraph, by report and ordinal; its position is its number
        ``report`` (int32), ``ordinal`` (int32), ``section`` (int8, position in :data:`SECTIONS`), ``words`` (int32).
    tags : DataFrame, a row a paragraph and theme
        ``paragraph`` (int32, position in ``paragraphs``), ``theme`` (int16, position in ``themes``),
        ``valence`` (int8, position in :data:`~pipeline.domain.VALENCES`), ``probability`` (float32).
    themes : tuple of str
        Codes that occur in ``tags``.
    """

    reports: pd.DataFrame
    judgements: pd.DataFrame
    paragraphs: pd.DataFrame
    tags: pd.DataFrame
    themes: tuple[str, ...]

    @classmethod
    def read(
        cls,
        connection: Connection,
        band_of: Mapping[Grade, Band],
        authority_types: Mapping[str, str] | None = None,
    ) -> Corpus:
        """Read every report with status ``extracted``.

        Parameters
        ----------
        band_of : mapping of Grade to Band
            Where each grade counts, ``ADEQUATE`` among them. ``NOT_JUDGED`` needs no entry.
        authority_types : mapping of URN to type of authority, optional
            Without it every type is ``"unknown"``.

        Raises
        ------
        PipelineError
            The store holds a grade that ``band_of`` does not place.
        """
        reports = _read_reports(connection, authority_types or {})
        numbers = {report_id: number for number, report_id in enumerate(reports["report_id"])}
        judgements = _read_judgements(connection, numbers, band_of)
        reports["latest"] = latest_of_each_authority(reports, judgements)
        paragraphs = _read_paragraphs(connection, numbers)
        tags, themes = _read_tags(connection, numbers, paragraphs)
        return cls(reports, judgements, paragraphs, tags, themes)

    def bands(self, domain: Domain) -> np.ndarray:
        """The band of each report by one judgement: an array of str, ``"not judged"`` where the report has none."""
        bands = np.full(len(self.reports), Band.NOT_JUDGED.value, dtype=object)
        own = self.judgements[self.judgements["domain"] == domain.value]
        bands[own["report"].to_numpy()] = own["band"].to_numpy(dtype=object)
        return bands

    def paragraph_ids(self, positions: np.ndarray) -> list[str]:
        """The store's ``paragraph_id`` of the paragraphs at these positions."""
        chosen = self.paragraphs.iloc[positions]
        report_ids = self.reports["report_id"].to_numpy(dtype=object)[chosen["report"].to_numpy()]
        return [f"{report}-{ordinal:04d}" for report, ordinal in zip(report_ids, chosen["ordinal"], strict=True)]

    def positions(self, paragraph_ids: Sequence[str]) -> np.ndarray:
        """Where these paragraphs stand in ``paragraphs``: int64; -1 for one that is not counted or not there."""
        numbers = {report_id: number for number, report_id in enumerate(self.reports["report_id"])}
        return _places(_keys(self.paragraphs), paragraph_ids, numbers)


def latest_of_each_authority(reports: pd.DataFrame, judgements: pd.DataFrame) -> np.ndarray:
    """Which reports are the newest of their authority: an array of bool, one true an authority.

    A report that judges the authority's services goes before one that does not (a review of the safeguarding board
    alone, a visit without judgements), however new: the question is where the authority stands.
    """
    services = judgements[(judgements["domain"] != Domain.LSCB.value) & (judgements["band"] != Band.NOT_JUDGED.value)]
    order = pd.DataFrame(
        {
            "authority_key": reports["authority_key"],
            "judged": reports.index.isin(services["report"]),
            "published": reports["published"],
            "report_id": reports["report_id"],
        }
    ).sort_values(["judged", "published", "report_id"], na_position="first")
    last = order.drop_duplicates("authority_key", keep="last").index
    return np.asarray(reports.index.isin(last))


def _columns(connection: Connection, query: Select[Any], *dtypes: DTypeLike) -> Iterator[tuple[np.ndarray, ...]]:
    """The query's columns as arrays, some thousand rows at a time: Python objects never pile up."""
    result = connection.execution_options(stream_results=True).execute(query)
    for rows in result.partitions(_ROWS_AT_A_TIME):
        yield tuple(
            np.array(column, dtype=dtype) for column, dtype in zip(zip(*rows, strict=True), dtypes, strict=True)
        )


def _gathered(pieces: Iterator[tuple[np.ndarray, ...]], *dtypes: DTypeLike) -> tuple[np.ndarray, ...]:
    """Pieces one after the other, a column at a time, in the narrow types they are kept in."""
    kept: list[list[np.ndarray]] = [[] for _ in dtypes]
    for piece in pieces:
        for column, values, dtype in zip(kept, piece, dtypes, strict=True):
            column.append(values.astype(dtype, copy=False))
    return tuple(
        np.concatenate(column) if column else np.empty(0, dtype=dtype)
        for column, dtype in zip(kept, dtypes, strict=True)
    )


def _read_reports(connection: Connection, authority_types: Mapping[str, str]) -> pd.DataFrame:
    table = schema.reports.c
    wanted = (
        table.report_id,
        table.urn,
        table.authority,
        table.region,
        table.framework,
        table.inspection_type,
        table.published,
        table.inspection_end,
        table.inspection_start,
    )
    query = select(*wanted).where(table.status == schema.Status.EXTRACTED).order_by(table.report_id)
    rows = connection.execute(query).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in wanted])
    for column in ("published", "inspection_end", "inspection_start"):
        frame[column] = pd.to_datetime(frame[column])
    # A report without a date of publication still belongs to the year that it was written in.
    dated = frame["published"].fillna(frame["inspection_end"]).fillna(frame["inspection_start"])
    frame["published"] = dated
    frame["year"] = pd.Series([UNKNOWN if pd.isna(day) else str(day.year) for day in dated], dtype="str")
    types = [authority_types.get(urn, UNKNOWN) if isinstance(urn, str) else UNKNOWN for urn in frame["urn"]]
    frame["type"] = pd.Series(types, dtype="str")
    key = frame["urn"].astype(object).where(frame["urn"].notna(), frame["authority"].astype(object))
    # A report of an authority that nobody can name stands for itself.
    key = key.where(key.notna(), frame["report_id"].astype(object))
    frame["authority_key"] = pd.factorize(key)[0].astype(np.int64)
    for column in ("authority", "region", "framework", "inspection_type"):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), UNKNOWN).astype(str)
    frame["authority"] = _one_name_an_authority(frame)
    return frame.drop(columns=["inspection_end", "inspection_start"])


def _one_name_an_authority(reports: pd.DataFrame) -> pd.Series:
    """Reports print an authority's name in more than one way: its newest report's is used for all of them."""
    named = reports[reports["authority"] != UNKNOWN].sort_values(["published", "report_id"], na_position="first")
    newest = named.drop_duplicates("authority_key", keep="last").set_index("authority_key")["authority"]
    return reports["authority_key"].map(newest.astype(object)).astype(object).fillna(UNKNOWN).astype(str)


def _read_judgements(connection: Connection, numbers: Mapping[str, int], band_of: Mapping[Grade, Band]) -> pd.DataFrame:
    table = schema.judgements.c
    bands = {Grade.NOT_JUDGED.value: Band.NOT_JUDGED.value} | {
        grade.value: band.value for grade, band in band_of.items()
    }
    rows = connection.execute(
        select(table.report_id, table.domain, table.grade, table.page)
        .join(schema.reports)
        .where(schema.reports.c.status == schema.Status.EXTRACTED)
        .order_by(table.report_id, table.domain)
    ).all()
    for report_id, _, grade, _ in rows:
        if grade not in bands:
            raise PipelineError(
                f"Report {report_id} has the grade {grade!r}, which no rating band takes: place it under `bands` in "
                "the configuration, or extract the report again."
            )
    return pd.DataFrame(
        {
            "report": np.array([numbers[row[0]] for row in rows], dtype=np.int64),
            "domain": pd.Series([row[1] for row in rows], dtype="str"),
            "grade": pd.Series([row[2] for row in rows], dtype="str"),
            "band": pd.Series([bands[row[2]] for row in rows], dtype="str"),
            "page": pd.Series([row[3] for row in rows], dtype="float64"),
        }
    )


def _read_paragraphs(connection: Connection, numbers: Mapping[str, int]) -> pd.DataFrame:
    table = schema.paragraphs.c
    query = (
        select(table.report_id, table.ordinal, table.section, table.words)
        .join(schema.reports)
        .where(table.substantive, schema.reports.c.status == schema.Status.EXTRACTED)
    )
    section_numbers = {name: number for number, name in enumerate(SECTIONS)}

    def pieces() -> Iterator[tuple[np.ndarray, ...]]:
        for report, ordinal, section, words in _columns(connection, query, object, int, object, int):
            yield (
                np.fromiter((numbers[report_id] for report_id in report), np.int32, len(report)),
                ordinal,
                np.fromiter((section_numbers[name] for name in section), np.int8, len(section)),
                words,
            )

    report, ordinal, section, words = _gathered(pieces(), np.int32, np.int32, np.int8, np.int32)
    order = np.argsort(_key(report, ordinal), kind="stable")
    return pd.DataFrame(
        {
            "report": report[order],
            "ordinal": ordinal[order],
            "section": section[order],
            "words": words[order],
        }
    )


def _read_tags(
    connection: Connection, numbers: Mapping[str, int], paragraphs: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    table = schema.tags.c
    # Tags of paragraphs that are not counted fall out below: joining in the database would look every one of them up
    # there.
    query = select(table.paragraph_id, table.theme, table.valence, table.probability)
    keys = _keys(paragraphs)
    theme_numbers: dict[str, int] = {}
    valence_numbers = {sign: number for number, sign in enumerate(VALENCES)}

    def pieces() -> Iterator[tuple[np.ndarray, ...]]:
        for paragraph_id, theme, valence, probability in _columns(connection, query, object, object, object, float):
            places = _places(keys, paragraph_id, numbers)
            counted = places >= 0
            codes, signs = theme[counted], valence[counted]
            yield (
                places[counted],
                np.fromiter(
                    (theme_numbers.setdefault(code, len(theme_numbers)) for code in codes), np.int16, len(codes)
                ),
                np.fromiter((valence_numbers[sign] for sign in signs), np.int8, len(signs)),
                probability[counted],
            )

    paragraph, theme, valence, probability = _gathered(pieces(), np.int32, np.int16, np.int8, np.float32)
    frame = pd.DataFrame({"paragraph": paragraph, "theme": theme, "valence": valence, "probability": probability})
    return frame, tuple(theme_numbers)


def _places(keys: np.ndarray, paragraph_ids: Sequence[str] | np.ndarray, numbers: Mapping[str, int]) -> np.ndarray:
    """Positions of paragraph ids among ascending keys; -1 where there is none."""
    parts = (paragraph_id.rpartition("-") for paragraph_id in paragraph_ids)
    wanted = np.fromiter(
        (
            numbers[report] * _ORDINALS + int(ordinal) if report in numbers and ordinal.isdecimal() else -1
            for report, _, ordinal in parts
        ),
        np.int64,
        len(paragraph_ids),
    )
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def _keys(paragraphs: pd.DataFrame) -> np.ndarray:
    return _key(paragraphs["report"].to_numpy(), paragraphs["ordinal"].to_numpy())


def _key(report: np.ndarray, ordinal: np.ndarray) -> np.ndarray:
    return np.asarray(report.astype(np.int64) * _ORDINALS + ordinal)


def positions_of(corpus: Corpus, codes: Sequence[str]) -> np.ndarray:
    """For each theme number of ``corpus.tags``, its position in ``codes``; -1 for a theme that is not asked for."""
    places = {code: place for place, code in enumerate(codes)}
    return np.array([places.get(code, -1) for code in corpus.themes], dtype=np.int64)
