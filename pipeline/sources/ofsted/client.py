"""HTTP as a guest: allowed hosts only, robots.txt, a pace, patience, a budget, and a cache of pages (RFC 9111)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

import hishel
import httpx
from hishel.httpx import CacheTransport
from protego import Protego
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipeline import __version__
from pipeline.sources.ofsted.body import decoded
from pipeline.sources.ofsted.errors import FetchError, StopAsking, TryAgain
from pipeline.sources.ofsted.network import Network
from pipeline.sources.options import OfstedSource

PRODUCT = "inspection-themes"
_REDIRECTS = 5
_ROBOTS_BYTES = 500 * 1024  # what RFC 9309 asks to be read at least
_LONGEST_CRAWL_DELAY_S = 30.0
_CACHE_BYTES = 256 * 1024 * 1024
_FAILURES_IN_A_ROW = 3
_PATIENCE = 10  # a body may take so many times the time-out, however lively it trickles

T = TypeVar("T")


class Send(Protocol):
    """Asks for an address; the answer's body is read while the block runs."""

    def __call__(self, url: str, /, *, headers: Mapping[str, str]) -> AbstractContextManager[httpx.Response]:
        """Ask once."""
        ...


class RobotsMemory(Protocol):
    """Where robots.txt is kept for a day."""

    def robots(self, host: str) -> str | None:
        """The text kept, unless it is too old."""
        ...

    def keep_robots(self, host: str, text: str) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need not wait: a monotonic clock in seconds, and how to sleep."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass
class Visit:
    """What a run has asked of the site so far: its stages share one budget, one pace, and what they were told.

    Attributes
    ----------
    began : float or None
        On the clock, when the first request was made.
    requests : int
        Sent so far.
    robots, next_turn, failures, closed : dict
        By host: its robots.txt, when it may be asked next, addresses in a row that failed, and why it is left alone.
    """

    began: float | None = None
    requests: int = 0
    robots: dict[str, Protego] = field(default_factory=dict)
    next_turn: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)


class Answer:
    """A response whose body has not been read. Valid while its reader runs."""

    def __init__(self, response: httpx.Response, url: str, check_time: Callable[[], None]) -> None:
        self._response = response
        self._check_time = check_time
        self.url = url
        self.status = response.status_code

    def header(self, name: str) -> str | None:
        """A header's value."""
        value: str | None = self._response.headers.get(name)
        return value

    @property
    def length(self) -> int | None:
        """Bytes that the server announced."""
        value = self._response.headers.get("content-length", "")
        return int(value) if value.isascii() and value.isdigit() else None

    def raw(self) -> Iterator[bytes]:
        """The body as it travels, piece by piece.

        Raises
        ------
        StopAsking
            The run's time is used up.
        TryAgain
            It takes longer than anyone should wait.
        """
        for piece in self._response.iter_raw():
            self._check_time()
            yield piece

    def body(self, limit: int) -> Iterator[bytes]:
        """The body, unpacked; never more than ``limit`` bytes.

        Raises
        ------
        FetchError
            It is larger, or packed in a way that was not asked for.
        """
        return decoded(self.raw(), self.header("content-encoding"), limit, self.url)


class PoliteClient:
    """Asks the publisher's hosts, and no other.

    Parameters
    ----------
    options : OfstedSource
        Hosts, pace, budget, patience.
    cache : pathlib.Path
        The file that pages are cached in.
    memory : RobotsMemory
        Keeps robots.txt between runs.
    visit : Visit
        What this run has asked so far.
    """

    def __init__(
        self, options: OfstedSource, contact: str, cache: Path, memory: RobotsMemory, clock: Clock, visit: Visit
    ) -> None:
        self._options = options
        self._memory = memory
        self._clock = clock
        self._agent = f"{options.user_agent or f'{PRODUCT}/{__version__}'} ({contact})"
        self._visit = visit
        # Without a handler Python prints what the cache logs of a damaged cache file, traceback and all; it then
        # works on without the cache, which is all there is to know.
        logging.getLogger("hishel").addHandler(logging.NullHandler())
        self._stack = ExitStack()
        network = self._stack.enter_context(Network(options.timeout_s))
        storage = hishel.SqliteStorage(
            database_path=cache, max_stream_size=int(options.max_page_mb * 1e6), max_size=_CACHE_BYTES
        )
        self._stack.callback(storage.close)
        rfc = hishel.CacheOptions(shared=False, allow_stale=False)
        paced = _Turns(network, self._take_turn)
        cached = CacheTransport(next_transport=paced, storage=storage, rfc=rfc)
        pages = httpx.Client(transport=cached, follow_redirects=False, trust_env=False)
        self._pages: Send = partial(self._stack.enter_context(pages).stream, "GET")
        self._files: Send = partial(_sent, paced)

    def close(self) -> None:
        """Close connections and cache."""
        self._stack.close()

    def page(self, url: str) -> str:
        """A page's text; asked for conditionally where it is in the cache.

        Raises
        ------
        FetchError
            See :meth:`ask`; or it is larger than ``max_page_mb``.
        """
        limit = int(self._options.max_page_mb * 1e6)

        def read(answer: Answer) -> str:
            if answer.status != httpx.codes.OK:
                raise FetchError(f"{answer.url} answered {answer.status}; it is asked again in the next run.")
            return b"".join(answer.body(limit)).decode("utf-8", "replace")

        # A page is asked about once a run, however fresh its last copy claims to be: a new report should not wait.
        headers = {"Accept": "text/html", "Accept-Encoding": "gzip", "Cache-Control": "no-cache"}
        return self.ask(url, read, lambda: headers, self._pages)

    def file(self, url: str, read: Callable[[Answer], T], headers: Callable[[], Mapping[str, str]]) -> T:
        """What ``read`` makes of the answer; ``headers`` are made anew for every try.

        Raises
        ------
        FetchError
            See :meth:`ask`.
        """
        return self.ask(
            url, read, lambda: {"Accept": "application/pdf", "Accept-Encoding": "identity", **headers()}, self._files
        )

    def ask(
        self,
        url: str,
        read: Callable[[Answer], T],
        headers: Callable[[], Mapping[str, str]],
        send: Send,
        obey_robots: bool = True,
    ) -> T:
        """Ask until there is an answer that ``read`` accepts, or patience ends.

        Raises
        ------
        StopAsking
            Budget used up; the host refuses; robots.txt cannot be read.
        FetchError
            Everything else: refused redirect, disallowed by robots.txt, failures in a row.
        """
        retrying = Retrying(
            stop=stop_after_attempt(self._options.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(TryAgain),
            sleep=self._sleep,
            reraise=True,
        )
        host = urlsplit(url).netloc
        try:
            answer: T = retrying(self._once, url, read, headers, send, obey_robots)
        except TryAgain as error:
            self._failed(host, str(error))
            tries = "1 try" if self._options.attempts == 1 else f"{self._options.attempts} tries"
            raise FetchError(f"{error} ({tries}); what is held stays, it is asked again in the next run.") from error
        self._visit.failures.pop(host, None)
        return answer

    def _once(
        self,
        url: str,
        read: Callable[[Answer], T],
        headers: Callable[[], Mapping[str, str]],
        send: Send,
        obey_robots: bool,
    ) -> T:
        first, seen = url, set[str]()
        while True:
            url = self._allowed(url, first)
            if obey_robots:
                self._check_robots(url)
            if url in seen or len(seen) > _REDIRECTS:
                raise FetchError(f"{first} redirects in a circle; it is asked again in the next run.")
            seen.add(url)
            try:
                with send(url, headers={"User-Agent": self._agent, **headers()}) as response:
                    location = response.headers.get("location")
                    if response.status_code in (301, 302, 303, 307, 308) and location is not None:
                        url = urljoin(url, location)
                        continue
                    self._check_status(response, url)
                    return read(Answer(response, url, self._stopwatch(url)))
            except httpx.TimeoutException as error:
                raise TryAgain(f"{url} did not answer within {self._options.timeout_s:g} s") from error
            except (httpx.TransportError, httpx.StreamError) as error:
                raise TryAgain(f"{url} could not be read: {_reason(error)}") from error
            except (httpx.InvalidURL, ValueError) as error:
                raise FetchError(f"{first} redirects to an address that is none.") from error

    def _allowed(self, url: str, first: str) -> str:
        """The address, secure even where the site's own link is not; refused if it is not the publisher's."""
        parts = urlsplit(url)
        if parts.scheme == "http" and urlsplit(self._options.site).scheme == "https":
            parts = parts._replace(scheme="https")
        if parts.netloc.lower() not in self._options.hosts or parts.scheme not in ("http", "https"):
            how = f"redirects to {parts.scheme}://{parts.netloc}, which" if url != first else "is at a host that"
            raise FetchError(f"{first} {how} is not the publisher's; it was not contacted.")
        return urlunsplit(parts)

    def _check_status(self, response: httpx.Response, url: str) -> None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status == httpx.codes.FORBIDDEN or status >= 500:
            after = retry_after(response.headers.get("retry-after"), self._clock.today())
            if after is not None and after > self._options.longest_wait_s:
                self._close(url, f"{urlsplit(url).netloc} asks to be left alone for {after:.0f} s")
            says = "refuses us (403)" if status == httpx.codes.FORBIDDEN else f"answered {status}"
            raise TryAgain(f"{url} {says}", after)

    def _stopwatch(self, url: str) -> Callable[[], None]:
        began = self._clock.now()

        def check() -> None:
            if self._clock.now() - began > _PATIENCE * self._options.timeout_s:
                raise TryAgain(f"{url} trickled for more than {_PATIENCE * self._options.timeout_s:g} s")
            self._check_budget()

        return check

    def _check_budget(self) -> None:
        if self._visit.began is None:
            self._visit.began = self._clock.now()
        if self._clock.now() - self._visit.began > self._options.budget_minutes * 60:
            raise StopAsking(
                f"The run's budget of {self._options.budget_minutes:g} minutes (budget_minutes) is used up"
            )

    def _take_turn(self, host: str) -> None:
        """Called before anything is sent: wait for this host's turn."""
        if host in self._visit.closed:
            raise StopAsking(self._visit.closed[host])
        if self._visit.requests >= self._options.budget_requests:
            raise StopAsking(
                f"The run's budget of {self._options.budget_requests} requests (budget_requests) is used up"
            )
        self._check_budget()
        interval = 1 / self._options.requests_per_second if self._options.requests_per_second else 0.0
        robots = self._visit.robots.get(host)
        delay = robots.crawl_delay(self._agent) if robots is not None else None
        interval = max(interval, min(delay or 0.0, _LONGEST_CRAWL_DELAY_S))
        now = self._clock.now()
        turn = max(now, self._visit.next_turn.get(host, now))
        if turn > now:
            self._clock.sleep(turn - now)
        self._visit.next_turn[host] = turn + interval
        self._visit.requests += 1

    def _check_robots(self, url: str) -> None:
        host = urlsplit(url).netloc
        if host not in self._visit.robots:
            self._visit.robots[host] = Protego.parse(self._robots_text(url, host))
        if not self._visit.robots[host].can_fetch(url, self._agent):
            raise FetchError(f"{url} is closed to programs by the site's robots.txt; it was not asked for.")

    def _robots_text(self, url: str, host: str) -> str:
        kept = self._memory.robots(host)
        if kept is not None:
            return kept

        def read(answer: Answer) -> str:
            if answer.status != httpx.codes.OK:
                return ""  # RFC 9309: none there, nothing forbidden
            text, size = [], 0
            for piece in answer.body(_ROBOTS_BYTES * 10):
                text.append(piece)
                size += len(piece)
                if size > _ROBOTS_BYTES:
                    break
            return b"".join(text).decode("utf-8", "replace")

        try:
            text = self.ask(urljoin(url, "/robots.txt"), read, lambda: {"Accept-Encoding": "gzip"}, self._files, False)
        except StopAsking:
            raise
        except FetchError as error:
            # RFC 9309: while it cannot be reached, everything counts as forbidden.
            self._visit.closed[host] = (
                f"The robots.txt of {host} could not be read, so nothing is asked of it ({error})"
            )
            raise StopAsking(self._visit.closed[host]) from error
        self._memory.keep_robots(host, text)
        return text

    def _failed(self, host: str, reason: str) -> None:
        self._visit.failures[host] = self._visit.failures.get(host, 0) + 1
        if self._visit.failures[host] >= _FAILURES_IN_A_ROW:
            self._visit.closed[host] = f"{host} failed {_FAILURES_IN_A_ROW} addresses in a row, the last: {reason}"

    def _close(self, url: str, reason: str) -> None:
        self._visit.closed[urlsplit(url).netloc] = reason
        raise StopAsking(reason)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        drawn = wait_random_exponential(multiplier=self._options.backoff_s, max=self._options.longest_wait_s)(state)
        if isinstance(error, TryAgain) and error.after is not None:
            return error.after + min(drawn, 1.0)
        return drawn

    def _sleep(self, seconds: float) -> None:
        self._check_budget()
        self._clock.sleep(seconds)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait that a ``Retry-After`` header asks for, as a number or a date; ``None`` where it says nothing."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted by this computer"
    return text[:200]


@contextmanager
def _sent(transport: httpx.BaseTransport, url: str, /, *, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
    """Asked without the client's cookies, redirects and log: a fifth of the time that a file of 300 kB takes."""
    request = httpx.Request("GET", url, headers=headers)
    response = transport.handle_request(request)
    try:
        yield response
    finally:
        response.close()


class _Turns(httpx.BaseTransport):
    """Asks for a turn before every request that really goes out; cached answers need none."""

    def __init__(self, network: httpx.BaseTransport, take_turn: Callable[[str], None]) -> None:
        self._network = network
        self._take_turn = take_turn

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._take_turn(request.url.netloc.decode("ascii"))
        return self._network.handle_request(request)
