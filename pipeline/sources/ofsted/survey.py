"""What the site lists now, against what it listed before: less of it is an alarm, not an empty result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit

from pipeline.sources.base import Progress
from pipeline.sources.ofsted.client import PoliteClient
from pipeline.sources.ofsted.errors import FetchError, StopAsking
from pipeline.sources.ofsted.kinds import kind_of
from pipeline.sources.ofsted.pages import ProviderLink, ProviderPage, Publication, read_provider, read_search
from pipeline.sources.ofsted.state import Known, Provider

_ROWS = 100  # the most that a search page gives
_MOST_PAGES = 30
_SUDDEN_SHARE, _SUDDEN_COUNT = 0.1, 5  # so much less, by both, is an alarm


@dataclass
class Survey:
    """What the pages list.

    Attributes
    ----------
    providers : dict of str to Provider
        By URN, those known from earlier among them.
    publications : dict of str to Known
        By file number: everything ever listed, brought up to date where its page could be read well.
    selected : set of str
        URNs of the providers that were asked for.
    doubts, notes : list of str
        Sentences.
    """

    providers: dict[str, Provider]
    publications: dict[str, Known]
    selected: set[str] = field(default_factory=set)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Surveyor:
    """Reads the search pages and the providers' pages.

    Parameters
    ----------
    wanted : callable
        Whether a provider, by URN and name, is asked for.
    accept_fewer : bool
        What is shown now is right, although it is less than before.
    """

    def __init__(
        self,
        client: PoliteClient,
        site: str,
        wanted: Callable[[str, str], bool],
        accept_fewer: bool,
        progress: Progress,
    ) -> None:
        self._client = client
        self._site = site.rstrip("/")
        self._wanted = wanted
        self._accept_fewer = accept_fewer
        self._progress = progress

    def survey(self, providers: Mapping[str, Provider], publications: Mapping[str, Known]) -> Survey:
        """Read every page there is to read, given what is known from earlier runs."""
        result = Survey(dict(providers), dict(publications))
        self._search(result)
        result.selected = {urn for urn, each in result.providers.items() if self._wanted(urn, each.name)}
        pages = self._read_pages(result)
        trusted = self._compare(result, pages)
        self._update(result, pages, trusted)
        return result

    # The search.

    def _search(self, result: Survey) -> None:
        before = sum(provider.in_search for provider in result.providers.values())
        found: dict[str, ProviderLink] = {}
        complete = self._search_pages(found, result.doubts)
        if complete and _suddenly_fewer(before, len(found)) and not self._accept_fewer:
            result.doubts.append(
                f"The search lists {len(found)} authorities, {before} before; those missing are read all the same. "
                "If the site is right, run once with accept_fewer: true."
            )
            complete = False
        missing = [each for urn, each in result.providers.items() if each.in_search and urn not in found]
        if complete:
            for provider in missing:
                result.providers[provider.urn] = replace(provider, in_search=False)
                result.notes.append(
                    f"{provider.name} ({provider.urn}) is no longer in the search; its page is read all the same."
                )
        for link in found.values():
            known = result.providers.get(link.urn)
            count = known.publications if known is not None else None
            result.providers[link.urn] = Provider(link.urn, link.name, link.url, True, count)

    def _search_pages(self, found: dict[str, ProviderLink], doubts: list[str]) -> bool:
        """Collect results page by page; whether all of them could be read."""
        start, url = 0, self._search_url(0)
        for number in range(1, _MOST_PAGES + 1):
            try:
                page = read_search(self._client.page(url), url)
            except FetchError as error:
                doubts.append(_ended(f"Search page {number} could not be read: {error}"))
                return False
            if page.problems or (not page.providers and number == 1):
                what = page.problems[0] if page.problems else "lists no authority at all"
                doubts.append(f"Search page {number} {what}; the authorities known from earlier runs are read.")
                return False
            fresh = [link for link in page.providers if link.urn not in found]
            found.update((link.urn, link) for link in fresh)
            self._progress("search pages", number, None)
            if page.next_url is not None and urlsplit(page.next_url).netloc == urlsplit(self._site).netloc and fresh:
                url = page.next_url
            elif len(page.providers) >= _ROWS and fresh:
                start += _ROWS
                url = self._search_url(start)
            else:
                return True
        doubts.append(f"The search did not end after {_MOST_PAGES} pages; the authorities found until then are read.")
        return False

    def _search_url(self, start: int) -> str:
        query = {"q": "", "location": "", "lat": "", "lon": "", "radius": "", "level_1_types": 3}
        return f"{self._site}/search?{urlencode({**query, 'level_2_types[]': 12, 'start': start, 'rows': _ROWS})}"

    # The providers' pages.

    def _read_pages(self, result: Survey) -> dict[str, ProviderPage]:
        """The pages that could be read, by URN; the others become doubts."""
        pages: dict[str, ProviderPage] = {}
        urns = sorted(result.selected, key=lambda urn: (len(urn), urn))
        for done, urn in enumerate(urns):
            self._progress("provider pages", done, len(urns))
            provider = result.providers[urn]
            try:
                page = read_provider(self._client.page(provider.url), provider.url)
            except StopAsking as error:
                result.doubts.append(f"{error}: {len(urns) - done} of {len(urns)} providers' pages were not read.")
                return pages
            except FetchError as error:
                # One that the search has given up is allowed to be gone.
                where = result.doubts if provider.in_search else result.notes
                where.append(_ended(f"The page of {provider.name} ({urn}) could not be read: {error}"))
                continue
            if page.urn is not None and page.urn != urn:
                result.doubts.append(
                    f"The page of {provider.name} ({urn}) says it is that of URN {page.urn}; it was not used."
                )
                continue
            pages[urn] = page
            result.doubts.extend(
                f"The page of {provider.name} ({urn}) {problem}; what is held stays." for problem in page.problems
            )
        self._progress("provider pages", len(urns), len(urns))
        return pages

    def _compare(self, result: Survey, pages: Mapping[str, ProviderPage]) -> set[str]:
        """URNs of the pages whose missing publications are really gone."""
        if self._accept_fewer:
            return {urn for urn, page in pages.items() if not page.problems}
        trusted = set()
        total = total_before = 0
        for urn, page in pages.items():
            provider = result.providers[urn]
            count, before = len(page.publications), provider.publications or 0
            total, total_before = total + count, total_before + before
            if before and not count:
                result.doubts.append(
                    f"The page of {provider.name} ({urn}) listed {before} publications before and lists none now; "
                    "what is held stays. If the site is right, run once with accept_fewer: true."
                )
            elif before - count >= 3 and count * 2 < before:
                result.doubts.append(
                    f"The page of {provider.name} ({urn}) listed {before} publications before and lists {count} now; "
                    "what is held stays. If the site is right, run once with accept_fewer: true."
                )
            elif not page.problems:
                trusted.add(urn)
        if _suddenly_fewer(total_before, total):
            result.doubts.append(
                f"The providers' pages listed {total_before} publications before and list {total} now; "
                "what is held stays. If the site is right, run once with accept_fewer: true."
            )
            return set()
        return trusted

    def _update(self, result: Survey, pages: Mapping[str, ProviderPage], trusted: set[str]) -> None:
        owners: dict[str, str] = {}
        strange: dict[str, int] = {}
        for urn, page in pages.items():
            for publication in page.publications:
                kind = kind_of(publication.title)
                if kind is not None and kind.value == "unknown":
                    strange[publication.title] = strange.get(publication.title, 0) + 1
                self._list(result, owners, urn, publication, kind.value if kind is not None else "other")
            if urn in trusted:
                provider = result.providers[urn]
                name = page.name or provider.name
                result.providers[urn] = replace(provider, name=name, publications=len(page.publications))
                for number in _numbers_of(result.publications.values(), urn) - set(owners):
                    result.publications[number] = replace(result.publications[number], listed=False)
        result.notes.extend(
            f'{count} publications are called "{title[:80]}", a kind not known here; they are not fetched.'
            for title, count in sorted(strange.items())
        )

    def _list(self, result: Survey, owners: dict[str, str], urn: str, publication: Publication, kind: str) -> None:
        number = publication.file_number
        known = result.publications.get(number)
        if number in owners:
            self._note_double(result, owners[number], urn, publication)
            return
        if known is not None and known.urn != urn and known.urn in result.selected and known.listed:
            # A document of two authorities stays with the first that it was found at.
            owners[number] = known.urn
            self._note_double(result, known.urn, urn, publication)
            return
        owners[number] = urn
        facts = Known(number, urn, publication.title, kind, publication.published, publication.url)
        if known is None:
            result.publications[number] = facts
            return
        changed = (known.title, known.published) != (facts.title, facts.published)
        result.publications[number] = replace(
            known,
            urn=urn,
            title=facts.title,
            kind=kind,
            published=facts.published,
            url=facts.url,
            listed=True,
            # What is held may be an older version: unconfirmed, it is asked for again.
            checked=None if changed else known.checked,
        )

    def _note_double(self, result: Survey, owner: str, urn: str, publication: Publication) -> None:
        first, name = result.publications[publication.file_number], result.providers[owner].name
        if owner != urn:
            result.notes.append(
                f"File {publication.file_number} is listed by {name} and {result.providers[urn].name}; "
                f"it is fetched once, for {name}."
            )
        elif (first.title, first.published) != (publication.title, publication.published):
            result.doubts.append(
                f"The page of {name} ({urn}) lists two different publications as file {publication.file_number}; "
                "the first is taken, the other cannot be reached."
            )


def _suddenly_fewer(before: int, now: int) -> bool:
    return before - now >= max(_SUDDEN_COUNT, _SUDDEN_SHARE * before)


def _numbers_of(publications: Iterable[Known], urn: str) -> set[str]:
    return {each.file_number for each in publications if each.urn == urn and each.listed}


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
