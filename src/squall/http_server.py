"""A small HTTP server for whoever watches or controls: one answer a connection.

`routes` are fixed paths to be looked at (GET and HEAD); where requests are to do more than look, one handler takes
all others, with their bodies.

The rule: it never holds up the loop that it runs on, nor the end of the run. What a client sends is bounded in
size and time, what is sent to one is handed over bit by bit as it reads, and a client that does not is cut off
after `SEND_MAX_S`. On loopback only requests that name a host of this machine are answered, so that no page of
elsewhere reaches it under a name of its own (DNS rebinding). It knows nothing of what it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

from squall.errors import EnvironmentFailure
from squall.scenario.addresses import host_and_port

__all__ = ["Answer", "Handler", "HttpServer", "Request", "Route", "Stream", "refusal_of"]

CLIENTS_MAX: Final = 64
REQUEST_BYTES_MAX: Final = 16 * 1024
BODY_BYTES_MAX: Final = 256 * 1024
REQUEST_MAX_S: Final = 5.0
SEND_MAX_S: Final = 10.0
"""How long a client may take to read what one write sent it."""

CLOSE_MAX_S: Final = 1.0
"""How long the end of the server waits for its clients to take what they were promised."""

_TEXT: Final = "text/plain; charset=utf-8"
_SAFE: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    body: bytes
    content_type: str = _TEXT
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that goes on; each piece is asked for when the client has taken the one before."""

    pieces: Callable[[], AsyncGenerator[bytes, None]]
    content_type: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked."""

    method: str
    path: str
    query: str
    body: bytes


Route = Callable[[], Answer | Stream]
"""What a path is answered with; called at each request, returns at once."""


Handler = Callable[[Request], Answer]
"""What answers requests that are no route's; returns at once."""


class HttpServer:
    """Serves `routes` on an address, as a context manager. `url` is where.

    Args:
        address: "HOST:PORT"; port 0 takes a free one.
        routes: by path.
        what: what is served, for the message where it cannot be.
        handler: answers what is no route's; without one that is not found.

    Raises:
        EnvironmentFailure: it cannot listen there.
    """

    def __init__(
        self, address: str, routes: Mapping[str, Route], *, what: str, handler: Handler | None = None
    ) -> None:
        self.url = ""
        self._host, self._port = host_and_port(address)
        self._routes = routes
        self._what = what
        self._handler = handler
        self._clients: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(
                self._client, self._host, self._port, limit=REQUEST_BYTES_MAX
            )
        except OSError as error:
            raise EnvironmentFailure(
                f"{self._what} cannot listen on {self._shown(self._port)}: {error.strerror or error}",
                hint="choose another address; port 0 takes a free one",
            ) from None
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{self._shown(self._port)}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        if self._clients:
            await asyncio.wait(self._clients, timeout=CLOSE_MAX_S)
        for task in self._clients:
            task.cancel()
        if self._clients:
            await asyncio.wait(self._clients, timeout=CLOSE_MAX_S)

    def _shown(self, port: int) -> str:
        return f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its request to its end. Whatever a client does harms only itself."""
        task = asyncio.current_task()
        if task is None or len(self._clients) >= CLIENTS_MAX:
            writer.transport.abort()
            return
        self._clients.add(task)
        # Nothing is kept for a client beyond what it is being sent.
        writer.transport.set_write_buffer_limits(high=0)
        try:
            await self._serve(reader, writer)
            writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._clients.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_MAX_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            await _send(writer, _plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE), is_head=False)
            return
        request, headers = _parsed(head)
        if request is None:
            await _send(writer, _plain(HTTPStatus.BAD_REQUEST), is_head=False)
            return
        answer = refusal_of(headers, self._host) or await self._answer(request, headers, reader)
        if isinstance(answer, Answer):
            await _send(writer, answer, is_head=request.method == "HEAD")
            return
        await _write(writer, _head(HTTPStatus.OK, answer.content_type, {}, length=None))
        if request.method == "GET":
            async with contextlib.aclosing(answer.pieces()) as pieces:
                async for piece in pieces:
                    await _write(writer, piece)

    async def _answer(
        self, request: Request, headers: Mapping[str, str], reader: asyncio.StreamReader
    ) -> Answer | Stream:
        route = self._routes.get(request.path)
        if route is None and self._handler is not None:
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers or not length.isdecimal():
                return _plain(HTTPStatus.LENGTH_REQUIRED)
            if int(length) > BODY_BYTES_MAX:
                return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            async with asyncio.timeout(REQUEST_MAX_S):
                body = await reader.readexactly(int(length))
            return self._handler(replace(request, body=body))
        if request.method not in ("GET", "HEAD"):
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
        return _plain(HTTPStatus.NOT_FOUND) if route is None else route()


def refusal_of(headers: Mapping[str, str], listening_on: str) -> Answer | None:
    """Why a request is not answered: it names a host that is not ours, or comes from a page of elsewhere."""
    asked = headers.get("host", "")
    if _is_loopback(listening_on) and not _is_of_this_machine(asked, listening_on):
        return _plain(HTTPStatus.MISDIRECTED_REQUEST, "this server is asked by its address, or as localhost")
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{asked}":
        return _plain(HTTPStatus.FORBIDDEN, "pages of other servers are not answered")
    return None


def _is_of_this_machine(asked: str, listening_on: str) -> bool:
    """An address is never one that somebody else gave a name to; of names only our own are known to be ours."""
    host = asked.rpartition(":")[0] if not asked.endswith("]") and ":" in asked else asked
    host = host.removeprefix("[").removesuffix("]").lower()
    return host in ("localhost", listening_on.lower()) or _is_address(host)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _parsed(head: bytes) -> tuple[Request | None, dict[str, str]]:
    """The request, its body still to come, and headers by lower-case name; None where it is no request."""
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None, {}
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if colon and name.lower() in headers:
            return None, {}  # of two hosts, which one?
        if colon:
            headers[name.lower()] = value.strip()
    path, _, query = words[1].partition("?")
    return Request(words[0], path, query, b""), headers


def _plain(status: HTTPStatus, words: str = "", *, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(f"{words or status.phrase}\n".encode(), status=status, headers=headers or {})


def _head(status: HTTPStatus, content_type: str, headers: Mapping[str, str], *, length: int | None) -> bytes:
    fields = {"Content-Type": content_type, "Connection": "close", **_SAFE, **headers}
    if length is not None:
        fields["Content-Length"] = str(length)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        *(f"{name}: {text}" for name, text in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _send(writer: asyncio.StreamWriter, answer: Answer, *, is_head: bool) -> None:
    head = _head(answer.status, answer.content_type, answer.headers, length=len(answer.body))
    await _write(writer, head if is_head else head + answer.body)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Hand data over, at the pace at which the client reads.

    Raises:
        TimeoutError: it does not read.
    """
    writer.write(data)
    async with asyncio.timeout(SEND_MAX_S):
        await writer.drain()
