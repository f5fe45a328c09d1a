"""Files that are no reports, or mean harm: each is set aside with its reason, by workers that may die of it."""

from __future__ import annotations

import os
import time
from pathlib import Path, PurePath

import pytest

from pipeline.domain import Document
from pipeline.errors import SetAside
from pipeline.extract import ExtractOptions, read_document, read_many
from tests.extract import nasty


def reason(path: Path, options: ExtractOptions | None = None) -> str:
    with pytest.raises(SetAside) as caught:
        read_document(path, options or ExtractOptions())
    return caught.value.reason


def outcome(path: Path, **limits: float) -> Document | SetAside:
    [(key, result)] = list(read_many([("it", path)], ExtractOptions(**limits), workers=1))  # type: ignore[arg-type]
    assert key == "it"
    return result


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "an empty file"),
        (bytes(5000), "an empty file"),
        (
            b"<html><head><title>Report not found - Find an Inspection Report</title>",
            "not a PDF: the publisher's 'Report not found' page",
        ),
        (
            b"\r\n<!DOCTYPE html>\n<html><title>\n REPORT  not\nfound </title>",
            "not a PDF: the publisher's 'Report not found' page",
        ),
        (b"<!DOCTYPE html><html><title>Sign in</title>", "not a PDF: an HTML page"),
        (b"PK\x03\x04 and so on", "not a PDF: a zip or Office file"),
        (b"Dear all, the report is attached.", "not a PDF"),
        (b"%PDF-1.7\n1 0 obj\n", "truncated: the file ends before its end mark"),
        (b"%PDF-1.7\n%%EOF\n", "damaged: it cannot be opened as a PDF"),
    ],
)
@pytest.mark.parametrize("engine", ["pdfium", "pdfplumber"])
def test_what_is_no_pdf_says_what_it_is(tmp_path: Path, content: bytes, why: str, engine: str) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    assert reason(path, ExtractOptions(engine=engine)) == why  # type: ignore[arg-type]


def test_missing_file_and_folder_are_set_aside(tmp_path: Path) -> None:
    assert reason(tmp_path / "gone.pdf").startswith("the file cannot be read: ")
    assert reason(tmp_path).startswith("the file cannot be read: ")


def test_truncated_at_every_tenth(tmp_path: Path) -> None:
    whole = nasty.plain(tmp_path / "whole.pdf", pages=12).read_bytes()
    for tenth in range(10):
        path = tmp_path / f"{tenth}.pdf"
        path.write_bytes(whole[: len(whole) * tenth // 10])
        assert reason(path) == ("an empty file" if tenth == 0 else "truncated: the file ends before its end mark")


@pytest.mark.parametrize("engine", ["pdfium", "pdfplumber"])
def test_encryption_with_and_without_a_password(tmp_path: Path, engine: str) -> None:
    options = ExtractOptions(engine=engine)  # type: ignore[arg-type]
    assert reason(nasty.encrypted(tmp_path / "locked.pdf", "secret"), options) == "encrypted: it needs a password"
    assert read_document(nasty.encrypted(tmp_path / "open.pdf", ""), options).pages == 3


@pytest.mark.parametrize("engine", ["pdfium", "pdfplumber"])
def test_scan_is_no_empty_report(tmp_path: Path, engine: str) -> None:
    assert reason(nasty.scan(tmp_path / "scan.pdf"), ExtractOptions(engine=engine)) == "no text: scanned"  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["pdfium", "pdfplumber"])
def test_fonts_without_unicode_maps(tmp_path: Path, engine: str) -> None:
    path = nasty.no_unicode_map(tmp_path / "glyphs.pdf")
    assert reason(path, ExtractOptions(engine=engine)).startswith("no readable text")  # type: ignore[arg-type]


def test_ten_thousand_pages_are_too_many(tmp_path: Path) -> None:
    path = nasty.many_pages(tmp_path / "long.pdf", 10_000)
    assert reason(path) == "too many pages: 10,000 (at most 2,000)"


def test_deep_nesting_ends(tmp_path: Path) -> None:
    assert reason(nasty.nested(tmp_path / "deep.pdf", 100_000)).startswith(("no text", "damaged"))


def test_time_limit_ends_the_worker_and_not_the_run(tmp_path: Path) -> None:
    long = nasty.many_pages(tmp_path / "long.pdf", 10_000)
    short = nasty.plain(tmp_path / "short.pdf")
    options = ExtractOptions(timeout_s=3, max_pages=20_000)
    start = time.monotonic()
    results = dict(read_many([("long", long), ("short", short)], options, workers=1))
    assert time.monotonic() - start < 30
    assert isinstance(results["long"], SetAside)
    assert results["long"].reason == "too slow to read: over 3 seconds"
    assert isinstance(results["short"], Document)


@pytest.mark.parametrize("make", [lambda path: nasty.bomb(path, 400), lambda path: nasty.nested_forms(path, 30)])
def test_memory_limit_ends_the_worker(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    result = outcome(make(tmp_path / "bomb.pdf"), memory_mb=250, timeout_s=30)
    assert isinstance(result, SetAside)
    assert result.reason in ("too large to read: over 250 MiB of memory", "too slow to read: over 30 seconds")


class Crashing(type(Path())):  # type: ignore[misc]
    """A path that kills the process that opens it, as a fault in a native library does."""

    def open(self, *_arguments: object, **_named: object) -> object:  # type: ignore[override]
        os.abort()

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        return (Crashing, PurePath(self).parts)


class Raising(Crashing):
    """A path whose opening raises what nobody foresaw."""

    def open(self, *_arguments: object, **_named: object) -> object:  # type: ignore[override]
        raise LookupError("an odd one")

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        return (Raising, PurePath(self).parts)


def test_crash_costs_that_pdf_alone(tmp_path: Path) -> None:
    whole = nasty.plain(tmp_path / "whole.pdf")
    jobs: list[tuple[str, Path]] = []
    for index in range(6):
        jobs += [(f"whole {index}", whole), (f"crash {index}", Crashing(whole))]
    results = dict(read_many(jobs, ExtractOptions(), workers=2))
    assert len(results) == 12
    for key, result in results.items():
        if key.startswith("crash"):
            assert isinstance(result, SetAside)
            assert result.reason == "damaged: the PDF reader crashed on it"
        else:
            assert isinstance(result, Document)


def test_unforeseen_error_is_named(tmp_path: Path) -> None:
    result = outcome(Raising(nasty.plain(tmp_path / "whole.pdf")))
    assert isinstance(result, SetAside)
    assert result.reason == "could not be read: LookupError: an odd one"


def test_jobs_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    whole = nasty.plain(tmp_path / "whole.pdf")
    taken = 0

    def jobs():  # type: ignore[no-untyped-def]
        nonlocal taken
        for index in range(60):
            taken += 1
            yield str(index), whole

    results = read_many(jobs(), ExtractOptions(), workers=2)
    first = next(results)
    assert isinstance(first[1], Document)
    assert taken < 20
    assert sum(1 for _ in results) == 59


def test_stopping_early_leaves_no_worker(tmp_path: Path) -> None:
    import psutil

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    results = read_many(
        [(str(index), nasty.plain(tmp_path / f"{index}.pdf")) for index in range(8)], ExtractOptions(), workers=2
    )
    next(results)
    results.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    left = before
    while time.monotonic() < deadline:
        left = {
            child.pid
            for child in psutil.Process().children(recursive=True)
            if "resource_tracker" not in " ".join(child.cmdline())
        }
        if left <= before:
            break
        time.sleep(0.1)
    assert left <= before


def test_worker_starts_light() -> None:
    import subprocess
    import sys

    heavy = ("pandas", "sklearn", "spacy", "torch", "sqlalchemy", "typer", "numpy")
    code = f"import sys, pipeline.extract.workers; sys.exit(' '.join(m for m in {heavy!r} if m in sys.modules) or None)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert (run.returncode, run.stderr) == (0, "")
