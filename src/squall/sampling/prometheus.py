"""Watches a Prometheus endpoint: one page fetched at each look, within a time and up to a size.

The rule: whatever is at the other end, a look ends: a page that is slow, endless, huge, none or not there is
said in the sample's problem, and the figures are not measured. No problem quotes the URL, which may hold
secrets, nor the page. No proxy is used, and no redirect followed.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import unquote, urlsplit

from squall.record.resources import ResourceSample, Role
from squall.sampling.base import rate_hz
from squall.sampling.exposition import sums
from squall.sampling.reported import fields_of
from squall.scenario.scraping import Expression, Series, parse_expression
from squall.scenario.watch import DEFAULT_METRICS

__all__ = ["PAGE_BYTES_MAX", "PrometheusSampler"]

PAGE_BYTES_MAX: Final = 8 << 20


class _NoPageError(Exception):
    """Why there is none."""


class PrometheusSampler:
    """One endpoint.

    Args:
        source: what it is called.
        url: http:// or https://, with user and query as they are.
        headers: sent with each request.
        metrics: figure → expression; where there are none, what the client libraries export.
        timeout_s: for the whole of a look.
    """

    role: Role = "target"

    def __init__(
        self,
        source: str,
        url: str,
        *,
        headers: Mapping[str, str],
        metrics: Mapping[str, str],
        timeout_s: float,
    ) -> None:
        self.source = source
        self._parts = urlsplit(url)
        self._headers = {"Accept": "text/plain", "Accept-Encoding": "identity"} | dict(headers)
        if self._parts.username is not None:
            user = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
        self._named = bool(metrics)
        self._figures: dict[str, Expression] = {
            name: parse_expression(text) for name, text in (metrics or DEFAULT_METRICS).items()
        }
        self._wanted = frozenset(series for each in self._figures.values() for series in each.series())
        self._timeout_s = timeout_s
        self._before: dict[Series, float] = {}
        self._before_ns = 0

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample:
        """Fetch the page and read it."""
        try:
            page = self._page()
        except _NoPageError as error:
            self._before = {}
            return ResourceSample(at_ns=at_ns, source=self.source, role=self.role, problem=str(error))
        now = sums(page, self._wanted)
        before, elapsed_ns = self._before, clock_ns - self._before_ns
        self._before, self._before_ns = now, clock_ns

        def read(series: Series) -> float | None:
            if series.rate:
                return rate_hz(now.get(series), before.get(series), elapsed_ns)
            return now.get(series)

        fields, wrong = fields_of({name: figure.value(read) for name, figure in self._figures.items()})
        problem = self._missing(now) or wrong
        return ResourceSample(at_ns=at_ns, source=self.source, role=self.role, problem=problem, **fields)

    def close(self) -> None:
        """Holds nothing between two looks."""

    def _missing(self, now: Mapping[Series, float]) -> str:
        """Which series are not on the page; of those that nobody asked for by name, only if none is."""
        missing = sorted({series.name for series in self._wanted if series not in now})
        if not missing or (now and not self._named):
            return ""
        return f"the page has no {', '.join(missing)}" + (" with these labels" if self._named else "")

    def _page(self) -> str:
        secure = self._parts.scheme.lower() == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        # Each single wait has this time-out; an end that lets its bytes trickle meets the timer.
        late = threading.Event()
        timer = threading.Timer(self._timeout_s, _cut, [connection, late])
        timer.daemon = True
        timer.start()
        try:
            page = self._fetched(connection)
            problem = ""
        except (OSError, ValueError, http.client.HTTPException) as error:
            page, problem = "", _reason(error)
            if isinstance(error, TimeoutError):
                late.set()
        finally:
            timer.cancel()
            connection.close()
        if late.is_set():
            problem = f"no whole page within {self._timeout_s:g} s"
        if problem:
            raise _NoPageError(problem)
        return page

    def _fetched(self, connection: http.client.HTTPConnection) -> str:
        path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        connection.request("GET", path, headers=self._headers)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise _NoPageError(f"answered with status {answer.status}")
        content = answer.read(PAGE_BYTES_MAX + 1)
        if len(content) > PAGE_BYTES_MAX:
            raise _NoPageError(f"the page is larger than {PAGE_BYTES_MAX >> 20} MiB")
        if answer.length:
            raise http.client.IncompleteRead(content, answer.length)
        return content.decode(errors="replace")


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """Called from the timer's thread: whoever waits for this connection waits no longer."""
    late.set()
    with suppress(OSError, AttributeError):  # not connected yet, or closed already
        connection.sock.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, socket.gaierror):
        return "its host is not known"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'no reason given'}"
    if isinstance(error, OSError) and error.strerror:
        return f"the connection failed: {error.strerror}"
    return f"its answer is no HTTP ({type(error).__name__})"
