"""How connections end through the proxy, what happens without a service, and what is refused."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from integration.proxy.parties import Client, Service, message, proxied, run, until
from oracle.certificates import make_certificates
from oracle.mini_websocket import BINARY, CLOSE, encode_frame, read_head
from squall.errors import EnvironmentFailure, ScenarioError
from squall.proxy.flow import HELD_MAX
from squall.proxy.upstream import UpstreamSettings
from squall.scenario.faults import Blackhole, Delay, Latency


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def answered(port: int, request: bytes) -> tuple[str, bytes]:
    """First line and body of the answer to an HTTP request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        first, _ = await read_head(reader)
        return first, await reader.read()
    finally:
        writer.transport.abort()


def test_without_a_service_the_client_is_answered_502_and_the_proxy_lives_on() -> None:
    async def main() -> None:
        port = free_port()
        async with proxied(f"ws://127.0.0.1:{port}") as through:
            first, body = await answered(through.port, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert first == "HTTP/1.1 502 Bad Gateway"
            assert b"cannot be reached: Connection refused" in body
            [entry] = through.entries
            assert (entry.what, entry.connection, entry.fault) == ("refused", 1, "")
            assert "Connection refused" in entry.note
            async with Service(port).listening(), Client.connected(through.port) as client:
                client.send(message(1))
                assert (await client.read()).payload == message(1)
            assert through.proxy.refused == 1

    run(main)


def test_a_service_that_is_gone_resets_its_clients_and_the_log_says_so() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            async with Client.connected(through.port) as client, Client.connected(through.port) as other:
                for each in (client, other):
                    each.send(message(1))
                    await each.read()
                sock = service.says[0].get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                service.says[0].transport.abort()
                with pytest.raises(ConnectionResetError):
                    await client.read()
                other.send(message(2))
                assert (await other.read()).payload == message(2)
            assert through.deeds == {"upstream_lost": 1}
            assert through.entries[0].stream == 5

    run(main)


def test_a_client_that_resets_resets_the_service() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            async with Client.connected(through.port) as client:
                sock = client.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await until(lambda: bool(service.ends))
            assert service.ends == ["reset"]
            assert through.entries == []

    run(main)


def test_the_close_handshake_and_the_end_of_the_stream_pass() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url, Latency(delay=0.05)) as through:
            async with Client.connected(through.port) as client:
                client.send((1000).to_bytes(2), CLOSE)
                assert [each.close_code for each in await client.read_to_end()] == [1000]
            assert service.ends == ["eof"]
            await until(lambda: not through.proxy.connections)

    run(main)


def test_what_is_held_when_its_connection_is_reset_is_said_to_be_discarded() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url, Delay(delay=60)) as through:
            async with Client.connected(through.port) as client:
                client.send(message(7))
                await until(lambda: through.deeds["held"] == 1)
                sock = client.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await until(lambda: bool(service.ends))
            assert service.frames == []
            assert through.done("held") == through.done("discarded") == [7]

    run(main)


def test_an_answer_that_is_no_upgrade_passes_as_it_is() -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"
        )
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(page, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with proxied(f"ws://127.0.0.1:{port}", Delay()) as through:
                first, rest = await answered(through.port, b"GET / HTTP/1.1\r\n\r\n")
                assert first == "HTTP/1.1 103 Early Hints"
                assert rest == b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"

    run(main)


def test_a_client_that_does_not_read_holds_up_its_service_and_nobody_else() -> None:
    async def main() -> None:
        async with (
            Service().listening() as service,
            proxied(service.url) as through,
            Client.connected(through.port) as slow,
            Client.connected(through.port) as quick,
        ):
            slow.reader._transport.pause_reading()  # type: ignore[attr-defined]  # there is no other way
            writer = service.says[0]
            writer.write(encode_frame(BINARY, bytes(32 << 20)))
            await asyncio.sleep(0.1)
            unsent = writer.transport.get_write_buffer_size()
            assert unsent > 16 << 20  # the rest is in buffers of the kernel and, bounded, of the proxy
            quick.send(message(1))
            assert (await quick.read()).payload == message(1)

    run(main)


def test_what_waits_is_bounded_and_none_of_it_is_lost() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url, Blackhole()) as through:
            service.raw = bytearray()
            through.put()
            async with Client.connected(through.port) as client:
                through.put(Blackhole())
                size = 16 << 20
                client.send(bytes(size))
                room = through.proxy.hub.room
                await until(lambda: room.used > HELD_MAX)
                for _ in range(20):
                    await asyncio.sleep(0.005)
                    assert room.used <= HELD_MAX + (256 << 10)  # one read more than its bound
                assert not service.raw
                through.put()
                await until(lambda: len(service.raw or b"") == size + 14)

    run(main)


def test_a_proxy_that_is_full_says_so() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            through.proxy.connections_max = 1
            async with Client.connected(through.port):
                first, _ = await answered(through.port, b"GET / HTTP/1.1\r\n\r\n")
                assert first == "HTTP/1.1 503 Service Unavailable"
            assert through.deeds == {"refused": 1}

    run(main)


def test_tls_towards_the_service_is_verified_unless_it_is_told_not_to(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)

    async def main() -> None:
        tls = certificates.right.server_context()
        async with Service().listening(tls) as service:
            url = service.url.replace("ws://", "wss://")
            async with proxied(url, ca_file=certificates.ca) as through:
                async with Client.connected(through.port) as client:
                    client.send(message(1))
                    assert (await client.read()).payload == message(1)
                    client.send((1000).to_bytes(2), CLOSE)
                    assert [each.close_code for each in await client.read_to_end()] == [1000]
                    await until(lambda: not through.proxy.connections)
                assert through.entries == []
            async with proxied(url, verify=False) as through, Client.connected(through.port) as client:
                client.send(message(2))
                assert (await client.read()).payload == message(2)
            async with proxied(url) as through:
                first, body = await answered(through.port, b"GET / HTTP/1.1\r\n\r\n")
                assert first == "HTTP/1.1 502 Bad Gateway"
                assert b"certificate" in body
                assert through.deeds == {"refused": 1}

    run(main)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (UpstreamSettings(url="http://127.0.0.1"), "did you mean ws"),
        (UpstreamSettings(url="ws://127.0.0.1/path"), "only scheme, host and port"),
        (UpstreamSettings(url="ws://127.0.0.1/?a=b"), "only scheme, host and port"),
        (UpstreamSettings(url="ws://u:p@127.0.0.1"), "only scheme, host and port"),
        (UpstreamSettings(url="ws://127.0.0.1", verify=False), "certificates are for wss"),
        (UpstreamSettings(url="ws://127.0.0.1", ca_file="x"), "certificates are for wss"),
    ],
)
def test_an_upstream_that_is_none_is_refused(settings: UpstreamSettings, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        settings.check()
    assert "u:p" not in str(caught.value)


def test_certificates_that_cannot_be_read_are_named() -> None:
    async def main() -> None:
        with pytest.raises(EnvironmentFailure, match=r"certificates in /none\.pem"):
            async with proxied("wss://127.0.0.1", ca_file=Path("/none.pem")):
                pass

    run(main)
