"""A run that was interrupted goes on where it was: what arrived is not fetched again."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.sources.base import Outcome
from tests.sources.replica import Handler, Replica, invented, pdf, reset_after
from tests.sources.visiting import Visitor

NUMBER = "60000402"  # the newest: it is fetched first
LARGE = pdf("large", 6_000_000)


@pytest.fixture
def child(repository: Path) -> Callable[[Path, Replica], subprocess.Popen[str]]:
    """Starts a run in a process of its own."""

    def start(folder: Path, replica: Replica) -> subprocess.Popen[str]:
        table = repository / "corpus" / "authorities.csv"
        return subprocess.Popen(
            [sys.executable, "-m", "tests.sources.visiting", str(folder), str(table), replica.base],
            cwd=repository,
            env={**os.environ, "PYTHONPATH": str(repository)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def partial(visitor: Visitor, number: str = NUMBER) -> Path:
    return visitor.folder / "ofsted" / ".partial" / f"{number}.part"


def killed_in_mid_body(visitor: Visitor, replica: Replica, child: Callable[..., subprocess.Popen[str]]) -> int:
    """Kill a run while the large file is under way; how many bytes of it are on disk."""
    replica.piece_delay = 0.02
    process = child(visitor.folder, replica)
    try:
        wait_for(lambda: partial(visitor).exists() and partial(visitor).stat().st_size > 1_000_000, process)
    finally:
        process.kill()  # SIGKILL; TerminateProcess on Windows
        process.communicate()
    assert process.returncode != 0
    replica.piece_delay = 0.0
    wait_for(lambda: replica.count(f"/v1/file/{NUMBER}") == 1)
    replica.seen.clear()
    return partial(visitor).stat().st_size


def asked_for(replica: Replica) -> set[str]:
    """Numbers of the files asked for."""
    return {seen.path.rpartition("/")[2] for seen in replica.seen if seen.path.startswith("/v1")}


@pytest.mark.parametrize("ranges", [True, False])
def test_killed_in_mid_body(
    visitor: Visitor, replica: Replica, child: Callable[..., subprocess.Popen[str]], ranges: bool
) -> None:
    document = replica.document(NUMBER)
    assert document is not None
    document.body = LARGE
    replica.ranges = ranges
    had = killed_in_mid_body(visitor, replica, child)
    _, fetched = visitor.run()
    assert {each.outcome for each in fetched} == {Outcome.READY}
    assert LARGE in visitor.files().values()
    asked = [seen for seen in replica.seen if seen.path.endswith(NUMBER)]
    assert [seen.headers.get("Range") for seen in asked] == [f"bytes={had}-"]
    assert all(seen.headers["If-Range"].startswith('"') for seen in asked)
    assert [(seen.status, seen.sent) for seen in asked] == (
        [(206, len(LARGE) - had)] if ranges else [(200, len(LARGE))]
    )
    assert replica.count("/v1/file") == 15
    assert list(partial(visitor).parent.iterdir()) == []


def test_killed_and_meanwhile_replaced(
    visitor: Visitor, replica: Replica, child: Callable[..., subprocess.Popen[str]]
) -> None:
    document = replica.document(NUMBER)
    assert document is not None
    document.body = LARGE
    killed_in_mid_body(visitor, replica, child)
    document.body = pdf("another version", 6_000_001)
    _, fetched = visitor.run()
    assert {each.outcome for each in fetched} == {Outcome.READY}
    assert document.body in visitor.files().values()
    assert LARGE not in visitor.files().values()


@pytest.mark.parametrize("claim", ["another version", "another place"])
def test_a_part_that_does_not_fit_is_not_joined_on(visitor: Visitor, replica: Replica, claim: str) -> None:
    """A server that ignores If-Range, or the range itself: the two halves would make a PDF that never was."""
    document = replica.document(NUMBER)
    assert document is not None
    document.body = pdf("as published")

    def unfit(handler: Handler) -> bool:
        start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        rest = b"y" * 2000 + b"%%EOF"
        at = start if claim == "another version" else start + 1
        headers = {"Content_Range": f"bytes {at}-{at + len(rest) - 1}/{at + len(rest)}"}
        if claim == "another version":
            headers["ETag"] = '"of-another-version"'
        handler.whole(206, rest, "application/pdf", **headers)
        return True

    replica.faults[f"/v1/file/{NUMBER}"] = [reset_after(1500), unfit]
    _, fetched = visitor.run()
    assert {each.outcome for each in fetched} == {Outcome.READY}
    assert document.body in visitor.files().values()
    assert not any(b"yyyy" in content for content in visitor.files().values())
    assert replica.count(f"/v1/file/{NUMBER}") == 3


def test_killed_without_anything_to_tell_versions_apart(
    visitor: Visitor, replica: Replica, child: Callable[..., subprocess.Popen[str]]
) -> None:
    document = replica.document(NUMBER)
    assert document is not None
    document.body = LARGE
    replica.validators = False
    killed_in_mid_body(visitor, replica, child)
    document.body = pdf("another version", 6_000_001)
    visitor.run()
    assert document.body in visitor.files().values()
    asked = [seen for seen in replica.seen if seen.path.endswith(NUMBER)]
    assert [seen.headers.get("Range") for seen in asked] == [None]


def test_killed_again_and_again_every_file_comes_once(
    visit: Callable[[Replica], Visitor], child: Callable[..., subprocess.Popen[str]]
) -> None:
    """Whatever is on disk whole when the process dies is not asked for again."""
    with Replica(invented(10, 5)) as replica:
        visitor = visit(replica)
        whole: set[str] = set()
        for stop in (5, 20, 35):
            process = child(visitor.folder, replica)
            # Stop at a file count, whatever the process is doing at that moment.
            wait_for(functools.partial(lambda enough: len(visitor.files()) >= enough, stop), process)
            process.kill()
            process.communicate()
            assert asked_for(replica) & whole == set()
            whole = {name.rpartition("-")[0].rpartition(" ")[2] for name in visitor.files()}
            replica.seen.clear()
        _, fetched = visitor.run()
        assert {each.outcome for each in fetched} == {Outcome.READY}
        assert len(visitor.files()) == 50
        assert asked_for(replica) & whole == set()
        assert visitor.run()[1] == []


def test_interrupted_by_the_user(visitor: Visitor, replica: Replica) -> None:
    discovery = visitor.discover()
    results = visitor.source().fetch(discovery.new)
    next(results)  # some more are on disk by then
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
    replica.seen.clear()
    _, fetched = visitor.run()
    assert [each.outcome for each in fetched] == [Outcome.READY] * 15
    assert replica.count("/v1/file") == 0


def test_a_damaged_note_beside_a_partial_file_means_beginning_anew(visitor: Visitor, replica: Replica) -> None:
    partial(visitor).parent.mkdir(parents=True)
    partial(visitor).write_bytes(b"%PDF-1.4 something else" + bytes(5000))
    partial(visitor).with_suffix(".json").write_text('{"url": ', encoding="utf-8")
    _, fetched = visitor.run()
    assert {each.outcome for each in fetched} == {Outcome.READY}
    assert pdf("4 2") in visitor.files().values()


def test_a_full_disk_is_not_this_files_fault(
    visitor: Visitor, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    discovery = visitor.discover()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "a file")

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.sources.ofsted.documents.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            list(visitor.source().fetch(discovery.new))
    _, fetched = visitor.run()
    assert [each.outcome for each in fetched] == [Outcome.READY] * 15
