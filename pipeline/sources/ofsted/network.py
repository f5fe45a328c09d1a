"""Connections: urllib3 under httpx, because its way from the socket to the bytes is the shorter one.

httpx's own connections parse a body in Python, piece by piece, and take twice as long for a file as urllib3, whose
pieces come straight from the socket (``python -m tests.bench.bench_download``).
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import certifi
import httpx
import urllib3
from urllib3.exceptions import (
    HTTPError,
    IncompleteRead,
    LocationParseError,
    NewConnectionError,
    ProxyError,
    TimeoutError,
)
from urllib3.util import Timeout, make_headers, parse_url

_PIECE = 1 << 18  # bytes asked of the socket at once; it gives what it has


class Network(httpx.BaseTransport):
    """Connections, through the proxy that the system is set up with, trusting what the system trusts.

    Parameters
    ----------
    timeout_s : float
        Seconds to wait for a connection, and for every piece of an answer.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout = Timeout(connect=timeout_s, read=timeout_s)
        self._pools: dict[tuple[str, str | None], urllib3.PoolManager] = {}
        self._proxies = urllib.request.getproxies()
        self._trust: ssl.SSLContext | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask once; redirects and failures are the caller's to see.

        Raises
        ------
        httpx.TimeoutException
            Nothing came for ``timeout_s``.
        httpx.TransportError
            No connection, or it broke off.
        httpx.InvalidURL
            The address is none.
        """
        with _as_httpx(request):
            answer = self._pool(request.url).urlopen(
                request.method,
                str(request.url),
                headers={name.decode("ascii"): value.decode("latin-1") for name, value in request.headers.raw},
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        return httpx.Response(answer.status, headers=list(answer.headers.items()), stream=_Body(answer, request))

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.clear()

    def _pool(self, url: httpx.URL) -> urllib3.PoolManager:
        proxy = self._proxies.get(url.scheme)
        if proxy is not None and urllib.request.proxy_bypass(url.host):
            proxy = None
        way = (url.scheme, proxy)
        if way not in self._pools:
            # Reading the system's certificates takes a while, and is for nothing where nothing is encrypted.
            bare = url.scheme == "http" and proxy is None
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if bare else self._trusted()
            self._pools[way] = (
                urllib3.PoolManager(ssl_context=trust)
                if proxy is None
                else urllib3.ProxyManager(
                    proxy, ssl_context=trust, proxy_ssl_context=trust, proxy_headers=_proxy_headers(proxy)
                )
            )
        return self._pools[way]

    def _trusted(self) -> ssl.SSLContext:
        if self._trust is None:
            # The system's own certificates: an office network often adds one. certifi's where a system has none.
            self._trust = ssl.create_default_context()
            if not self._trust.get_ca_certs():
                self._trust.load_verify_locations(certifi.where())
        return self._trust


class _Body(httpx.SyncByteStream):
    """The body as it travels. Closed before its end, its connection goes too: the rest must not answer the next."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx(self._request):
            while piece := self._answer.read1(_PIECE, decode_content=False):
                yield piece
        self._ended = True

    def close(self) -> None:
        if not self._ended:
            self._answer.close()
        self._answer.release_conn()


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """What urllib3 raises, as what httpx raises."""
    try:
        yield
    except LocationParseError as error:
        raise httpx.InvalidURL(_said(error)) from error
    except (NewConnectionError, ProxyError) as error:  # the first is a TimeoutError, for urllib3's own reasons
        raise httpx.ConnectError(_said(error), request=request) from error
    except TimeoutError as error:
        raise httpx.ReadTimeout(_said(error), request=request) from error
    except (HTTPError, OSError) as error:
        raise httpx.ReadError(_said(error), request=request) from error


def _said(error: Exception) -> str:
    """The words at the heart of an error that urllib3 wrapped, maybe twice."""
    inner = next((each for each in error.args if isinstance(each, Exception)), None)
    if isinstance(error, IncompleteRead):
        return f"it broke off {error.expected:,} bytes before its end"
    return str(error) if inner is None else _said(inner)


def _proxy_headers(proxy: str) -> dict[str, str]:
    auth = parse_url(proxy).auth
    return make_headers(proxy_basic_auth=unquote(auth)) if auth else {}
