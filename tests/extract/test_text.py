"""Characters and line ends as a reader takes them."""

from __future__ import annotations

import pytest

from pipeline.extract.text import (
    LINE_END_HYPHEN,
    closes,
    dash_bullet,
    ends_sentence,
    glyph_bullet,
    joined,
    mended,
    point_number,
)


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("o\ufb03cers \ufb01nd \ufb02aws", "officers find flaws"),
        ("safe\u00adguard\u200bing", "safeguarding"),
        ("five\u00a0days\u202fa  week ", "five days a week"),
        ("multi\u2011agency", "multi-agency"),
    ],
)
def test_characters_are_mended(printed: str, read: str) -> None:
    assert mended(printed) == read


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["a multi" + LINE_END_HYPHEN, "agency team"], "a multi-agency team"),
        (["a multi-", "agency team"], "a multi-agency team"),
        (["the safe-", "guarding board"], "the safeguarding board"),
        (["for 16-", "and 17-year-olds"], "for 16- and 17-year-olds"),
        (["one –", "two"], "one – two"),
        (["ends in a hyphen" + LINE_END_HYPHEN], "ends in a hyphen-"),
    ],
)
def test_line_end_hyphens_stay_unless_the_document_knows_the_word_without(lines: list[str], text: str) -> None:
    assert joined(lines, {"safeguarding", "multi-agency", "multi", "agency"}) == text


def test_points_and_bullets_are_told_from_sentences() -> None:
    assert point_number("12. Children are seen") == ("12", 4)
    assert point_number("12.Children are seen") == ("12", 3)
    assert point_number("31. 79% of children") == ("31", 4)
    assert point_number("2014. The plan") is None
    assert point_number("3.5 visits a week") is None
    assert glyph_bullet("\uf0b7 text") == glyph_bullet("\u25fc text") == 2
    assert glyph_bullet("o text") == 2
    assert glyph_bullet("overall effectiveness") == 0
    assert dash_bullet("– text") == 2
    assert dash_bullet("-text") == 0


@pytest.mark.parametrize("text", ["It works.", "Does it?", "‘I am safe.’", "It works. (Recommendation)", "It works.)"])
def test_sentence_ends_before_its_brackets_and_quotes(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize("text", ["This is because:", "in school (the average", "in 2014 (up from 2013)", "plans for"])
def test_open_text_does_not_end_a_sentence(text: str) -> None:
    assert not ends_sentence(text)


def test_closing_boilerplate_is_known_by_its_first_words() -> None:
    assert closes("© Crown copyright 2019")
    assert not closes("Complaints are answered in time.")
