"""The publisher's site served over real HTTP on loopback: its addresses and the structure of its pages, our words.

Also a program, so that a benchmark's server has a processor of its own::

    python tests/sources/replica.py ../shared/corpus
"""

from __future__ import annotations

import contextlib
import csv
import functools
import gzip
import hashlib
import html
import re
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SEARCH_LIMIT = 100
_PIECE = 1 << 16


@dataclass
class Document:
    """One publication. ``body`` is a path, bytes, or ``None``: withdrawn."""

    number: str
    title: str
    published: date
    body: Path | bytes | None
    file_type: str = "PDF"
    link: str | None = None  # another address than the replica's own


@dataclass
class Authority:
    """One provider's page."""

    urn: str
    name: str
    documents: list[Document] = field(default_factory=list)
    in_search: bool = True


@dataclass(frozen=True)
class Seen:
    """One request that arrived, and the body bytes sent for it."""

    path: str
    status: int
    sent: int
    headers: dict[str, str]


Fault = Callable[["Handler"], bool]
"""Answers a request in the replica's place; ``False``: it did not, the replica goes on."""


class Replica:
    """The site's content, its faults, and what was asked of it.

    Attributes
    ----------
    faults : dict of str to list of Fault
        By path: each is used once, in order; one put there by :meth:`always` stays.
    validators, ranges : bool
        Whether files have ETag and Last-Modified, and can be asked for in part.
    """

    def __init__(self, authorities: list[Authority]) -> None:
        self.authorities = authorities
        self.faults: dict[str, list[Fault]] = {}
        self.robots = "User-agent: *\nDisallow: /admin/\n"
        self.validators = True
        self.ranges = True
        self.piece_delay = 0.0
        self.page_headers: dict[str, str] = {}
        self._seen: list[Seen] = []
        self._answering = 0
        self._quiet = threading.Condition()
        self._stay: set[str] = set()
        self._stopped = False
        self._lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.replica = self
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.host = urlsplit(self.base).netloc

    def __enter__(self) -> Replica:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close down; nobody answers at its address any more."""
        if not self._stopped:
            self._stopped = True
            self.server.shutdown()
            self.server.server_close()

    def always(self, path: str, fault: Fault) -> None:
        """Let every request for ``path`` fail so."""
        self.faults[path] = [fault]
        self._stay.add(path)

    def mend(self) -> None:
        """No faults any more."""
        self.faults.clear()
        self._stay.clear()

    def fault_for(self, path: str) -> Fault | None:
        with self._lock:
            waiting = self.faults.get(path)
            if not waiting:
                return None
            return waiting[0] if path in self._stay else waiting.pop(0)

    @property
    def seen(self) -> list[Seen]:
        """Requests answered. A reader may have an answer before its handler has noted it, so handlers end first."""
        with self._quiet:
            self._quiet.wait_for(lambda: not self._answering, timeout=1)
        return self._seen

    def begin(self) -> None:
        """A request came in."""
        with self._quiet:
            self._answering += 1

    def note(self, seen: Seen) -> None:
        """It was answered."""
        with self._quiet:
            self._seen.append(seen)
            self._answering -= 1
            self._quiet.notify_all()

    def count(self, prefix: str) -> int:
        """Requests whose path begins with ``prefix``."""
        return sum(seen.path.startswith(prefix) for seen in self.seen)

    def sent(self, prefix: str = "/") -> int:
        """Body bytes sent for them."""
        return sum(seen.sent for seen in self.seen if seen.path.startswith(prefix))

    def document(self, number: str) -> Document | None:
        for authority in self.authorities:
            for document in authority.documents:
                if document.number == number:
                    return document
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    replica: Replica

    def handle_error(self, *_: object) -> None:
        """Clients break off here on purpose."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every small answer waits 40 ms for an acknowledgement
    server: _Server
    status = 0
    sent = 0

    def log_message(self, *_: object) -> None:
        """Quiet."""

    @property
    def replica(self) -> Replica:
        return self.server.replica

    def do_GET(self) -> None:
        self.status = self.sent = 0
        self.replica.begin()
        path = urlsplit(self.path).path
        try:
            fault = self.replica.fault_for(path)
            if fault is None or not fault(self):
                self.answer(path)
        finally:
            self.replica.note(Seen(self.path, self.status, self.sent, dict(self.headers.items())))

    def answer(self, path: str) -> None:
        provider = re.fullmatch(r"/provider/44/(\d+)", path)
        file = re.fullmatch(r"/v1/file/(\d+)", path)
        if path == "/robots.txt":
            self.whole(200, self.replica.robots.encode(), "text/plain")
        elif path == "/search":
            self.page(search_page(self.replica, parse_qs(urlsplit(self.path).query)))
        elif provider:
            found = [each for each in self.replica.authorities if each.urn == provider[1]]
            if found:
                self.page(provider_page(self.replica, found[0]))
            else:
                self.whole(404, b"<html><title>Page not found</title></html>", "text/html")
        elif file:
            self.file(self.replica.document(file[1]))
        else:
            self.whole(404, b"nothing here", "text/plain")

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.sent += len(data)

    def whole(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        """A complete answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.head(status, {"Content-Type": kind, "Content-Length": str(len(body)), **named})
        self.write(body)

    def page(self, text: str) -> None:
        body = text.encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.head(304, {"ETag": etag})
            return
        headers = {"ETag": etag, "Content-Type": "text/html; charset=utf-8", "Vary": "Accept-Encoding"}
        headers |= self.replica.page_headers
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self.head(200, {**headers, "Content-Length": str(len(body))})
        self.write(body)

    def file(self, document: Document | None) -> None:
        if document is None or document.body is None:
            self.whole(200, NOT_FOUND_PAGE.encode(), "text/html; charset=utf-8")
            return
        is_path = isinstance(document.body, Path)
        size = document.body.stat().st_size if isinstance(document.body, Path) else len(document.body)
        headers = {"Content-Type": "application/pdf"}
        if self.replica.validators:
            mark = document.body.stat().st_mtime_ns if isinstance(document.body, Path) else content_mark(document.body)
            changed = document.body.stat().st_mtime if isinstance(document.body, Path) else 1.6e9 + mark % 10**6
            headers |= {"ETag": f'"{size:x}-{mark:x}"', "Last-Modified": formatdate(changed, usegmt=True)}
            if self.headers.get("If-None-Match") == headers["ETag"]:
                self.head(304, headers)
                return
        start = self._start(headers, size)
        if start is None:
            self.head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
            return
        if start:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self.head(206 if start else 200, {**headers, "Content-Length": str(size - start)})
        if is_path and not self.replica.piece_delay:
            with document.body.open("rb") as file:  # type: ignore[union-attr]
                self.wfile.flush()
                self.sent += self.connection.sendfile(file, start)
            return
        body = document.body.read_bytes() if isinstance(document.body, Path) else document.body
        for at in range(start, size, _PIECE):
            self.write(body[at : at + _PIECE])
            if self.replica.piece_delay:
                time.sleep(self.replica.piece_delay)

    def _start(self, headers: dict[str, str], size: int) -> int | None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or not self.replica.ranges:
            return 0
        condition = self.headers.get("If-Range")
        if condition is not None and condition not in (headers.get("ETag"), headers.get("Last-Modified")):
            return 0
        return int(asked[1]) if int(asked[1]) < size else None


def content_mark(body: bytes) -> int:
    return int(hashlib.sha256(body).hexdigest()[:12], 16)


# Faults.


def status(code: int, **headers: str) -> Fault:
    """Answer with a bare status."""

    def fault(handler: Handler) -> bool:
        handler.whole(code, b"<html><title>Sorry</title>not now</html>", "text/html", **headers)
        return True

    return fault


def slow(seconds: float) -> Fault:
    """The first byte is late."""

    def fault(_: Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def reset_after(size: int) -> Fault:
    """Announce everything, send so many bytes, then reset the connection."""

    def fault(handler: Handler) -> bool:
        number = urlsplit(handler.path).path.rpartition("/")[2]
        document = handler.replica.document(number)
        assert document is not None
        body = document.body.read_bytes() if isinstance(document.body, Path) else document.body or b""
        headers = {"Content-Type": "application/pdf", "Content-Length": str(len(body))}
        if handler.replica.validators:
            headers["ETag"] = f'"{len(body):x}-{content_mark(body):x}"'
        handler.head(200, headers)
        handler.write(body[:size])
        handler.wfile.flush()
        time.sleep(0.05)  # let it arrive: a reset throws away what is still under way
        handler.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        )
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RD)
        handler.connection.close()
        return True

    return fault


def wrong_length(announced: int) -> Fault:
    """Announce another length than what comes; then close."""

    def fault(handler: Handler) -> bool:
        document = handler.replica.document(urlsplit(handler.path).path.rpartition("/")[2])
        assert document is not None
        assert isinstance(document.body, bytes)
        # It says that it will close: what comes after the announced length is then never taken for the next answer.
        headers = {"Content-Type": "application/pdf", "Content-Length": str(announced), "Connection": "close"}
        handler.head(200, headers)
        handler.write(document.body)
        handler.close_connection = True
        return True

    return fault


def redirect(to: str, code: int = 302) -> Fault:
    """Send it elsewhere."""

    def fault(handler: Handler) -> bool:
        handler.whole(code, b"", "text/html", Location=to)
        return True

    return fault


def body(data: bytes, kind: str = "text/html", **headers: str) -> Fault:
    """Answer 200 with this."""

    def fault(handler: Handler) -> bool:
        handler.whole(200, data, kind, **headers)
        return True

    return fault


def endless(size: int, announce: bool) -> Fault:
    """A PDF of so many bytes, its length announced or not, made as it is sent."""

    def fault(handler: Handler) -> bool:
        headers = {"Content-Type": "application/pdf", "Connection": "close"}
        if announce:
            headers["Content-Length"] = str(size)
        handler.head(200, headers)
        handler.close_connection = True
        handler.write(b"%PDF-1.4\n")
        piece = bytes(1 << 20)
        while handler.sent < size:
            handler.write(piece)
        return True

    return fault


def trickle(handler: Handler) -> bool:
    """A few bytes at a time, for ever."""
    handler.head(200, {"Content-Type": "application/pdf", "Content-Length": "1000000"})
    handler.write(b"%PDF-1.4\n" + bytes(2000))
    while True:
        handler.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def gzip_bomb(size: int, head: bytes = b"") -> Fault:
    """A small answer that unpacks into ``head`` and so many zero bytes."""

    def fault(handler: Handler) -> bool:
        handler.whole(200, packed(size, head), "application/pdf", Content_Encoding="gzip")
        return True

    return fault


@functools.cache
def packed(size: int, head: bytes) -> bytes:
    """``head`` and so many zero bytes, with gzip."""
    packer = zlib.compressobj(6, wbits=31)
    piece = bytes(1 << 20)
    packed = [packer.compress(head), *(packer.compress(piece) for _ in range(size >> 20)), packer.flush()]
    return b"".join(packed)


# Pages: the publisher's structure, our words.

NOT_FOUND_PAGE = (
    "<!DOCTYPE html><html lang='en'><head><title>Report not found - Find an Inspection Report - Ofsted</title></head>"
    "<body><h1>There is no such report</h1></body></html>"
)

_FRAME = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body class="page"><header class="header"><a href="/">Home</a> <a href="/search">Look again</a></header>
<main id="main">{main}</main>
<footer class="footer"><ul><li><a href="/help">Help</a></li><li><a href="https://www.gov.uk/">Elsewhere</a></li>
<li><a href="/provider/">All of them</a></li></ul></footer></body></html>
"""


def search_page(replica: Replica, query: dict[str, list[str]]) -> str:
    """A page of results."""
    listed = [each for each in replica.authorities if each.in_search]
    start = int(query.get("start", ["0"])[0])
    rows = min(int(query.get("rows", ["10"])[0]), SEARCH_LIMIT)
    items = "".join(
        f'<li class="search-result"><h3 class="search-result__title heading--sub"><a href="/provider/44/{each.urn}">'
        f"{html.escape(each.name)}</a></h3><p>Children's services of a local authority</p></li>"
        for each in listed[start : start + rows]
    )
    following = ""
    if start + rows < len(listed):
        href = f"/search?level_1_types=3&amp;level_2_types%5B%5D=12&amp;start={start + rows}&amp;rows={rows}"
        following = f'<nav class="pagination"><a class="pagination__next" href="{href}">More</a></nav>'
    main = f'<h1>{len(listed)} results</h1><ul class="results-list list-unstyled">{items}</ul>{following}'
    return _FRAME.format(title="Results - Find an Inspection Report - Ofsted", main=main)


def provider_page(replica: Replica, authority: Authority) -> str:
    """A provider's page, with a timeline."""
    days = "".join(
        '<li class="timeline__day"><div class="event">'
        f'<p class="timeline__date"><time>{_day(each.published)}</time></p>'
        f'<span class="event__title heading--sub"><a class="publication-link" target="_blank" '
        f'href="{html.escape(each.link or f"{replica.base}/v1/file/{each.number}")}">{html.escape(each.title)} '
        f'<span class="nonvisual">{html.escape(each.title)}, {each.file_type} - {_day(each.published)}</span></a>'
        "</span>"
        f'<div class="event__metadata"><span class="filetype">{each.file_type}</span> Out since '
        f'<time pubdate="{each.published}">{_day(each.published)}</time></div></div></li>'
        for each in sorted(authority.documents, key=lambda each: each.published, reverse=True)
    )
    name = html.escape(authority.name)
    main = (
        f'<div class="title-block"><h1 class="heading--title title-block__heading">{name}</h1>'
        f'<p class="heading--main title-block__subheading">URN: {authority.urn}</p>'
        f'<address class="title-block__address">A street, a town</address></div><ol class="timeline">{days}'
        '<li class="timeline__day timeline__day--opened"><p class="timeline__date"><time>1 April 1998</time></p>'
        "<span>Began</span></li></ol>"
    )
    return _FRAME.format(title=f"{name} - Open - Find an Inspection Report - Ofsted", main=main)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


# Content.


def from_index(corpus: Path) -> list[Authority]:
    """The real reports of ``../shared/corpus``; those saved as "Report not found" are withdrawn."""
    authorities: dict[str, Authority] = {}
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = corpus / row["path"]
            with path.open("rb") as report:
                is_pdf = report.read(5) == b"%PDF-"
            number = row["url"].rpartition("/")[2]
            name = row["authority"].title()
            authorities.setdefault(row["urn"], Authority(row["urn"], name)).documents.append(
                Document(
                    number,
                    row["title"].removesuffix(", pdf").capitalize(),
                    date.fromisoformat(row["published"]),
                    path if is_pdf else None,
                )
            )
    return list(authorities.values())


def pdf(text: str, size: int = 3000) -> bytes:
    """Bytes that begin and end as a PDF does."""
    return b"%PDF-1.4\n% " + text.encode() + b"\n" + bytes(size) + b"\n%%EOF\n"


def invented(authorities: int = 5, each: int = 3) -> list[Authority]:
    """Authorities that do not exist, each with inspections a year apart."""
    return [
        Authority(
            str(90001 + number),
            f"Invented Borough {number + 1}",
            [
                Document(
                    str(60000000 + number * 100 + year),
                    "Children's services inspection",
                    date(2015 + year, 1 + number % 12, 5),
                    pdf(f"{number} {year}"),
                )
                for year in range(each)
            ],
        )
        for number in range(authorities)
    ]


@contextlib.contextmanager
def serving(authorities: list[Authority]) -> Iterator[Replica]:
    """A replica that serves while the block runs."""
    with Replica(authorities) as replica:
        yield replica


if __name__ == "__main__":
    with serving(from_index(Path(sys.argv[1]))) as running:
        print(running.base, flush=True)
        sys.stdin.read()
