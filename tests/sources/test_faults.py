"""What goes wrong on the way: nothing held is lost, nothing hangs, each fault has its sentence."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.sources.base import Fetched, Outcome
from pipeline.sources.ofsted.client import retry_after
from tests.sources import replica as faults
from tests.sources.replica import Replica, invented, pdf
from tests.sources.visiting import Visitor

NUMBER = "60000402"  # the newest: it is fetched first
FILE = f"/v1/file/{NUMBER}"
PAGE = "/provider/44/90001"


@pytest.fixture(scope="module", autouse=True)
def bombs() -> None:
    """Packed before anyone waits for them."""
    for head in (b"", b"%PDF-1.4"):
        faults.packed(300_000_000, head)


def patience(fault: str) -> float:
    """A time-out, in seconds, that the fault outlasts and a busy machine does not."""
    return 0.5 if fault in ("slow", "trickle") else 10


def reason_of(fetched: list[Fetched], outcome: Outcome) -> str:
    """The sentence of the one file that failed."""
    failed = [each for each in fetched if each.outcome not in (Outcome.READY, Outcome.UNCHANGED)]
    assert [each.outcome for each in failed] == [outcome]
    assert failed[0].listing.source_path == f"ofsted/{NUMBER}"
    reason = failed[0].reason
    assert reason is not None
    assert reason.endswith(".")
    assert "\n" not in reason
    return reason


FAULTS_THAT_PASS: dict[str, list[faults.Fault]] = {
    "slow first byte, then quick": [faults.slow(1.5)],
    "500 then 200": [faults.status(500)],
    "503 twice": [faults.status(503), faults.status(503)],
    "403 for a while": [faults.status(403), faults.status(403)],
    "reset in mid-body": [faults.reset_after(1500)],
    "reset before the body": [faults.reset_after(0)],
    "reset three times": [faults.reset_after(1100), faults.reset_after(2000), faults.reset_after(2500)],
    "announced longer than it is": [faults.wrong_length(90_000)],
    "announced shorter than it is": [faults.wrong_length(1200)],
    "cut short, no length": [faults.body(pdf("x")[:-10], "application/pdf")],
    "not the part asked for": [
        faults.reset_after(1500),
        lambda handler: handler.whole(206, b"x" * 10, "application/pdf", Content_Range="bytes 5-14/20") is None,
    ],
    "the part asked for is not there": [faults.reset_after(1500), faults.status(416)],
}


@pytest.mark.parametrize("fault", FAULTS_THAT_PASS)
def test_a_fault_that_passes_costs_another_try_only(visitor: Visitor, replica: Replica, fault: str) -> None:
    replica.faults[FILE] = list(FAULTS_THAT_PASS[fault])
    discovery, fetched = visitor.run(timeout_s=1 if fault.startswith("slow") else 10)
    assert discovery.doubts == ()
    assert {each.outcome for each in fetched} == {Outcome.READY}
    assert pdf("4 2") in visitor.files().values()
    assert len(visitor.files()) == 15
    assert list((visitor.folder / "ofsted" / ".partial").iterdir()) == []


FAULTS_THAT_STAY: dict[str, tuple[faults.Fault, Outcome, str]] = {
    "500": (faults.status(500), Outcome.FAILED, "answered 500 ("),
    "404": (faults.status(404), Outcome.FAILED, "answered 404"),
    "410": (faults.status(410), Outcome.FAILED, "answered 410"),
    "403": (faults.status(403), Outcome.FAILED, "refuses us (403) (2 tries)"),
    "slow": (faults.slow(2), Outcome.FAILED, "did not answer within 0.5 s"),
    "reset": (faults.reset_after(0), Outcome.FAILED, "could not be read"),
    "announced longer": (faults.wrong_length(90_000), Outcome.FAILED, "could not be read: it broke off 86,"),
    "announced shorter": (faults.wrong_length(1200), Outcome.FAILED, "no end-of-file mark: it is cut short"),
    "html": (faults.body(b"<!DOCTYPE html><title>Hello</title>"), Outcome.FAILED, "a web page instead of a PDF"),
    "html as pdf": (faults.body(b"<html>no</html>", "application/pdf"), Outcome.FAILED, "a web page instead"),
    "not found": (faults.body(faults.NOT_FOUND_PAGE.encode()), Outcome.WITHDRAWN, "'Report not found' page"),
    "text": (faults.body(b"hello", "application/pdf"), Outcome.FAILED, "something else instead of a PDF"),
    "nothing": (faults.body(b"", "application/pdf"), Outcome.FAILED, "answered with nothing"),
    "elsewhere": (
        faults.redirect("http://elsewhere.example/x.pdf"),
        Outcome.FAILED,
        "redirects to http://elsewhere.example, which is not the publisher's; it was not contacted",
    ),
    "no address": (faults.redirect("http://[bad"), Outcome.FAILED, "redirects to an address that is none"),
    "to a file": (faults.redirect("file:///etc/passwd"), Outcome.FAILED, "it was not contacted"),
    "circle": (faults.redirect(FILE), Outcome.FAILED, "redirects in a circle"),
    "bomb": (
        faults.gzip_bomb(300_000_000),
        Outcome.FAILED,
        "instead of a PDF",
    ),
    "bomb in a pdf": (
        faults.gzip_bomb(300_000_000, b"%PDF-1.4"),
        Outcome.FAILED,
        "is larger than 50 MB; it was refused",
    ),
    "packed oddly": (
        faults.body(b"x" * 50, "application/pdf", Content_Encoding="br"),
        Outcome.FAILED,
        "packed as 'br'",
    ),
    "damaged packing": (
        faults.body(b"x" * 50, "application/pdf", Content_Encoding="gzip"),
        Outcome.FAILED,
        "does not unpack",
    ),
    "half of a packing": (
        faults.body(gzip.compress(pdf("x", 500))[:-12], "application/pdf", Content_Encoding="gzip"),
        Outcome.FAILED,
        "ends in the middle",
    ),
    "300 MB": (faults.endless(300_000_000, announce=True), Outcome.FAILED, "is larger than 50 MB; it was refused"),
    "300 MB unannounced": (
        faults.endless(300_000_000, announce=False),
        Outcome.FAILED,
        "is larger than 50 MB; it was refused",
    ),
    "trickle": (faults.trickle, Outcome.FAILED, "trickled for more than 5 s"),
}


@pytest.mark.parametrize("fault", FAULTS_THAT_STAY)
def test_a_fault_that_stays_has_its_sentence_and_loses_nothing(visitor: Visitor, replica: Replica, fault: str) -> None:
    how, outcome, words = FAULTS_THAT_STAY[fault]
    replica.always(FILE, how)
    tracemalloc.start()
    discovery, fetched = visitor.run(timeout_s=patience(fault), attempts=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert words in reason_of(fetched, outcome)
    assert discovery.doubts == ()
    assert len(visitor.files()) == 14
    assert peak < 120e6  # at most a file's limit is ever unpacked
    for seen in replica.seen:
        assert seen.sent < 60e6
    if fault == "300 MB":  # refused by what it announces, before it is read
        assert sum(seen.sent for seen in replica.seen if seen.path == FILE) < 30e6
    left_over = sum(path.stat().st_size for path in (visitor.folder / "ofsted" / ".partial").glob("*"))
    assert left_over < 10_000
    # The next run asks again, and finds it mended.
    replica.mend()
    visitor.time.ahead = timedelta(days=2)
    _, fetched = visitor.run()
    assert [each.outcome for each in fetched] == [Outcome.READY]
    assert len(visitor.files()) == 15


@pytest.mark.parametrize("fault", ["500", "slow", "html", "elsewhere", "300 MB", "announced shorter", "bomb in a pdf"])
def test_a_fault_when_confirming_keeps_what_is_held(visitor: Visitor, replica: Replica, fault: str) -> None:
    visitor.run()
    before = visitor.files()
    how, outcome, words = FAULTS_THAT_STAY[fault]
    replica.always(FILE, how)
    visitor.time.ahead = timedelta(days=100)
    discovery, fetched = visitor.run(timeout_s=patience(fault), attempts=1)
    assert words in reason_of(fetched, outcome)
    assert visitor.files() == before
    discovery, _ = visitor.run()
    assert discovery.gone == ()


def test_another_host_is_never_contacted(visitor: Visitor, replica: Replica) -> None:
    with Replica(invented()) as elsewhere:
        replica.faults[FILE] = [faults.redirect(f"{elsewhere.base}{FILE}", 301)]
        replica.faults[PAGE] = [faults.redirect(f"{elsewhere.base}{PAGE}", 308)]
        replica.authorities[1].documents[0].link = f"{elsewhere.base}/v1/file/60000100"
        discovery, fetched = visitor.run()
        assert elsewhere.seen == []
    assert any("which is not the publisher's; it was not contacted." in doubt for doubt in discovery.doubts)
    reasons = sorted(each.reason or "" for each in fetched if each.outcome is Outcome.FAILED)
    assert len(reasons) == 2
    assert "is at a host that is not the publisher's" in reasons[1] + reasons[0]


def test_a_redirect_among_the_publishers_hosts_is_followed(visitor: Visitor, replica: Replica) -> None:
    with Replica(replica.authorities) as files:
        replica.faults[FILE] = [faults.redirect(f"{files.base}{FILE}")]
        _, fetched = visitor.run(hosts=(replica.host, files.host))
        assert {each.outcome for each in fetched} == {Outcome.READY}
        assert [seen.path for seen in files.seen] == ["/robots.txt", FILE]


# Pages.


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.status(500), "answered 500 (4 tries)"),
        (faults.status(404), "answered 404"),
        (faults.slow(2.5), "did not answer within"),
        (faults.redirect("https://elsewhere.example/"), "it was not contacted"),
        (faults.redirect(PAGE), "redirects in a circle"),
        (faults.gzip_bomb(300_000_000), "is larger than 10 MB; it was refused"),
        (faults.body(b"<html>We are mending the site</html>"), "has no URN where it used to be"),
        (faults.body(b""), "has no URN where it used to be"),
        (faults.body(b"\xff\xfe\x00" * 1000, "application/octet-stream"), "has no URN where it used to be"),
    ],
)
def test_a_page_that_fails_is_a_doubt_and_its_reports_stay(
    visitor: Visitor, replica: Replica, fault: faults.Fault, words: str
) -> None:
    visitor.run()
    replica.always(PAGE, fault)
    replica.authorities[1].documents.append(
        faults.Document("60009999", "Children's services inspection", datetime(2020, 1, 2, tzinfo=UTC).date(), pdf("n"))
    )
    discovery, fetched = visitor.run(timeout_s=1 if "within" in words else 10)
    assert any(words in doubt and "Invented Borough 1 (90001)" in doubt for doubt in discovery.doubts)
    assert (discovery.gone, len(discovery.unchanged)) == ((), 15)
    assert [each.outcome for each in fetched] == [Outcome.READY]
    replica.mend()
    assert visitor.discover().doubts == ()


def test_a_search_that_fails_is_a_doubt_and_the_known_pages_are_read(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    replica.always("/search", faults.status(502))
    discovery = visitor.discover()
    assert discovery.doubts[0].startswith("Search page 1 could not be read:")
    assert len(discovery.unchanged) == 15


def test_a_site_that_is_down_ends_soon_with_one_sentence(visitor: Visitor, replica: Replica) -> None:
    replica.stop()
    discovery = visitor.discover()
    assert len(discovery.doubts) == 1
    assert "robots.txt" in discovery.doubts[0]
    assert (discovery.new, discovery.gone) == ((), ())


def test_a_site_that_fails_everywhere_is_left_alone(visit: Callable[[Replica], Visitor]) -> None:
    with Replica(invented(20, 1)) as replica:
        visitor = visit(replica)
        for authority in replica.authorities:
            replica.always(f"/provider/44/{authority.urn}", faults.status(403))
        discovery = visitor.discover(attempts=2)
        assert replica.count("/provider") == 3 * 2
        assert "failed 3 addresses in a row" in discovery.doubts[-1]
        assert "17 of 20 providers' pages were not read" in discovery.doubts[-1]


# Manners.


def test_retry_after_is_honoured_in_seconds_and_as_a_date(visitor: Visitor, replica: Replica) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    replica.faults[FILE] = [faults.status(429, Retry_After="7"), faults.status(503, Retry_After=then)]
    _, fetched = visitor.run()
    assert {each.outcome for each in fetched} == {Outcome.READY}
    waits = [seconds for seconds in visitor.time.slept if seconds]
    assert waits[0] == 7
    # The clock has moved on by those 7 seconds.
    assert 38 <= waits[1] <= 44
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("Tue, 01 Jul 2025 10:00:30 GMT", 30.0),
        ("Tue, 01 Jul 2025 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_values(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)) == seconds


def test_a_long_retry_after_ends_the_run_for_that_host(visitor: Visitor, replica: Replica) -> None:
    replica.always(FILE, faults.status(429, Retry_After="86400"))
    _, fetched = visitor.run()
    assert [each.outcome for each in fetched] == [Outcome.LEFT] * 15
    assert fetched[0].reason == (
        f"{replica.host} asks to be left alone for 86400 s: 15 of 15 files are left for the next run."
    )
    assert [each.reason for each in fetched[1:]] == [None] * 14
    assert replica.count("/v1/file") == 1
    replica.mend()
    assert [each.outcome for each in visitor.run()[1]] == [Outcome.READY] * 15


def test_backing_off_doubles_and_differs(visitor: Visitor, replica: Replica) -> None:
    replica.always(FILE, faults.status(500))
    visitor.run(backoff_s=8, attempts=8, longest_wait_s=60)
    waits = visitor.time.slept
    assert len(waits) == 7
    assert all(0 <= wait <= min(60, 8 * 2**at) for at, wait in enumerate(waits))
    assert len(set(waits)) == 7


def test_one_request_a_second(visitor: Visitor, replica: Replica) -> None:
    begun = time.monotonic()
    visitor.discover(requests_per_second=1.0)
    assert len(replica.seen) == 7
    slept, took = sum(visitor.time.slept), time.monotonic() - begun
    assert slept <= 6
    assert slept + took >= 6
    assert all(wait <= 1 for wait in visitor.time.slept)


def test_robots_are_obeyed_and_kept_for_a_day(visitor: Visitor, replica: Replica) -> None:
    replica.robots = "User-agent: inspection-themes\nDisallow: /provider/44/90001\nDisallow: /v1/file/60000402\n"
    discovery, fetched = visitor.run()
    assert len(discovery.doubts) == 1
    assert "closed to programs by the site's robots.txt; it was not asked for." in discovery.doubts[0]
    assert "Invented Borough 1" in discovery.doubts[0]
    assert "robots.txt" in reason_of(fetched, Outcome.FAILED)
    assert replica.count("/provider/44/90001") == replica.count(FILE) == 0
    visitor.run()
    assert replica.count("/robots.txt") == 1


def test_robots_may_slow_us_down(visitor: Visitor, replica: Replica) -> None:
    replica.robots = "User-agent: *\nCrawl-delay: 3\n"
    begun = time.monotonic()
    visitor.discover()
    # What the requests themselves took is waited for that much less.
    slept, took = sum(visitor.time.slept), time.monotonic() - begun
    assert slept <= 15
    assert slept + took >= 15


def test_without_robots_nothing_is_forbidden_and_with_a_broken_one_everything(
    visitor: Visitor, replica: Replica
) -> None:
    replica.faults["/robots.txt"] = [faults.status(404)]
    assert visitor.discover().doubts == ()


def test_robots_that_cannot_be_read_forbid_everything(visitor: Visitor, replica: Replica) -> None:
    replica.always("/robots.txt", faults.status(500))
    discovery = visitor.discover()
    assert "The robots.txt of" in discovery.doubts[0]
    assert replica.count("/search") == replica.count("/provider") == 0


def test_a_disallowed_search_is_a_doubt(visitor: Visitor, replica: Replica) -> None:
    replica.robots = "User-agent: *\nDisallow: /\n"
    discovery = visitor.discover()
    assert "robots.txt" in discovery.doubts[0]
    assert [seen.path for seen in replica.seen] == ["/robots.txt"]


def test_the_budget_of_requests_leaves_the_rest_for_the_next_run(visitor: Visitor, replica: Replica) -> None:
    _, fetched = visitor.run(budget_requests=12)
    assert len(replica.seen) == 12  # robots.txt, the search, 5 pages, 5 files
    assert [each.outcome for each in fetched] == [Outcome.READY] * 5 + [Outcome.LEFT] * 10
    assert fetched[5].reason == (
        "The run's budget of 12 requests (budget_requests) is used up: 10 of 15 files are left for the next run."
    )
    _, fetched = visitor.run(budget_requests=16)
    assert [each.outcome for each in fetched] == [Outcome.READY] * 10
    assert replica.count("/v1/file") == 15


def test_the_budget_of_time_leaves_the_rest_for_the_next_run(visitor: Visitor, replica: Replica) -> None:
    # Six pages and robots.txt, and then files, ten seconds apart; the fourteenth would be after 130 s.
    _, fetched = visitor.run(requests_per_second=0.1, budget_minutes=2.1)
    assert [each.outcome for each in fetched] == [Outcome.READY] * 6 + [Outcome.LEFT] * 9
    assert "budget of 2.1 minutes (budget_minutes) is used up: 9 of 15 files are left" in (fetched[6].reason or "")


def test_a_budget_used_up_while_discovering_is_a_doubt(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    discovery = visitor.discover(budget_requests=3)
    assert discovery.doubts == (
        "The run's budget of 3 requests (budget_requests) is used up: 3 of 5 providers' pages were not read.",
    )
    assert (discovery.gone, len(discovery.unchanged)) == ((), 15)


def test_every_request_says_who_asks(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    assert {seen.headers["User-Agent"] for seen in replica.seen} == {"inspection-themes/0.1.0 (tester@council.example)"}
    replica.seen.clear()
    visitor.discover(user_agent="council-reader/2")
    assert {seen.headers["User-Agent"] for seen in replica.seen} == {"council-reader/2 (tester@council.example)"}


def test_a_damaged_page_cache_costs_the_pages_only(
    visitor: Visitor, replica: Replica, capfd: pytest.CaptureFixture[str]
) -> None:
    visitor.run()
    for path in (visitor.folder / "ofsted").glob(".pages.sqlite*"):
        path.write_bytes(b"no database" * 1000)
    replica.seen.clear()
    discovery, fetched = visitor.run()
    assert (discovery.doubts, len(discovery.unchanged), fetched) == ((), 15, [])
    assert [seen.status for seen in replica.seen] == [200] * 6
    assert capfd.readouterr().err == ""
