"""The REFI-QDA project: valid, whole, and coded where the paragraphs stand."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest
from lxml import etree

from pipeline.publish.qda import CODEBOOK, PROJECT, fit, guid
from tests.publish.building import NASTY_NAME, NASTY_TEXT

_NAMES = {"q": "urn:QDA-XML:project:1.0"}


@pytest.fixture(scope="module")
def archive(published: Path) -> zipfile.ZipFile:
    """The project's archive."""
    return zipfile.ZipFile(published / "qda" / PROJECT)


@pytest.fixture(scope="module")
def project(archive: zipfile.ZipFile) -> etree._Element:
    """The project's XML."""
    return etree.fromstring(archive.read("project.qde"))


def test_it_is_valid_against_the_schema(project: etree._Element) -> None:
    schema = etree.XMLSchema(etree.parse(Path(__file__).parent / "refi_qda_project.xsd"))
    assert schema.validate(project), schema.error_log


def test_a_code_a_theme_and_below_it_how_it_is_put(project: etree._Element) -> None:
    codes = project.findall("q:CodeBook/q:Codes/q:Code", _NAMES)
    assert [code.get("name") for code in codes] == ["CAMHS", "Early help", "Legal work", "Never found"]
    assert [code.get("name") for code in codes[0].findall("q:Code", _NAMES)] == [
        "CAMHS: strength",
        "CAMHS: weakness",
        "CAMHS: mixed",
    ]
    assert [member.get("name") for member in project.findall("q:Sets/q:Set", _NAMES)] == [
        "3.2 Early Help services",
        "4.3 CAMHS",
    ]


def test_every_selection_is_the_paragraph_itself(
    published: Path, archive: zipfile.ZipFile, project: etree._Element
) -> None:
    with (published / "qda" / "quotations.csv").open(encoding="utf-8", newline="") as file:
        quoted = {row["paragraph_id"]: row for row in csv.DictReader(file)}
    codes = {code.get("guid"): code.get("name") for code in project.iter(f"{{{_NAMES['q']}}}Code")}
    columns = {"CAMHS": "theme_camhs", "Early help": "theme_early_help", "Legal work": "theme_legal"}
    signs = {"+": "strength", "-": "weakness", "0": "mixed"}
    selected = 0
    for source in project.findall("q:Sources/q:TextSource", _NAMES):
        text = archive.read("Sources/" + (source.get("plainTextPath") or "").removeprefix("internal://")).decode()
        for selection in source.findall("q:PlainTextSelection", _NAMES):
            row = quoted[selection.get("name")]
            begin, end = int(selection.get("startPosition")), int(selection.get("endPosition"))
            assert text[begin:end] == row["text"].removeprefix("'")
            given = {codes[ref.get("targetGUID")] for ref in selection.findall("q:Coding/q:CodeRef", _NAMES)}
            expected = {name for name, column in columns.items() if row[column]}
            assert given == expected | {f"{name}: {signs[row[columns[name]]]}" for name in expected}
            selected += 1
    assert selected == len(quoted) > 100


def test_every_guid_is_its_own_and_every_reference_leads_to_one(project: etree._Element) -> None:
    guids = Counter(node.get("guid") for node in project.iter() if node.get("guid"))
    assert max(guids.values()) == 1
    assert {node.get("targetGUID") for node in project.iter() if node.get("targetGUID")} <= set(guids)
    assert guid("code", "camhs") in guids  # the same in every run


def test_names_and_texts_that_look_like_markup_are_kept_as_they_are(
    project: etree._Element, archive: zipfile.ZipFile
) -> None:
    cases = [case.get("name") or "" for case in project.findall("q:Cases/q:Case", _NAMES)]
    assert f"{NASTY_NAME} no date (ffffffff)" in cases
    texts = b"".join(archive.read(name) for name in archive.namelist() if name.startswith("Sources/"))
    assert NASTY_TEXT.encode() in texts


def test_characters_that_xml_cannot_hold_keep_their_place() -> None:
    text = "a\x00b\x0bc\ud800d\u2028e\r\nf 𝄞"
    fitted = fit(text)
    assert len(fitted) == len(text)
    assert etree.fromstring(f"<t>{fitted}</t>".encode()).text == fitted == "a b c d e  f 𝄞"


def test_guids_are_those_of_the_standard_library() -> None:
    namespace = uuid5(NAMESPACE_URL, "urn:inspection-themes:refi-qda")
    for key in ("camhs", "camhs +", "ffff-0001 legal -", ""):
        assert guid("coding", key) == str(uuid5(namespace, f"coding:{key}"))


def test_the_codebook_stands_alone_too(published: Path) -> None:
    root = etree.parse(published / "qda" / CODEBOOK).getroot()
    assert root.tag == "{urn:QDA-XML:codebook:1.0}CodeBook"
    assert len(root.findall(".//{*}Code")) == 16
    assert [member.get("guid") for member in root.findall("{*}Sets/{*}Set/{*}MemberCode")] == [
        guid("code", code) for code in ("early_help", "legal", "camhs")
    ]


def test_the_matrix_agrees_with_the_frequencies(published: Path) -> None:
    with (published / "qda" / "report-matrix.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (published / "theme-frequencies.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    for cell in cells:
        band = [row for row in rows if row["judgement_overall_effectiveness"] == cell["band"]]
        assert len(band) == int(cell["of_reports"])
        assert sum(int(row[f"theme_{cell['theme']}"]) for row in band) == int(cell["reports"])
