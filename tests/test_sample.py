"""The shipped sample: made again byte for byte, varied, about nobody, and true to what it says about itself."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest

from pipeline.domain import Domain, Framework, Grade, InspectionType, ParagraphKind, Section, Valence, normalised

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def sample(repository: Path) -> Path:
    return repository / "corpus" / "sample"


@pytest.fixture(scope="module")
def expected(sample: Path) -> dict[str, Rows]:
    tables = {}
    for path in sorted((sample / "expected").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


@pytest.fixture(scope="module")
def remade(sample: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample made anew in another folder, by the command that the README gives."""
    output = tmp_path_factory.mktemp("sample")
    subprocess.run(
        [sys.executable, str(sample / "make_sample.py"), "--output", str(output)],
        check=True,
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository), "PYTHONHASHSEED": "random"},
    )
    return output


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in ("reports", "expected")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def pages_of(path: Path) -> list[str]:
    """Text of each page, on one line, its line-end hyphens and layout characters undone."""
    document = pypdfium2.PdfDocument(path)
    try:
        texts = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return [re.sub(r"\s+", " ", text.replace("\ufffe", "-").replace("\u00ad", "")) for text in texts]


def test_script_makes_the_shipped_files_again_byte_for_byte(sample: Path, remade: Path) -> None:
    shipped, again = files_below(sample), files_below(remade)
    assert sorted(shipped) == sorted(again)
    assert [name for name in shipped if shipped[name] != again[name]] == []


def test_sample_is_small(sample: Path) -> None:
    assert sum(len(content) for content in files_below(sample).values()) < 3_500_000


def test_words_are_the_domains_own(expected: dict[str, Rows]) -> None:
    for row in expected["reports"]:
        Framework(row["framework"])
        InspectionType(row["inspection_type"])
    for row in expected["judgements"]:
        Domain(row["domain"])
        Grade(row["grade"])
    for row in expected["paragraphs"]:
        Section(row["section"])
        ParagraphKind(row["kind"])
    assert {Valence(row["valence"]) for row in expected["themes"]} == set(Valence)


def test_every_form_of_report_is_there(expected: dict[str, Rows]) -> None:
    reports = {row["path"]: row for row in expected["reports"]}
    grades: dict[str, dict[str, str]] = {path: {} for path in reports}
    for row in expected["judgements"]:
        grades[row["path"]][row["domain"]] = row["grade"]
    read = {path: row for path, row in reports.items() if row["status"] == "extracted"}
    assert len(read) >= 12
    assert {row["framework"] for row in read.values()} == {"SIF", "ILACS"}
    assert {row["inspection_type"] for row in read.values()} == {"inspection", "short inspection", "re-inspection"}
    overall = Counter(grades[path]["overall_effectiveness"] for path in read)
    assert set(overall) == set(Grade) - {Grade.ADEQUATE}
    assert min(overall[grade] for grade in Grade if grade not in (Grade.ADEQUATE, Grade.NOT_JUDGED)) >= 3
    ilacs = [grades[path] for path, row in read.items() if row["framework"] == "ILACS"]
    assert {len(judged) for judged in ilacs} == {4, 5}
    assert any("care_leavers" in judged and judged["overall_effectiveness"] == "not judged" for judged in ilacs)
    sif = [grades[path] for path, row in read.items() if row["framework"] == "SIF"]
    assert {"lscb" in judged for judged in sif} == {True, False}
    assert any(judged["adoption"] == "not judged" for judged in sif)
    assert Counter(row["status"] for row in reports.values())["set aside"] == 2


def test_reports_are_as_long_as_real_ones(expected: dict[str, Rows]) -> None:
    framework = {row["path"]: row["framework"] for row in expected["reports"]}
    count = Counter(row["path"] for row in expected["paragraphs"])
    for path, paragraphs in count.items():
        low, high = (60, 120) if framework[path] == "SIF" else (30, 60)
        assert low <= paragraphs <= high, path


def test_no_paragraph_occurs_twice(expected: dict[str, Rows]) -> None:
    count = Counter(normalised(row["text"]) for row in expected["paragraphs"])
    assert [text for text, times in count.items() if times > 1] == []


def test_better_grades_read_better(expected: dict[str, Rows]) -> None:
    """The share of weaknesses must rise from band to band, or a table over the sample would show nothing."""
    grade = {row["path"]: row["grade"] for row in expected["judgements"] if row["domain"] == "overall_effectiveness"}
    weak: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row in expected["themes"]:
        total[grade[row["path"]]] += 1
        weak[grade[row["path"]]] += row["valence"] == "-"
    order = ("outstanding", "good", "requires improvement", "inadequate")
    shares = [weak[band] / total[band] for band in order]
    assert shares == sorted(shares)
    assert shares[-1] > 2 * shares[1]


def test_every_theme_of_the_codebook_is_written_about(expected: dict[str, Rows]) -> None:
    strengths = Counter(row["theme"] for row in expected["themes"] if row["valence"] == "+")
    weaknesses = Counter(row["theme"] for row in expected["themes"] if row["valence"] == "-")
    assert set(strengths) == set(weaknesses)
    assert len(strengths) == 32
    assert min(strengths.values()) >= 2
    assert min(weaknesses.values()) >= 2


def test_authorities_do_not_exist(repository: Path, expected: dict[str, Rows]) -> None:
    table = repository / "corpus" / "authorities.csv"
    if not table.is_file():
        pytest.skip("corpus/authorities.csv is not here")
    with table.open(encoding="utf-8", newline="") as file:
        real = list(csv.DictReader(file))
    names = {normalised(row["name"]) for row in real}
    assert len(names) > 100
    urns = {row["urn"] for row in real if row["urn"]}
    for row in expected["reports"]:
        assert normalised(row["authority"]) not in names
        assert row["urn"] not in urns
        assert row["urn"].startswith("99")


def test_paragraphs_stand_on_the_pages_that_the_truth_names(sample: Path, expected: dict[str, Rows]) -> None:
    """Another reader than the layout finds each paragraph's beginning on its page."""
    for report in expected["reports"]:
        if report["status"] != "extracted":
            continue
        pages = pages_of(sample / "reports" / report["path"])
        assert len(pages) == int(report["pages"])
        for row in expected["paragraphs"]:
            if row["path"] == report["path"]:
                # A footnote's mark may hang on a word.
                opening = r"\d?\s".join(map(re.escape, row["text"].split()[:5]))
                assert re.search(opening, pages[int(row["page"]) - 1]), (report["path"], row["ordinal"])


def test_judgements_stand_on_the_pages_that_the_truth_names(sample: Path, expected: dict[str, Rows]) -> None:
    for report in expected["reports"]:
        if report["status"] != "extracted":
            continue
        pages = pages_of(sample / "reports" / report["path"])
        for row in expected["judgements"]:
            if row["path"] != report["path"]:
                continue
            if not row["page"]:
                assert (row["domain"], row["grade"]) == ("overall_effectiveness", "not judged")
                continue
            words = row["grade"].replace("requires", "requires?").replace(" ", r"\s")
            assert re.search(words, pages[int(row["page"]) - 1], re.IGNORECASE), (row["path"], row["domain"])


def test_one_judgement_table_breaks_over_two_pages(expected: dict[str, Rows]) -> None:
    pages: dict[str, set[str]] = {}
    for row in expected["judgements"]:
        if row["page"] and row["domain"] != "lscb":
            pages.setdefault(row["path"], set()).add(row["page"])
    assert [sorted(found) for found in pages.values() if len(found) > 1] == [["1", "2"]]


def test_pages_carry_the_awkward_characters_of_real_ones(sample: Path) -> None:
    streams = b"".join(files_below(sample).values())
    for character in ("F06E", "F0B7", "F02D", "25FC", "FB01", "00AD", "202F"):
        assert re.search(rb"<[0-9A-F]{2}> <" + character.encode() + rb">", streams), character


def test_set_aside_files_cannot_be_read(sample: Path, expected: dict[str, Rows]) -> None:
    aside = [row for row in expected["reports"] if row["status"] == "set aside"]
    contents = [(sample / "reports" / row["path"]).read_bytes() for row in aside]
    assert sum(b"<title>Report not found - Find an Inspection Report - Ofsted</title>" in c for c in contents) == 1
    truncated = [content for content in contents if content.startswith(b"%PDF")]
    assert len(truncated) == 1
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(truncated[0])


@pytest.mark.corpus
def test_no_twelve_words_in_a_row_are_a_real_reports(shared: Path, expected: dict[str, Rows]) -> None:
    def runs(text: str) -> set[int]:
        words = re.findall(r"[a-z0-9']+", text.lower().replace("’", "'"))
        return {hash(tuple(words[start : start + 12])) for start in range(len(words) - 11)}

    ours = set().union(*(runs(row["text"]) for row in expected["paragraphs"]))
    assert len(ours) > 10_000
    for path in sorted((shared / "corpus" / "pdf").rglob("*.pdf")):
        if path.read_bytes()[:4] != b"%PDF":
            continue
        assert not ours & runs(" ".join(pages_of(path))), path.name
