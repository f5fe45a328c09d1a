"""The site: safe, self-contained, whole, readable by everybody."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from selectolax.lexbor import LexborHTMLParser

from pipeline.publish.stage import publish
from tests.publish.building import NASTY_NAME, NASTY_TEXT, Report, Written, many
from tests.publish.conftest import Opened

_FETCHING = ("src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "style")


def _pages(site: Path) -> Iterator[tuple[Path, LexborHTMLParser]]:
    for path in sorted(site.rglob("*.html")):
        yield path, LexborHTMLParser(path.read_text(encoding="utf-8"))


def test_every_theme_and_authority_has_a_page(published: Path) -> None:
    names = {path.relative_to(published / "site").as_posix() for path, _ in _pages(published / "site")}
    assert {"index.html", "method.html", "data.html", "themes/camhs.html", "themes/never.html"} <= names
    assert len([name for name in names if name.startswith("authorities/")]) == 9


def test_what_comes_from_a_report_is_text_and_never_markup(published: Path) -> None:
    seen = 0
    for path, page in _pages(published / "site"):
        assert not page.css("script, iframe, object, embed, form, img, base"), path
        for node in page.css("*"):
            assert not [name for name in node.attributes if name.startswith("on")], path
        if path.name == "camhs.html":
            text = page.body.text() if page.body else ""
            assert NASTY_TEXT in " ".join(text.split())
            assert "says <em>nothing</em> about children & families" in text
            seen += 1
        if path.stem.startswith("cmd"):
            heading = page.css_first("h1")
            assert heading is not None
            assert heading.text() == NASTY_NAME
            seen += 1
    assert seen == 2


def test_nothing_is_fetched_from_anywhere_else(published: Path) -> None:
    for path, page in _pages(published / "site"):
        assert [node.attributes["href"] for node in page.css("link")] == [
            "../" * (len(path.relative_to(published / "site").parts) - 1) + "site.css"
        ]
        for node in page.css("*"):
            assert not set(node.attributes) & set(_FETCHING), (path, node.html)
    style = (published / "site" / "site.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|@font-face", style)


def test_every_link_within_the_site_leads_somewhere(published: Path) -> None:
    followed = 0
    for path, page in _pages(published / "site"):
        anchors = {node.attributes["id"] for node in page.css("[id]")}
        for node in page.css("a[href]"):
            address = node.attributes["href"] or ""
            if re.match(r"https?://", address) or "reports/" in address:
                continue  # a report's own address or file
            target, _, fragment = address.partition("#")
            if target:
                assert (path.parent / unquote(target)).is_file(), (path, address)
            else:
                assert fragment in anchors, (path, address)
            followed += 1
    assert followed > 300


def test_evidence_links_to_the_page_of_the_report(published: Path) -> None:
    page = LexborHTMLParser((published / "site" / "themes" / "early-help.html").read_text(encoding="utf-8"))
    links = [node.attributes["href"] or "" for node in page.css(".quotation footer a[href*='#page=']")]
    assert links
    assert all(re.fullmatch(r"https://example\.org/reports/\d+\.pdf#page=\d+", link) for link in links)


def test_an_address_that_is_not_a_web_address_is_not_linked(opened: Opened) -> None:
    text = "Early help is described in a paragraph that is long enough to be counted as substantive."
    paragraph = Written(text, {"early_help": ("+", 0.9)}, page=4)
    context = opened([Report("a" * 16, paragraphs=[paragraph], url="javascript:alert(document.domain)")])
    publish(context)
    for path in [*context.config.output.rglob("*.html"), context.config.output / "data" / "reports.csv"]:
        assert "javascript:" not in path.read_text(encoding="utf-8"), path
    page = LexborHTMLParser((context.config.output / "site" / "themes" / "early-help.html").read_text(encoding="utf-8"))
    link = page.css_first(".quotation footer a[href*='#page=']")
    assert link is not None
    assert link.attributes["href"] == f"../../../reports/{'a' * 16}.pdf#page=4"


def test_structure_that_screen_readers_go_by(published: Path) -> None:
    for path, page in _pages(published / "site"):
        assert page.root is not None
        assert page.root.attributes["lang"] == "en-GB"
        title = page.css_first("title")
        assert title is not None
        assert title.text().strip(), path
        assert len(page.css("h1")) == len(page.css("main")) == 1, path
        levels = [int((node.tag or "h0")[1]) for node in page.css("h1, h2, h3, h4")]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (path, levels)
        ids = [node.attributes["id"] for node in page.css("[id]")]
        assert len(ids) == len(set(ids)), path
        for table in page.css("table"):
            assert table.css("caption"), path
            assert all(node.attributes.get("scope") in ("col", "row") for node in table.css("th")), path
        for region in page.css(".scroll"):
            assert region.attributes.get("tabindex") == "0", path
            assert region.attributes.get("aria-label"), path
        for picture in page.css("svg"):
            assert picture.attributes.get("aria-hidden") == "true", path  # the digits stand beside it
        for link in page.css("a"):
            assert link.text().strip(), (path, link.html)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(published: Path, scheme: str) -> None:
    style = (published / "site" / "site.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))
    for level in range(10):
        ink = colours["low-ink" if level < 7 else "high-ink"]
        assert _contrast(colours[f"h{level}"], ink) >= 4.5, level
    for ink in ("ink", "quiet", "link", "visited"):
        assert _contrast(colours[ink], colours["ground"]) >= 4.5, ink
        assert _contrast(colours[ink], colours["wash"]) >= 4.5, ink
    for mark in ("plus", "minus", "zero", "mark"):
        assert _contrast(colours[mark], colours["ground"]) >= 3, mark
    assert _contrast(colours["bar"], colours["bar-ink"]) >= 4.5


@pytest.mark.parametrize(
    "reports",
    [[], [Report("a" * 16, authority=None, published=None, region=None)]],
    ids=["none", "one without judgement"],
)
def test_nothing_to_count_is_said_in_words(opened: Opened, reports: list[Report]) -> None:
    context = opened(reports)
    publish(context)
    site = context.config.output / "site"
    overview = (site / "index.html").read_text(encoding="utf-8")
    theme = (site / "themes" / "camhs.html").read_text(encoding="utf-8")
    assert "No paragraph that has been read carries this theme." in theme
    assert "no paragraphs" in overview or "No report has been read yet" in overview
    for path, page in _pages(site):
        assert not re.search(r"\b(nan|None|inf|NaT)\b", page.body.text() if page.body else ""), path


def test_two_authorities_of_one_name_in_an_address_have_two_pages(opened: Opened) -> None:
    context = opened([Report("a" * 16, authority="St. Mary Mead"), Report("b" * 16, authority="St Mary-Mead")])
    publish(context)
    pages = sorted(path.name for path in (context.config.output / "site" / "authorities").iterdir())
    assert pages == ["st-mary-mead-2.html", "st-mary-mead.html"]


def test_the_same_run_makes_the_same_bytes(opened: Opened) -> None:
    context = opened(many(6))
    publish(context)
    output = context.config.output
    first = {path.relative_to(output): path.read_bytes() for path in output.rglob("*") if path.is_file()}
    (output / "theme-frequencies.csv").unlink()
    publish(context)
    second = {path.relative_to(output): path.read_bytes() for path in output.rglob("*") if path.is_file()}
    assert sorted(first) == sorted(second)
    assert [path for path in first if first[path] != second[path]] == []
