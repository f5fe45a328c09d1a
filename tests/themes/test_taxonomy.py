"""The taxonomy file: what ships, and what a wrong one says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.themes.taxonomy import load_taxonomy, parse_taxonomy

SHIPPED = Path(__file__).parents[2] / "corpus" / "taxonomy.yaml"

SMALL = """\
name: small
themes:
  - code: housing
    name: Housing
    definition: Where families live.
    terms: [housing, temporary accommodation]
  - code: money
    name: Money
    definition: What families live on.
    acronyms: [UC]
sections:
  - code: 3.10
    title: Homes
    themes: [housing, money]
"""


def error_of(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_taxonomy(text, "my.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_shipped_taxonomy_has_the_paper_s_sections_over_themes_that_all_have_terms() -> None:
    taxonomy = load_taxonomy(SHIPPED)
    assert len(taxonomy.codes) == 32
    assert [section.code for section in taxonomy.sections] == [
        *(f"3.{i}" for i in range(1, 11)),
        *(f"4.{i}" for i in range(2, 8)),
    ]
    assert all(theme.terms and len(theme.definition.split()) >= 6 for theme in taxonomy.themes)
    assert {code for section in taxonomy.sections for code in section.themes} == set(taxonomy.codes)


def test_the_shipped_taxonomy_agrees_with_the_codebook_and_does_not_copy_it(shared: Path) -> None:
    taxonomy = load_taxonomy(SHIPPED)
    codebook = (shared / "codebook.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in codebook.splitlines() if line.startswith("| ")]
    codes = {row[0].strip(): row[1].strip() for row in rows if len(row) == 5 and row[0].strip() not in ("code", "---")}
    assert {theme.code: theme.name for theme in taxonomy.themes} == codes
    sections = {
        row[0].strip(): [code.strip() for code in row[2].split(",")]
        for row in rows
        if len(row) == 3 and row[0].strip()[0].isdigit()
    }
    assert {section.code: list(section.themes) for section in taxonomy.sections} == sections
    words = " ".join(re.findall(r"\w+", codebook.lower()))
    for theme in taxonomy.themes:
        said = re.findall(r"\w+", f"{theme.definition} {theme.not_when or ''} {' '.join(theme.rulings)}".lower())
        assert not [said[i : i + 12] for i in range(len(said) - 11) if " ".join(said[i : i + 12]) in words]


def test_every_label_is_of_a_theme_in_the_taxonomy() -> None:
    taxonomy = load_taxonomy(SHIPPED)
    labels = SHIPPED.with_name("labels.csv")
    with labels.open(encoding="utf-8", newline="") as file:
        themes = {row["theme"] for row in csv.DictReader(file)} - {""}
    assert themes == set(taxonomy.codes)


def test_a_section_number_is_text_and_not_a_decimal_fraction() -> None:
    assert parse_taxonomy(SMALL).sections[0].code == "3.10"


def test_a_retired_theme_is_known_but_not_in_use() -> None:
    taxonomy = parse_taxonomy(SMALL.replace("    acronyms: [UC]\n", "    retired: true\n"))
    assert taxonomy.codes == ("housing",)
    assert taxonomy.retired == ("money",)
    assert taxonomy.active(taxonomy.section("3.10")) == ("housing",)
    assert taxonomy.theme("money").retired


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("code: money", "code: finance", True),
        ("acronyms: [UC]", "acronyms: [UC, PIP]", True),
        ("acronyms: [UC]", "retired: true", True),
        ("[housing, temporary accommodation]", "[temporary accommodation, housing]", False),
        ("name: Money", "name: Income", False),
        ("definition: What families live on.", "definition: Income of families.", False),
    ],
)
def test_the_fingerprint_changes_only_with_what_can_change_a_tag(before: str, after: str, changes: bool) -> None:
    edited = SMALL.replace(before, after)
    if "finance" in after:
        edited = edited.replace("[housing, money]", "[housing, finance]")
    assert edited != SMALL
    assert (parse_taxonomy(edited).fingerprint != parse_taxonomy(SMALL).fingerprint) is changes


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("code: money", "code: housing", "my.yaml, line 7: the code housing is already used on line 3"),
        (
            "[housing, money]",
            "[housing, mony]",
            "line 14: section 3.10 has the theme 'mony', which does not exist (did you mean money?)",
        ),
        ("[housing, money]", "[housing, housing]", "line 14: section 3.10 has the theme housing twice"),
        ("    definition: What families live on.\n", "", "line 7: the key `definition` is missing"),
        ("name: Money", "nmae: Money", "line 7: the key `name` is missing"),
        ("acronyms: [UC]", "akronyms: [UC]", "line 10: the key `akronyms` is not one"),
        ("acronyms: [UC]", "acronyms: UC", "line 10: `acronyms` must be a list"),
        ("acronyms: [UC]", "retired: perhaps", "line 10: `retired`"),
        ("acronyms: [UC]", "name: Funds", "line 10: the key 'name' is already on line 8"),
        ("code: money", "code: Money Matters", "line 7: a theme's code must start with a lower case letter"),
        ("code: housing", "code: [housing", "is not YAML, line"),
        ("terms: [housing, temporary accommodation]", "terms: ['  ']", "line 6: `terms`"),
    ],
)
def test_a_wrong_taxonomy_is_one_sentence_with_file_and_line(before: str, after: str, said: str) -> None:
    assert before in SMALL
    message = error_of(SMALL.replace(before, after))
    assert said in message
    assert message.endswith(".")


def test_a_taxonomy_whose_themes_are_all_retired_is_refused() -> None:
    assert "every theme is retired" in error_of(
        SMALL.replace("    acronyms: [UC]\n", "    retired: true\n").replace(
            "terms: [housing, temporary accommodation]", "retired: true"
        )
    )


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert "must be a mapping" in error_of(text)


def test_yaml_that_would_build_objects_is_refused() -> None:
    # Tags are never acted on: the value is read as text, and text is not what `themes` wants.
    assert "`themes` must be a list" in error_of("name: x\nthemes: !!python/name:os.system 'true'\n")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.yaml does not exist; set `taxonomy`"):
        load_taxonomy(tmp_path / "no.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        load_taxonomy(tmp_path)


def test_an_unknown_theme_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no theme 'houseing' in the taxonomy \(did you mean housing\?\)"):
        parse_taxonomy(SMALL).theme("houseing")
