"""The small server over real sockets: what it answers, what it refuses, and clients that behave badly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from http import HTTPStatus

import pytest
import uvloop

from squall import http_server
from squall.errors import EnvironmentFailure, ExitCode
from squall.http_server import Answer, HttpServer, Request, Route, Stream

WAIT_S = 20.0


async def pieces() -> AsyncGenerator[bytes, None]:
    for piece in (b"one", b"two"):
        yield piece


ROUTES: dict[str, Route] = {
    "/": lambda: Answer(b"<p>here</p>", "text/html"),
    "/stream": lambda: Stream(pieces, "text/event-stream"),
}


def served(
    ask: Callable[[HttpServer], Awaitable[None]],
    routes: Mapping[str, Route] = ROUTES,
    address: str = "127.0.0.1:0",
) -> None:
    """Ask a server, on the loop that a run has."""

    async def main() -> None:
        async with HttpServer(address, routes, what="the page") as server:
            await asyncio.wait_for(ask(server), WAIT_S)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def port(server: HttpServer) -> int:
    return int(server.url.rsplit(":", 1)[1].rstrip("/"))


async def fetched(server: HttpServer, request: bytes) -> bytes:
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port(server))
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def get(path: str, *headers: str, method: str = "GET", host: str = "127.0.0.1") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_path_is_answered_whole_and_the_connection_closed() -> None:
    async def ask(server: HttpServer) -> None:
        answer = await fetched(server, get("/?at=1"))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert status(answer) == HTTPStatus.OK
        assert body == b"<p>here</p>"
        for line in (b"Content-Length: 11", b"Connection: close", b"X-Content-Type-Options: nosniff"):
            assert line in head
        assert (await fetched(server, get("/", method="HEAD"))).endswith(b"\r\n\r\n")

    served(ask)


def test_a_stream_goes_on_until_it_ends() -> None:
    async def ask(server: HttpServer) -> None:
        answer = await fetched(server, get("/stream"))
        assert answer.endswith(b"\r\n\r\nonetwo")
        assert b"Content-Length" not in answer

    served(ask)


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (get("/nothing"), HTTPStatus.NOT_FOUND),
        (get("/", method="POST"), HTTPStatus.METHOD_NOT_ALLOWED),
        (get("/", host="evil.example"), HTTPStatus.MISDIRECTED_REQUEST),
        (get("/", host="evil.example:80"), HTTPStatus.MISDIRECTED_REQUEST),
        (get("/", host="127.0.0.1.evil.example"), HTTPStatus.MISDIRECTED_REQUEST),
        (get("/", host=""), HTTPStatus.MISDIRECTED_REQUEST),
        (get("/", "Host: evil.example"), HTTPStatus.BAD_REQUEST),
        (get("/", "Origin: http://evil.example"), HTTPStatus.FORBIDDEN),
        (get("/", "Origin: null"), HTTPStatus.FORBIDDEN),
        (get("/", "Origin: http://127.0.0.1"), HTTPStatus.OK),
        (get("/", host="localhost:1"), HTTPStatus.OK),
        (get("/", host="[::1]:1"), HTTPStatus.OK),
        (b"rubbish\r\nHost: localhost\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (get("/", "X: " + "x" * 100_000), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    ],
)
def test_what_is_not_for_us_is_refused(request_bytes: bytes, expected: HTTPStatus) -> None:
    async def ask(server: HttpServer) -> None:
        assert status(await fetched(server, request_bytes)) == expected

    served(ask)


def test_beyond_loopback_any_name_of_ours_will_do() -> None:
    async def ask(server: HttpServer) -> None:
        assert status(await fetched(server, get("/", host="build-box.example:9464"))) == HTTPStatus.OK
        assert status(await fetched(server, get("/", "Origin: http://evil.example"))) == HTTPStatus.FORBIDDEN

    served(ask, address="0.0.0.0:0")


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    async def ask(server: HttpServer) -> None:
        with pytest.raises(
            EnvironmentFailure, match=rf"the page cannot listen on 127\.0\.0\.1:{port(server)}: "
        ) as e:
            async with HttpServer(f"127.0.0.1:{port(server)}", ROUTES, what="the page"):
                pass
        assert e.value.exit_code == ExitCode.ENVIRONMENT
        assert "port 0" in e.value.hint

    served(ask)


def test_a_host_that_is_not_ours_is_said() -> None:
    async def ask(_: HttpServer) -> None:
        with pytest.raises(EnvironmentFailure, match=r"cannot listen on 192\.0\.2\.1:0"):
            async with HttpServer("192.0.2.1:0", ROUTES, what="the page"):
                pass

    served(ask)


def test_a_client_that_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "REQUEST_MAX_S", 0.05)

    async def ask(server: HttpServer) -> None:
        assert await fetched(server, b"GET / HT") == b""

    served(ask)


def test_a_client_that_does_not_read_is_cut_off_and_costs_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "SEND_MAX_S", 0.2)
    made, ended = [0], asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                made[0] += 1
                yield b"x" * 1_000_000
        finally:
            ended.set()

    async def ask(server: HttpServer) -> None:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port(server)))
            client.sendall(get("/endless"))
            await ended.wait()
            assert made[0] < 20  # what the system's own buffers hold, and one

    served(ask, {"/endless": lambda: Stream(endless, "text/plain")})


def test_too_many_clients_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "CLIENTS_MAX", 1)

    async def ask(server: HttpServer) -> None:
        _, waiting = await asyncio.open_connection("127.0.0.1", port(server))
        waiting.write(b"GET")
        await asyncio.sleep(0)
        answer = b"?"
        with contextlib.suppress(ConnectionError):
            answer = await fetched(server, get("/"))
        assert answer in (b"", b"?")
        waiting.close()

    served(ask)


def test_the_end_waits_for_nobody_who_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "CLOSE_MAX_S", 0.05)

    async def forever() -> AsyncGenerator[bytes, None]:
        yield b"first"
        await asyncio.Event().wait()

    async def main() -> None:
        async with HttpServer(
            "127.0.0.1:0", {"/": lambda: Stream(forever, "text/plain")}, what="it"
        ) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port(server))
            writer.write(get("/"))
            assert await reader.readuntil(b"first")
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(main(), WAIT_S))


def handled(request: Request) -> Answer:
    """Says what was asked."""
    return Answer(f"{request.method} {request.path} {request.query} {request.body.decode()}".encode())


def test_a_handler_takes_what_is_no_route_with_its_body() -> None:
    async def ask(server: HttpServer) -> None:
        host = f"Host: 127.0.0.1:{port(server)}\r\n"
        for line, extra, body, expected in (
            ("PUT /things?a=b", "Content-Length: 4\r\n", "text", b"PUT /things a=b text"),
            ("DELETE /things/1", "", "", b"DELETE /things/1  "),
            ("GET /nothing", "", "", b"GET /nothing  "),
            ("GET /", "", "", b"<p>here</p>"),
        ):
            answer = await fetched(server, f"{line} HTTP/1.1\r\n{host}{extra}\r\n{body}".encode())
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"\r\n\r\n" + expected)
        for extra, status in (
            ("Content-Length: 999999999\r\n", b"413"),
            ("Content-Length: -1\r\n", b"411"),
            ("Transfer-Encoding: chunked\r\n", b"411"),
            ("Origin: http://evil.example\r\n", b"403"),
        ):
            answer = await fetched(server, f"PUT /things HTTP/1.1\r\n{host}{extra}\r\n".encode())
            assert answer.split(b" ")[1] == status
        assert (await fetched(server, f"PUT / HTTP/1.1\r\n{host}\r\n".encode())).split(b" ")[1] == b"405"

    async def main() -> None:
        async with HttpServer("127.0.0.1:0", ROUTES, what="the control", handler=handled) as server:
            await asyncio.wait_for(ask(server), WAIT_S)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
