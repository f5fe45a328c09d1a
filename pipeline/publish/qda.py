"""What programs for qualitative analysis take: matrices, quotations, and the coded reports as a REFI-QDA project.

The project follows the REFI-QDA standard 1.5 (Rotterdam Exchange Format Initiative, https://www.qdasoftware.org):
NVivo, MAXQDA, ATLAS.ti and QualCoder open it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from io import TextIOBase, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import Connection, select

from pipeline.analysis import theme_infos
from pipeline.domain import Domain, Valence
from pipeline.files import neutralise
from pipeline.publish import catalogue, words
from pipeline.publish.folders import folder_written_whole
from pipeline.publish.frames import write_frame
from pipeline.publish.publication import Publication
from pipeline.schema import paragraphs, tags
from pipeline.tables.columns import QUOTATION

if TYPE_CHECKING:
    from pipeline.themes.taxonomy import Theme

FOLDER = "qda"
PROJECT = "inspection-themes.qdpx"
CODEBOOK = "codebook.qdc"

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:inspection-themes:refi-qda")
_ZIPPED = (1980, 1, 1, 0, 0, 0)  # the same content, the same bytes
_REPORTS_AT_A_TIME = 100
_COLOURS = {Valence.STRENGTH: "#2B74B0", Valence.WEAKNESS: "#C2560C", Valence.MIXED: "#8F9599"}
# What XML 1.0 cannot hold, and line breaks within a paragraph, which programs count differently.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

_VARIABLES = (
    "authority",
    "region",
    "type",
    "framework",
    "inspection_type",
    "published",
    "year",
    *(domain.value for domain in Domain),
)


def write(publication: Publication, output: Path) -> list[Path]:
    """Write the folder ``qda`` anew and put it in the place of the old one."""
    folder = output / FOLDER
    with folder_written_whole(folder) as building:
        _matrices(publication, building)
        with publication.store.reading() as connection:
            _quotations(publication, connection, building / "quotations.csv")
            _project(publication, connection, building / PROJECT)
        _codebook(publication, building / CODEBOOK)
        names = sorted(path.name for path in building.iterdir())
    return [folder / name for name in names]


def _matrices(publication: Publication, folder: Path) -> None:
    from pipeline.tables.matrices import report_matrix, square

    themes = theme_infos(publication.taxonomy)
    write_frame(report_matrix(publication.corpus, themes=themes), "csv", folder / "report-matrix.csv")
    counted = report_matrix(publication.corpus, themes=themes, values="paragraphs")
    write_frame(counted, "csv", folder / "report-matrix-paragraphs.csv")
    together = square(publication.frame(catalogue.CO_OCCURRENCE_TABLE), themes)
    write_frame(together.reset_index(names="theme"), "csv", folder / "co-occurrence-matrix.csv")


def _quotations(publication: Publication, connection: Connection, path: Path) -> None:
    from pipeline.tables.matrices import quotations, theme_column

    signs = [theme_column(code) for code in publication.taxonomy.codes]
    with path.open("w", encoding="utf-8", newline="") as file:
        frames = quotations(connection, publication.corpus, themes=theme_infos(publication.taxonomy))
        for number, frame in enumerate(frames):
            # The themes' columns hold signs alone: only what comes from reports needs to be made safe.
            safe = neutralise(frame[[field.name for field in QUOTATION]]).join(frame[signs])
            safe.to_csv(file, index=False, header=number == 0, lineterminator="\n")


def guid(kind: str, key: str) -> str:
    """The same key has the same GUID in every run, so that a program can tell what is new.

    The UUID of RFC 9562's version 5 within a namespace of our own, as :func:`uuid.uuid5` makes it, without its objects.
    """
    digest = bytearray(hashlib.sha1(_NAMESPACE.bytes + f"{kind}:{key}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    digits = digest.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def fit(text: str) -> str:
    """Text as XML can hold it, every character in its place."""
    return _UNFIT.sub(" ", text)


class _Xml:
    """A little writer: elements as context managers, everything escaped."""

    def __init__(self, file: TextIOBase) -> None:
        self.file = file
        file.write('<?xml version="1.0" encoding="utf-8"?>\n')

    @contextmanager
    def element(self, name: str, attributes: Mapping[str, str] | None = None) -> Iterator[None]:
        """An element around what is written within the block."""
        self.file.write(f"<{name}{_attributes(attributes or {})}>")
        yield
        self.file.write(f"</{name}>\n")

    def leaf(self, name: str, text: str = "", /, **attributes: str) -> None:
        """An element with text alone, or nothing."""
        self.file.write(f"<{name}{_attributes(attributes)}>{escape(fit(text))}</{name}>\n")


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {key}={quoteattr(fit(value))}" for key, value in values.items())


def _codebook(publication: Publication, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        xml = _Xml(file)
        with xml.element("CodeBook", {"xmlns": "urn:QDA-XML:codebook:1.0", "origin": "inspection-themes"}):
            _codes(xml, publication.taxonomy.themes)
            if publication.taxonomy.sections:
                with xml.element("Sets"):
                    _sets(publication, xml, "guid")


def _codes(xml: _Xml, themes: tuple[Theme, ...]) -> None:
    """A code a theme, and below it one for each way in which a paragraph puts it."""
    with xml.element("Codes"):
        for theme in themes:
            with xml.element("Code", {"guid": guid("code", theme.code), "name": theme.name, "isCodable": "true"}):
                xml.leaf("Description", " ".join([*theme.definition.split(), *_unless(theme).split()]))
                for valence in Valence:
                    name = words.VALENCE_NAMES[valence.value]
                    with xml.element(
                        "Code",
                        {
                            "guid": guid("code", f"{theme.code} {valence.value}"),
                            "name": f"{theme.name}: {name}",
                            "isCodable": "true",
                            "color": _COLOURS[valence],
                        },
                    ):
                        xml.leaf("Description", f"{theme.name}, put as {name}.")


def _unless(theme: Theme) -> str:
    return f" Not when {theme.not_when}." if theme.not_when else ""


def _sets(publication: Publication, xml: _Xml, key: str) -> None:
    """The paper's sections. ``key``: what the schema calls a member's GUID, not the same in codebook and project."""
    for section in publication.taxonomy.sections:
        with xml.element("Set", {"guid": guid("set", section.code), "name": f"{section.code} {section.title}"}):
            for code in publication.taxonomy.active(section):
                xml.leaf("MemberCode", **{key: guid("code", code)})


def _project(publication: Publication, connection: Connection, path: Path) -> None:
    made = publication.about.made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    user = guid("user", "pipeline")
    reports = publication.frame(catalogue.REPORTS).to_dict("records")
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile() as raw,
        TextIOWrapper(raw, encoding="utf-8", newline="\n") as file,
    ):
        xml = _Xml(file)
        attributes = {
            "xmlns": "urn:QDA-XML:project:1.0",
            "name": "Inspection themes",
            "origin": f"inspection-themes {publication.about.version}",
            "creatingUserGUID": user,
            "creationDateTime": made,
        }
        with xml.element("Project", attributes):
            with xml.element("Users"):
                xml.leaf("User", guid=user, name=_coder(publication))
            with xml.element("CodeBook"):
                _codes(xml, publication.taxonomy.themes)
            with xml.element("Variables"):
                for name in _VARIABLES:
                    xml.leaf(
                        "Variable",
                        guid=guid("variable", name),
                        name=words.capital(words.spoken(name)),
                        typeOfVariable="Text",
                    )
            if reports:
                with xml.element("Cases"):
                    for report in reports:
                        _case(xml, report)
                with xml.element("Sources"):
                    _sources(publication, connection, xml, archive, user, made)
            if publication.taxonomy.sections:
                with xml.element("Sets"):
                    _sets(publication, xml, "targetGUID")
            xml.leaf(
                "Description",
                f"{publication.about.reports} reports coded by {_coder(publication)}. Each coded paragraph carries the "
                "code of its theme, and below it that of how it puts the theme. "
                "Text: Crown copyright, Open Government Licence v3.0.",
            )
        file.flush()
        raw.seek(0)
        with archive.open(_entry("project.qde"), "w") as entry:
            shutil.copyfileobj(raw, entry)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIPPED)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _coder(publication: Publication) -> str:
    return "pipeline, model " + (", ".join(publication.about.models) or "none")


def _case(xml: _Xml, report: Mapping[Any, Any]) -> None:
    with xml.element("Case", {"guid": guid("case", report["report_id"]), "name": _title(report)}):
        for name in _VARIABLES:
            if report[name]:
                with xml.element("VariableValue"):
                    xml.leaf("VariableRef", targetGUID=guid("variable", name))
                    xml.leaf("TextValue", str(report[name]))
        xml.leaf("SourceRef", targetGUID=guid("source", report["report_id"]))


def _title(report: Mapping[Any, Any]) -> str:
    # The key keeps two reports of one day apart: programs want names of their own.
    return f"{report['authority']} {report['published'] or 'no date'} ({report['report_id'][:8]})"


def _sources(
    publication: Publication, connection: Connection, xml: _Xml, archive: zipfile.ZipFile, user: str, made: str
) -> None:
    by = _attributes({"creatingUser": user, "creationDateTime": made})
    reports = publication.frame(catalogue.REPORTS).to_dict("records")
    for start in range(0, len(reports), _REPORTS_AT_A_TIME):
        block = reports[start : start + _REPORTS_AT_A_TIME]
        texts, carried = _read(connection, [report["report_id"] for report in block], publication.taxonomy.codes)
        for report in block:
            source = guid("source", report["report_id"])
            text, places = _laid_out(texts.get(report["report_id"], []))
            archive.writestr(_entry(f"Sources/{source}.txt"), text.encode())
            attributes = {
                "guid": source,
                "name": _title(report),
                "plainTextPath": f"internal://{source}.txt",
                "creatingUser": user,
                "creationDateTime": made,
            }
            with xml.element("TextSource", attributes):
                for paragraph, (begin, end) in places.items():
                    if paragraph in carried:
                        xml.file.write(_selection(paragraph, begin, end, carried[paragraph], by))


def _selection(paragraph: str, begin: int, end: int, carried: list[tuple[str, str]], by: str) -> str:
    """A coded paragraph. Written out, because there are hundreds of thousands: only keys, digits and ``by`` go in.

    ``by``: the attributes that say who made it and when.
    """
    codings = "".join(
        f'<Coding guid="{guid("coding", f"{paragraph} {code}")}"{by}>'
        f'<CodeRef targetGUID="{guid("code", code)}"/></Coding>'
        for theme, valence in carried
        for code in (theme, f"{theme} {valence}")
    )
    return (
        f'<PlainTextSelection guid="{guid("selection", paragraph)}" name={quoteattr(paragraph)} '
        f'startPosition="{begin}" endPosition="{end}"{by}>{codings}</PlainTextSelection>\n'
    )


_Piece = tuple[str, str | None, str]  # paragraph_id, number, text


def _read(
    connection: Connection, report_ids: list[str], codes: tuple[str, ...]
) -> tuple[dict[str, list[_Piece]], dict[str, list[tuple[str, str]]]]:
    texts: dict[str, list[_Piece]] = {}
    for row in connection.execute(
        select(paragraphs.c.report_id, paragraphs.c.paragraph_id, paragraphs.c.number, paragraphs.c.text)
        .where(paragraphs.c.report_id.in_(report_ids))
        .order_by(paragraphs.c.report_id, paragraphs.c.ordinal)
    ):
        texts.setdefault(row.report_id, []).append((row.paragraph_id, row.number, row.text))
    carried: dict[str, list[tuple[str, str]]] = {}
    for tag in connection.execute(
        select(tags.c.paragraph_id, tags.c.theme, tags.c.valence)
        .join(paragraphs)
        .where(paragraphs.c.report_id.in_(report_ids), paragraphs.c.substantive)
        .order_by(tags.c.paragraph_id, tags.c.theme)
    ):
        if tag.theme in codes:
            carried.setdefault(tag.paragraph_id, []).append((tag.theme, tag.valence))
    return texts, carried


def _laid_out(pieces: list[_Piece]) -> tuple[str, dict[str, tuple[int, int]]]:
    """A report as plain text, and where in it each paragraph stands: first character and the one after the last."""
    lines: list[str] = []
    places: dict[str, tuple[int, int]] = {}
    at = 0
    for paragraph, number, text in pieces:
        label = f"{fit(number)} " if number else ""
        line = label + fit(text)
        places[paragraph] = (at + len(label), at + len(line))
        lines.append(line)
        at += len(line) + 2
    return "\n\n".join(lines) + "\n", places
