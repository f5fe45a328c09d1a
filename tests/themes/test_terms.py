"""How the taxonomy's terms match."""

from __future__ import annotations

import pytest

from pipeline.themes.taxonomy import Taxonomy, parse_taxonomy
from pipeline.themes.terms import TermMatcher, singular, term_counts

TERMS = parse_taxonomy(
    """\
name: terms
themes:
  - {code: leavers, name: L, definition: d, terms: [care leaver, pathway plan, "children's centre"], acronyms: [PA]}
  - {code: agencies, name: A, definition: d, terms: [multi-agency, agency, policy]}
  - {code: silent, name: S, definition: d}
"""
)


@pytest.fixture(scope="module")
def matcher() -> TermMatcher:
    return TermMatcher(TERMS.themes)


def found(matcher: TermMatcher, text: str) -> list[tuple[str, str]]:
    return [(matcher.codes[term.theme], text[term.start : term.end]) for term in matcher.read(text).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Most Care Leavers are well.", [("leavers", "Care Leavers")]),
        ("A care-leaver's flat", [("leavers", "care-leaver")]),
        ("multi agency, multi‑agency", [("agencies", "multi agency"), ("agencies", "multi‑agency")]),
        ("the children’s centres", [("leavers", "children’s centres")]),
        ("Agencies' policies", [("agencies", "Agencies"), ("agencies", "policies")]),
        ("Their PA left; PAs differ; the pa system; SPA day", [("leavers", "PA"), ("leavers", "PAs")]),
        ("carefully; a leaver of care; pathways to plan", []),
        ("pathway\u00a0plan", [("leavers", "pathway\u00a0plan")]),
        ("(pathway plan).", [("leavers", "pathway plan")]),
        ("", []),
    ],
)  # fmt: skip
def test_terms_match_whole_words_in_any_usual_form(
    matcher: TermMatcher, text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(matcher, text) == expected


def test_a_term_inside_a_longer_one_of_its_theme_counts_once(matcher: TermMatcher) -> None:
    assert found(matcher, "multi-agency agency") == [("agencies", "multi-agency"), ("agencies", "agency")]


def test_counts_have_a_row_a_text_and_a_column_a_theme(matcher: TermMatcher) -> None:
    texts = ["care leaver, pathway plan, agency", "nothing", "agencies and agencies"]
    assert term_counts([matcher.read(text) for text in texts], 3).toarray().tolist() == [
        [2, 1, 0],
        [0, 0, 0],
        [0, 2, 0],
    ]


def test_evidence_is_the_sentences_with_the_theme_s_terms_and_else_the_whole_text(matcher: TermMatcher) -> None:
    text = "Roads are wide. Care leavers do well. Agencies meet. PAs help them."
    reading = matcher.read(text)
    assert [text[begin:end] for begin, end in reading.sentences] == [
        "Roads are wide.", "Care leavers do well.", "Agencies meet.", "PAs help them.",
    ]  # fmt: skip
    assert reading.evidence(0) == "Care leavers do well. PAs help them."
    assert reading.evidence(1) == "Agencies meet."
    assert reading.evidence(2) == text


@pytest.mark.parametrize(
    ("word", "key"), [("Agencies", "agency"), ("plans", "plan"), ("process", "process"), ("is", "is"), ("IROs", "iro")]
)
def test_singular_keys(word: str, key: str) -> None:
    assert singular(word) == key


def test_every_shipped_term_finds_itself(shipped_taxonomy: Taxonomy) -> None:
    shipped = TermMatcher(shipped_taxonomy.themes)
    for column, theme in enumerate(shipped_taxonomy.themes):
        for term in (*theme.terms, *theme.acronyms):
            assert column in {hit.theme for hit in shipped.read(f"We saw {term} there.").terms}, (theme.code, term)
