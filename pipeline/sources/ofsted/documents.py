"""One document fetched: resumed where it broke off, checked, and put in its place whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from pipeline.files import safe_name, sha256_of, write_text
from pipeline.sources.ofsted.client import Answer, PoliteClient
from pipeline.sources.ofsted.errors import FetchError, StopAsking, TryAgain

_HEAD = 1024  # where a PDF must say that it is one
_TAIL = 2048  # where it must say that it ends
_PAGE_BYTES = 1_000_000
_QUICK_S, _QUICK_BYTES = 0.1, 4_000_000  # what comes in less is not worth a note to resume it by
_NOT_FOUND = re.compile(r"<title[^>]*>\s*Report not found\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server says a file's version by, and how long it is."""

    url: str
    etag: str | None = None
    last_modified: str | None = None

    @property
    def strong(self) -> str | None:
        """What a broken-off file may be resumed by; ``None``: it must be fetched from its beginning."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


@dataclass(frozen=True, slots=True)
class Stored:
    """A file on disk, whole and checked. ``file`` is below the folder, with slashes."""

    file: str
    bytes: int
    mtime_ns: int
    sha256: str
    validators: Validators


class Withdrawn(FetchError):  # noqa: N818 - says what became of it
    """The publisher serves its "Report not found" page instead."""


class NotModified(Exception):  # noqa: N818 - an answer, not an error
    """What is held is still what is served."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document to fetch, and how it is to be named."""

    file_number: str
    url: str
    urn: str
    authority: str
    title: str
    published: date | None

    def path(self, sha256: str) -> str:
        """Its place below the folder: by content, so that another version never overwrites this one."""
        folder = safe_name(f"{self.urn}_{self.authority}", 80)
        day = self.published.isoformat() if self.published else "undated"
        return f"{folder}/{safe_name(self.title, 60)} - {day} - {self.file_number}-{sha256[:8]}.pdf"


Keep = Callable[[], Stored]
"""Puts a document that arrived in its place, safe from a power cut; :class:`OSError` as the file system does.

May run in another thread, while the next document arrives.
"""


class Shelf:
    """The folder that fetched documents lie in, those half-fetched in ``.partial`` below it."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self._partial = folder / ".partial"
        self._partial.mkdir(parents=True, exist_ok=True)
        # Once, for all: while others are flushed, the file system makes whoever asks for a file wait.
        self._begun = {path.stem for path in self._partial.glob("*.part")}
        self._limit = limit_bytes
        # By file number: a run may have been killed between storing a document and remembering it.
        self._stored: dict[str, list[Path]] = {}
        for path in folder.glob("*/* - *-????????.pdf"):
            self._stored.setdefault(path.stem.rpartition("-")[0].rpartition(" ")[2], []).append(path)

    def fetch(self, client: PoliteClient, wanted: Wanted, held: Validators | None = None) -> Keep:
        """Fetch a document. It has then arrived whole; calling what is returned keeps it.

        Parameters
        ----------
        held : Validators, optional
            Of the version on disk: it is fetched only if the publisher has another.

        Raises
        ------
        NotModified
            The version held is the one served.
        Withdrawn
            The "Report not found" page is served.
        FetchError
            See :meth:`PoliteClient.ask`; or it is not a PDF, or too large.
        """
        found = self._already_there(wanted) if held is None else None
        if found is not None:
            return lambda: found
        partial = _Partial(self._partial, wanted, wanted.file_number in self._begun)

        def take(answer: Answer) -> Keep:
            try:
                return self._take(answer, wanted, partial, held is not None)
            except (TryAgain, StopAsking):
                raise
            except FetchError:
                partial.clear()  # refused: not to be gone on with
                raise

        return client.file(wanted.url, take, lambda: partial.headers(held))

    def _already_there(self, wanted: Wanted) -> Stored | None:
        for path in self._stored.get(wanted.file_number, ()):
            sha256 = sha256_of(path)
            if path.stem.endswith(sha256[:8]):
                return _stored(self.folder, path, sha256, Validators(wanted.url))
        return None

    def _take(self, answer: Answer, wanted: Wanted, partial: _Partial, held: bool) -> Keep:
        if answer.status == 304 and held:
            partial.clear()
            raise NotModified
        if answer.status == 416:
            partial.clear()
            raise TryAgain(f"{wanted.url} is not as long as it was")
        if answer.status == 206:
            start, validators = partial.size, partial.validators
            if validators is None or not _continues(answer, start, validators):
                partial.clear()
                raise TryAgain(f"{wanted.url} did not go on where it broke off")
        elif answer.status == 200:
            start = 0
            validators = _validators(answer, wanted.url)
        else:
            raise FetchError(f"{wanted.url} answered {answer.status}; it is asked again in the next run.")
        length = answer.length
        if length is not None and start + length > self._limit:
            raise FetchError(f"{wanted.url} is larger than {self._limit / 1e6:g} MB; it was refused.")
        pieces = answer.body(self._limit - start)
        if start == 0:
            head = _at_least(pieces, _HEAD)
            if b"%PDF-" not in head[:_HEAD]:
                raise _not_a_pdf(wanted.url, head, pieces)
            partial.begin(validators, head, pieces)
        else:
            partial.go_on(pieces)
        size = partial.size
        if length is not None and answer.header("content-encoding") is None and size != start + length:
            partial.clear()
            raise TryAgain(f"{wanted.url} came as {size:,} bytes, {start + length:,} were announced")
        if b"%%EOF" not in partial.tail():
            partial.clear()
            raise TryAgain(f"{wanted.url} has no end-of-file mark: it is cut short")

        def keep() -> Stored:
            sha256 = partial.sha256()
            target = self.folder / wanted.path(sha256)
            partial.move(target)
            return _stored(self.folder, target, sha256, validators)

        return keep


class _Partial:
    """A document on its way: its bytes so far and, beside them, a note of the version that they are of.

    What comes quickly stays in memory until it is whole; what does not, or breaks off, must outlive the process, which
    is why it is not :func:`pipeline.files.written_whole`'s temporary file.
    """

    def __init__(self, folder: Path, wanted: Wanted, begun: bool) -> None:
        self._begun = begun  # on disk, in part
        self._file = folder / f"{wanted.file_number}.part"
        self._note = folder / f"{wanted.file_number}.json"
        self._url = wanted.url
        self._whole: bytearray | None = None  # all of it, where it came quickly

    @property
    def size(self) -> int:
        """Bytes there already."""
        if self._whole is not None:
            return len(self._whole)
        return self._file.stat().st_size if self._begun else 0

    @property
    def validators(self) -> Validators | None:
        """The version begun; ``None`` where there is none that could be gone on with."""
        try:
            validators = Validators(**json.loads(self._note.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            self._note.unlink(missing_ok=True)  # damaged; begun anew
            return None
        return validators if validators.url == self._url else None

    def headers(self, held: Validators | None) -> Mapping[str, str]:
        """Go on where it broke off, or fetch if it is another version, or just fetch."""
        size = self.size
        validators = self.validators if size > _HEAD else None
        if validators is not None and validators.strong is not None:
            return {"Range": f"bytes={size}-", "If-Range": validators.strong}
        conditions = {}
        if held is not None and held.etag:
            conditions["If-None-Match"] = held.etag
        elif held is not None and held.last_modified:
            conditions["If-Modified-Since"] = held.last_modified
        return conditions

    def begin(self, validators: Validators, head: bytes, pieces: Iterator[bytes]) -> None:
        """Take a version in, from its beginning."""
        body, began = bytearray(head), time.monotonic()
        try:
            for piece in pieces:
                body += piece
                if len(body) > _QUICK_BYTES or time.monotonic() - began > _QUICK_S:
                    break
            else:
                self._whole = body
                return
        except BaseException:  # broken off, by whomever: to be gone on with
            self._write(body, validators)
            raise
        self._write(body, validators)
        self.go_on(pieces)

    def go_on(self, pieces: Iterator[bytes]) -> None:
        """Take in what follows what is on disk."""
        with self._file.open("ab") as file:
            for piece in pieces:
                file.write(piece)

    def tail(self) -> bytes:
        """Where the end-of-file mark should be."""
        if self._whole is not None:
            return bytes(self._whole[-_TAIL:])
        with self._file.open("rb") as file:
            file.seek(max(0, self.size - _TAIL))
            return file.read()

    def sha256(self) -> str:
        """In hex, of what is there."""
        return sha256_of(self._file) if self._whole is None else hashlib.sha256(self._whole).hexdigest()

    def move(self, target: Path) -> None:
        """Into its place in one step, once it is safe on disk."""
        if self._whole is not None:
            self._write(self._whole, flush=True)
        else:
            with self._file.open("r+b") as file:  # Windows flushes only what was opened for writing
                os.fsync(file.fileno())
        try:
            self._file.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file.replace(target)
        if self._whole is None:
            self._note.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget it."""
        self._whole, self._begun = None, False
        self._file.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _write(self, body: bytearray, validators: Validators | None = None, flush: bool = False) -> None:
        """Put it on disk; with ``validators`` it can be gone on with."""
        # The bytes of one version must never stand beside the note of another: the old note goes before they come,
        # and the old bytes before the new note.
        self._note.unlink(missing_ok=True)
        if validators is not None:
            self._file.unlink(missing_ok=True)
            write_text(self._note, json.dumps(asdict(validators)))
        self._begun = True
        with self._file.open("wb") as file:
            file.write(body)
            if flush:
                file.flush()
                os.fsync(file.fileno())


def _stored(folder: Path, path: Path, sha256: str, validators: Validators) -> Stored:
    status = path.stat()
    return Stored(path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns, sha256, validators)


def _validators(answer: Answer, url: str) -> Validators:
    if answer.header("content-encoding") is not None:
        return Validators(url)  # they are of the packed bytes, which are not what is kept
    return Validators(url, answer.header("etag"), answer.header("last-modified"))


def _continues(answer: Answer, start: int, validators: Validators) -> bool:
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.header("content-range") or "")
    etag = answer.header("etag")
    same = etag is None or validators.etag is None or etag == validators.etag
    return match is not None and int(match[1]) == start and same and answer.header("content-encoding") is None


def _at_least(pieces: Iterator[bytes], size: int) -> bytes:
    """The first pieces, together at least so long, unless there are no more."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= size:
            break
    return head


def _not_a_pdf(url: str, head: bytes, rest: Iterator[bytes]) -> FetchError:
    if not head.strip():
        return FetchError(f"{url} answered with nothing; it is asked again in the next run.")
    for piece in rest:
        head += piece
        if len(head) >= _PAGE_BYTES:
            break
    page = head.decode("utf-8", "replace")
    if _NOT_FOUND.search(page):
        return Withdrawn(f"{url} is withdrawn: the publisher serves its 'Report not found' page")
    what = "a web page" if "<html" in page[:4096].lower() or "<!doctype" in page[:4096].lower() else "something else"
    return FetchError(f"{url} answered with {what} instead of a PDF; it is asked again in the next run.")
