"""The publisher's site as a source."""

from __future__ import annotations

import difflib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from pipeline.authorities import Authorities, Authority
from pipeline.domain import InspectionType
from pipeline.errors import UsageError
from pipeline.sources import base
from pipeline.sources.base import Discovery, Fetched, Listing, Outcome, Progress, no_progress
from pipeline.sources.ofsted.client import Clock, PoliteClient, Visit
from pipeline.sources.ofsted.documents import NotModified, Shelf, Stored, Validators, Wanted, Withdrawn
from pipeline.sources.ofsted.errors import FetchError, StopAsking
from pipeline.sources.ofsted.kinds import asked_for
from pipeline.sources.ofsted.settling import Result, Settling
from pipeline.sources.ofsted.state import Known, Provider, SiteState, stamp
from pipeline.sources.ofsted.survey import Survey, Surveyor
from pipeline.sources.options import OfstedSource, is_contact

_RECHECKS_A_RUN = 25
_WITHDRAWN_AGAIN = timedelta(hours=20)  # under a day, so that a daily run asks daily at first
_WITHDRAWN_LONGEST = timedelta(days=30)


class OfstedSite:
    """The reports that the publisher's site lists, fetched into a folder. One object is one run's visit.

    Parameters
    ----------
    options : OfstedSource
        From config.yaml.
    authorities : Authorities
        Names and regions.
    folder : pathlib.Path
        Where fetched files lie; made when needed.
    engine : sqlalchemy.Engine
        The store's: it remembers what the site listed and what is held.
    clock : Clock
        Time, for tests.

    Raises
    ------
    UsageError
        ``authorities`` or ``regions`` name one that does not exist.
    """

    def __init__(
        self, options: OfstedSource, authorities: Authorities, folder: Path, engine: Engine, clock: Clock | None = None
    ) -> None:
        self._options = options
        self._authorities = authorities
        self._folder = folder
        self._clock = clock or Clock()
        self._state = SiteState(engine, options.name)
        self._visit = Visit()
        self._chosen = {_known_authority(options, authorities, name) for name in options.authorities}
        regions = {authority.region for authority in authorities}
        for region in options.regions:
            if region not in regions:
                raise UsageError(
                    f"The source '{options.name}' asks for the region '{region}', which is none; "
                    f"the regions are {', '.join(sorted(regions))}."
                )

    @property
    def name(self) -> str:
        """The source's name in config.yaml."""
        return self._options.name

    def discover(self, known: base.Known, progress: Progress = no_progress, *, dry_run: bool = False) -> Discovery:
        """Read the search and the providers' pages.

        Raises
        ------
        UsageError
            There is no ``contact``.
        """
        with self._client() as client:
            surveyor = Surveyor(client, self._options.site, self._is_wanted, self._options.accept_fewer, progress)
            survey = surveyor.survey(self._state.providers(), self._state.publications())
        if not dry_run:
            self._state.keep_survey(survey.providers.values(), survey.publications)
        return self._sorted(survey, known)

    def fetch(self, listings: Iterable[Listing], progress: Progress = no_progress) -> Iterator[Fetched]:
        """Fetch what is not held, or may have changed; newest first, as discovered.

        A document is on disk, whatever happens next, and remembered before its result is given.
        """
        waiting = list(listings)
        publications, providers = self._state.publications(), self._state.providers()
        shelf = Shelf(self._folder, int(self._options.max_file_mb * 1e6))
        stopped: str | None = None
        with self._client() as client, Settling(self._state) as settling:
            for done, listing in enumerate(waiting):
                progress("files", done, len(waiting))
                publication = publications[listing.source_path.rpartition("/")[2]]
                if publication.held(self._folder) and not self._is_due(publication):
                    result: Result | Callable[[], Result] = Result(
                        Fetched(self._listing(publication, providers), Outcome.READY)
                    )
                elif stopped is not None:
                    result = Result(Fetched(listing, Outcome.LEFT))
                else:
                    try:
                        result = self._fetch(client, shelf, publication, providers)
                    except StopAsking as error:
                        left = len(waiting) - done
                        stopped = f"{error}: {left} of {len(waiting)} files are left for the next run."
                        result = Result(Fetched(listing, Outcome.LEFT, stopped))
                yield from settling.add(result)
            yield from settling.rest()
        progress("files", len(waiting), len(waiting))

    def _fetch(
        self, client: PoliteClient, shelf: Shelf, publication: Known, providers: dict[str, Provider]
    ) -> Result | Callable[[], Result]:
        """What came of it; a document that arrived is still to be kept."""
        provider = providers[publication.urn]
        held = publication.held(self._folder)
        wanted = Wanted(
            publication.file_number,
            publication.url,
            publication.urn,
            self._authority_name(provider),
            publication.title,
            publication.published,
        )
        validators = Validators(publication.url, publication.etag, publication.last_modified) if held else None
        now = self._clock.today()

        def result(outcome: Outcome, changed: Known, reason: str | None = None) -> Result:
            return Result(Fetched(self._listing(changed, providers), outcome, reason), changed)

        try:
            keep = shelf.fetch(client, wanted, validators)
        except NotModified:
            confirmed = replace(publication, checked=stamp(now), withdrawn=False, tries=0, next_try=None, reason=None)
            return result(Outcome.UNCHANGED, confirmed)
        except Withdrawn as error:
            tries = publication.tries + 1
            pause = min(_WITHDRAWN_AGAIN * 2 ** min(tries - 1, 10), _WITHDRAWN_LONGEST)
            changed = replace(publication, withdrawn=True, tries=tries, next_try=stamp(now + pause), reason=str(error))
            stays = "what is held stays, it" if held else "it"
            reason = f"{error}; {stays} is asked for again after {(now + pause):%d %B %Y}."
            return result(Outcome.WITHDRAWN, changed, reason)
        except StopAsking:
            raise
        except FetchError as error:
            changed = replace(publication, tries=publication.tries + 1, reason=str(error))
            return result(Outcome.FAILED, changed, str(error))

        def kept() -> Result:
            stored = keep()
            same = held and stored.sha256 == publication.sha256
            return result(Outcome.UNCHANGED if same else Outcome.READY, _with(publication, stored, stamp(now)))

        return kept

    def _sorted(self, survey: Survey, known: base.Known) -> Discovery:
        new: list[Listing] = []
        unchanged: list[Listing] = []
        gone: list[str] = []
        waiting: list[Known] = []
        wanted = [each for each in survey.publications.values() if self._asks_for(survey, each)]
        due = self._due(wanted)
        for publication in wanted:
            listing = self._listing(publication, survey.providers)
            held = publication.held(self._folder)
            given_up = not publication.listed or (publication.withdrawn and held)
            if given_up and listing.source_path in known:
                gone.append(listing.source_path)
            if publication.listed and publication.withdrawn and not self._may_try(publication):
                waiting.append(publication)
            elif held and publication.file_number not in due:
                before = known.get(listing.source_path)
                same = before is not None and (before.size, before.mtime_ns) == (listing.size, listing.mtime_ns)
                (unchanged if same else new).append(listing)
            elif publication.listed:
                new.append(listing)
        notes = list(survey.notes)
        if waiting:
            first = min(each.next_try or "" for each in waiting)
            notes.append(
                f"{len(waiting)} of {len(wanted)} publications asked for are withdrawn (the publisher serves its "
                f"'Report not found' page); the next is asked for again after {datetime.fromisoformat(first):%d %B %Y}."
            )
        new.sort(
            key=lambda each: (each.published is None, each.published and -each.published.toordinal(), each.source_path)
        )
        return Discovery(tuple(new), tuple(unchanged), tuple(gone), tuple(survey.doubts), tuple(notes))

    def _asks_for(self, survey: Survey, publication: Known) -> bool:
        since = self._options.since
        return (
            publication.urn in survey.selected
            and publication.kind in _KIND_VALUES
            and asked_for(InspectionType(publication.kind)) in self._options.kinds
            and (since is None or (publication.published is not None and publication.published >= since))
        )

    def _is_wanted(self, urn: str, name: str) -> bool:
        authority = self._authorities.find(urn) or self._authorities.find(name)
        if self._chosen and authority not in self._chosen:
            return False
        return not self._options.regions or (authority is not None and authority.region in self._options.regions)

    def _may_try(self, publication: Known) -> bool:
        return publication.next_try is None or publication.next_try <= stamp(self._clock.today())

    def _is_due(self, publication: Known) -> bool:
        """Whether what is held should be confirmed by the publisher."""
        if publication.checked is None:
            return True
        # Spread over a fifth of the time, by file number, so that files fetched together are not all asked for at once.
        spread = 0.8 + 0.2 * (zlib.crc32(publication.file_number.encode()) % 100) / 100
        age = self._clock.today() - datetime.fromisoformat(publication.checked)
        return age > timedelta(days=self._options.recheck_days * spread)

    def _due(self, publications: list[Known]) -> set[str]:
        """File numbers to confirm in this run: all that the site lists differently now, and the longest unconfirmed."""
        due = [each for each in publications if each.listed and each.held(self._folder) and self._is_due(each)]
        due.sort(key=lambda each: each.checked or "")
        changed = sum(each.checked is None for each in due)
        return {each.file_number for each in due[: changed + _RECHECKS_A_RUN]}

    def _listing(self, publication: Known, providers: dict[str, Provider]) -> Listing:
        held = publication.file is not None and publication.held(self._folder)
        return Listing(
            source=self.name,
            source_path=f"{self.name}/{publication.file_number}",
            title=publication.title,
            urn=publication.urn,
            authority=self._authority_name(providers[publication.urn]),
            published=publication.published,
            url=publication.url,
            kind=InspectionType(publication.kind) if publication.kind in _KIND_VALUES else None,
            file=self._folder / publication.file if held and publication.file is not None else None,
            size=publication.bytes if held else None,
            mtime_ns=publication.mtime_ns if held else None,
            sha256=publication.sha256 if held else None,
        )

    def _authority_name(self, provider: Provider) -> str:
        authority = self._authorities.find(provider.urn) or self._authorities.find(provider.name)
        return authority.name if authority is not None else provider.name

    @contextmanager
    def _client(self) -> Iterator[PoliteClient]:
        contact = self._options.contact or os.environ.get("PIPELINE_CONTACT", "").strip()
        if not contact or not is_contact(contact) or not (contact.isascii() and contact.isprintable()):
            raise UsageError(
                f"The source '{self.name}' has no contact; add your e-mail address or web page to it in config.yaml "
                "(contact: ...), so that the publisher can reach you."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        cache = self._folder / ".pages.sqlite"
        client = PoliteClient(self._options, contact, cache, self._state, self._clock, self._visit)
        try:
            yield client
        finally:
            client.close()


_KIND_VALUES = frozenset(kind.value for kind in InspectionType)


def _known_authority(options: OfstedSource, authorities: Authorities, name: str) -> Authority:
    found = authorities.find(name)
    if found is None:
        near = difflib.get_close_matches(name, [authority.name for authority in authorities], n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; see corpus/authorities.csv."
        raise UsageError(f"The source '{options.name}' asks for the authority '{name}', which is not known{hint}")
    return found


def _with(publication: Known, stored: Stored, checked: str) -> Known:
    return replace(
        publication,
        file=stored.file,
        bytes=stored.bytes,
        mtime_ns=stored.mtime_ns,
        sha256=stored.sha256,
        etag=stored.validators.etag,
        last_modified=stored.validators.last_modified,
        checked=checked,
        withdrawn=False,
        tries=0,
        next_try=None,
        reason=None,
    )
