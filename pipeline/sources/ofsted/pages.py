"""The site's pages read: what a search page and a provider's page list.

How the pages are marked up is data: one :class:`ProviderMarkup` or :class:`SearchMarkup` a known form of the page. When
the publisher changes it, the example page goes to ``tests/sources/pages/`` and its form here, one line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

_PROVIDER_PATH = re.compile(r"/provider/\d+/(?P<urn>\d{4,10})/?")
_FILE_PATH = re.compile(r"/v\d+/file/(?P<number>\d{1,20})/?")
_HIDDEN_TEXT = re.compile(r"(?P<title>.+?)\s*,\s*(?P<type>[A-Za-z]{3,4})\s*-\s*(?P<date>\d{1,2} [A-Za-z]+ \d{4})")
_DATE = re.compile(r"\d{1,2} [A-Za-z]+ \d{4}")


@dataclass(frozen=True, slots=True)
class SearchMarkup:
    """CSS selectors of a search page."""

    provider: str
    next_page: str


@dataclass(frozen=True, slots=True)
class ProviderMarkup:
    """CSS selectors of a provider's page."""

    name: str
    urn: str
    link: str
    hidden: str  # within the link: "<title>, pdf - <date>", for screen readers
    published: str  # beside the link, in its list item: the day of publication, where it is given apart from the link


SEARCH_MARKUPS = (
    SearchMarkup(provider="ul.results-list > li h3 a[href]", next_page="a.pagination__next[href]"),
)  # fmt: skip
PROVIDER_MARKUPS = (
    # Since about 2018: a timeline. Pages copied before that carry the links without one.
    ProviderMarkup("h1.title-block__heading", "p.title-block__subheading", "a.publication-link[href]",
                   "span.nonvisual", "div.event__metadata time[pubdate]"),
    ProviderMarkup("h1", "p", "a.publication-link[href]", "span.nonvisual", "time[pubdate]"),
)  # fmt: skip
"""Newest first; the first that makes sense of a page is used."""


@dataclass(frozen=True, slots=True)
class ProviderLink:
    """A search result."""

    urn: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of search results. ``problems`` are what could not be read, as the end of a sentence."""

    providers: tuple[ProviderLink, ...]
    next_url: str | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """A document that a provider's page lists."""

    file_number: str
    title: str
    published: date | None
    url: str


@dataclass(frozen=True, slots=True)
class ProviderPage:
    """A provider's page.

    Attributes
    ----------
    urn, name : str or None
        As the page says them; ``None`` where its markup is not understood.
    publications : tuple of Publication
        In the page's order, PDFs only.
    other_files : tuple of str
        Titles of documents that are not PDFs.
    problems : tuple of str
        What could not be read, as the end of a sentence.
    """

    urn: str | None
    name: str | None
    publications: tuple[Publication, ...]
    other_files: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_search(html: str, url: str) -> SearchPage:
    """Read a page of search results that came from ``url``."""
    tree = LexborHTMLParser(html)
    providers: dict[str, ProviderLink] = {}
    next_url = None
    for markup in SEARCH_MARKUPS:
        for link in tree.css(markup.provider):
            target = _joined(url, link)
            match = _PROVIDER_PATH.fullmatch(urlsplit(target).path)
            if match and _text(link):
                providers.setdefault(match["urn"], ProviderLink(match["urn"], _text(link), target))
        following = tree.css_first(markup.next_page)
        if following is not None:
            next_url = _joined(url, following)
        if providers:
            return SearchPage(tuple(providers.values()), next_url)
    strays = sum(1 for link in tree.css("a[href]") if _PROVIDER_PATH.fullmatch(urlsplit(_joined(url, link)).path))
    problems = (f"has {strays} links to providers, but none where results used to be",) if strays else ()
    return SearchPage((), next_url, problems)


def read_provider(html: str, url: str) -> ProviderPage:
    """Read a provider's page that came from ``url``."""
    tree = LexborHTMLParser(html)
    pages = [_read_provider(tree, url, markup) for markup in PROVIDER_MARKUPS]
    # The fewest problems, then the most publications; the newest markup where they are equal.
    return min(pages, key=lambda page: (len(page.problems), -len(page.publications)))


def _read_provider(tree: LexborHTMLParser, url: str, markup: ProviderMarkup) -> ProviderPage:
    problems = []
    heading = tree.css_first(markup.name)
    name = _text(heading) if heading is not None else ""
    urns = [match[1] for node in tree.css(markup.urn) if (match := re.fullmatch(r"URN:?\s*(\d{4,10})", _text(node)))]
    if not name:
        problems.append("has no name of an authority where it used to be")
    if not urns:
        problems.append("has no URN where it used to be")
    publications: list[Publication] = []
    others: list[str] = []
    understood = set()
    for link in tree.css(markup.link):
        understood.add(link.mem_id)
        target = _joined(url, link)
        number = _FILE_PATH.fullmatch(urlsplit(target).path)
        if number is None:
            problems.append(f"links a publication at an address that is not understood ({_shown(target)})")
            continue
        title, file_type, published = _described(link, markup)
        if file_type is None or published is None:
            problems.append(f"lists file {number['number']} without a kind, file type and date that can be read")
        elif file_type != "pdf":
            others.append(title)
        else:
            publications.append(Publication(number["number"], title, published, target))
    strays = sum(
        1
        for link in tree.css("a[href]")
        if link.mem_id not in understood and _FILE_PATH.fullmatch(urlsplit(_joined(url, link)).path)
    )
    if strays:
        problems.append(f"has {strays} links to files, where none used to be")
    return ProviderPage(urns[0] if urns else None, name or None, tuple(publications), tuple(others), tuple(problems))


def _described(link: LexborNode, markup: ProviderMarkup) -> tuple[str, str | None, date | None]:
    """Title, file type in small letters, and day of publication."""
    hidden = link.css_first(markup.hidden)
    match = _HIDDEN_TEXT.fullmatch(_text(hidden)) if hidden is not None else None
    if match is None:
        return _text(link), None, None
    return match["title"].strip(), match["type"].lower(), _published(link, markup) or read_date(match["date"])


def _published(link: LexborNode, markup: ProviderMarkup) -> date | None:
    """The day given beside the link: in whatever encloses this link and no other, up to its list item."""
    around = link.parent
    while around is not None and len(around.css(markup.link)) == 1:
        day = around.css_first(markup.published)
        if day is not None:
            return read_date(_text(day))
        if around.tag in ("li", "body"):
            return None
        around = around.parent
    return None


def read_date(text: str) -> date | None:
    """The day in "3 July 2023" or "Published 03 Jul 2023"; ``None`` where there is none."""
    match = _DATE.search(text)
    for form in ("%d %B %Y", "%d %b %Y"):
        try:
            return datetime.strptime(match[0], form).date() if match else None
        except ValueError:
            continue
    return None


def _text(node: LexborNode) -> str:
    return " ".join(node.text(deep=True).split())


def _joined(base: str, link: LexborNode) -> str:
    try:
        return urljoin(base, (link.attributes.get("href") or "").strip())
    except ValueError:  # "http://[": an address that is none
        return ""


def _shown(text: str) -> str:
    """A piece of a page in a sentence: short, and nothing that a terminal would act on."""
    return "".join(character if character.isprintable() else "?" for character in text[:100])
