"""The bench's C programs do what they print, against each other and against an implementation not ours."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

BUILD = Path(__file__).parents[2] / "benchmarks" / "build.py"
WAIT_S = 30.0
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

Serving = Callable[..., AbstractContextManager[dict[str, Any]]]


@pytest.fixture(scope="module")
def programs() -> dict[str, Path]:
    spec = importlib.util.spec_from_file_location("squall_benchmarks_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    try:
        return {"client": build.floor_client(), "server": build.echo_server()}
    except build.NoCompilerError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def serving(programs: dict[str, Path]) -> Serving:
    @contextmanager
    def run(*options: str) -> Iterator[dict[str, Any]]:
        command = [str(programs["server"]), *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                yield json.loads(server.stdout.readline()) | {"process": server}
            finally:
                server.stdin.close()
                try:
                    server.wait(WAIT_S)
                except subprocess.TimeoutExpired:
                    server.kill()
                    raise

    return run


def client_command(program: Path, port: int, **options: float | str) -> list[str]:
    named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [str(program), f"--port={port}", *named]


def run_client(program: Path, port: int, **options: float | str) -> subprocess.CompletedProcess[str]:
    command = client_command(program, port, **options)
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_message_of_fifty_connections_comes_back(programs: dict[str, Path], serving: Serving) -> None:
    with serving() as server:
        done = run_client(programs["client"], server["port"], connections=50, rate=500, seconds=1)
    assert done.stderr == ""
    assert done.returncode == 0
    figures = json.loads(done.stdout)
    assert figures["sent"] == figures["received"] == 500
    assert (figures["not_sent"], figures["dropped"], figures["closed"]) == (0, 0, 50)
    assert figures["seconds"] >= 1
    assert figures["cpu_us_per_round_trip"] == pytest.approx(figures["cpu_s"] * 1e6 / 500, abs=2)
    assert 0 < figures["lag_p50_us"] <= figures["lag_p99_us"]
    assert figures["max_rss_kb"] > 0
    assert figures["connect_s"] > 0
    assert server["process"].returncode == 0


@pytest.mark.parametrize("payload", [0, 125, 126, 65535, 65536])
def test_frames_of_every_length_form_are_counted_once(
    programs: dict[str, Path], serving: Serving, payload: int
) -> None:
    with serving() as server:
        done = run_client(
            programs["client"], server["port"], connections=5, rate=200, seconds=0.5, payload=payload
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["received"] == 100


def test_several_processes_and_source_addresses_carry_one_run(
    programs: dict[str, Path], serving: Serving
) -> None:
    with serving("--processes", "2") as server:
        assert len(server["pids"]) == 2
        done = run_client(
            programs["client"], server["port"], connections=60, rate=600, seconds=0.5, per_source=20
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["received"] == 300
    assert not any(is_running(pid) for pid in server["pids"])


def test_the_server_ends_on_sigterm(serving: Serving) -> None:
    with serving() as server:
        server["process"].terminate()
        assert server["process"].wait(WAIT_S) == 0
    assert not any(is_running(pid) for pid in server["pids"])


def test_the_server_echoes_another_implementation(serving: Serving) -> None:
    with serving() as server, connect(f"ws://127.0.0.1:{server['port']}", max_size=None) as peer:
        for message in ("", "ünï", "x" * 125, "x" * 126, b"", b"\x00\xff" * 100, bytes(65536)):
            peer.send(message)
            assert peer.recv(WAIT_S) == message
        peer.send(["in ", "three ", "parts"])
        assert peer.recv(WAIT_S) == "in three parts"
        assert peer.ping(b"there?").wait(WAIT_S)
        peer.close(4001, "enough")
        assert peer.protocol.close_rcvd is not None
        assert (peer.protocol.close_rcvd.code, peer.protocol.close_rcvd.reason) == (4001, "enough")


def test_the_server_refuses_a_message_above_64_kib(serving: Serving) -> None:
    with serving() as server, connect(f"ws://127.0.0.1:{server['port']}") as peer:
        peer.send(bytes(65537))
        with pytest.raises(ConnectionClosed) as refused:
            peer.recv(WAIT_S)
    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == 1009


def test_the_server_refuses_unmasked_frames_and_what_is_no_upgrade(serving: Serving) -> None:
    with serving() as server:
        with socket.create_connection(("127.0.0.1", server["port"]), WAIT_S) as raw:
            raw.sendall(UPGRADE + b"\x82\x01x")
            answer = b"".join(iter(lambda: raw.recv(4096), b""))
        with socket.create_connection(("127.0.0.1", server["port"]), WAIT_S) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            refusal = b"".join(iter(lambda: raw.recv(4096), b""))
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer  # RFC 6455, section 1.3
    assert answer.endswith(b"\r\n\r\n\x88\x02\x03\xea")
    assert refusal.startswith(b"HTTP/1.1 400 ")


def test_the_server_stops_reading_from_a_peer_that_does_not_read_and_loses_nothing(serving: Serving) -> None:
    frame = b"\x82\xfe\x10\x00" + bytes(4) + bytes(range(256)) * 16  # 4,096 bytes under a mask of zeros
    flood = memoryview(frame * 10_000)
    with serving() as server, socket.create_connection(("127.0.0.1", server["port"]), WAIT_S) as raw:
        raw.sendall(UPGRADE)
        assert raw.recv(4096).endswith(b"\r\n\r\n")
        sent = 0
        while select.select([], [raw], [], 0.5)[1]:
            sent += raw.send(flood[sent : sent + 65536])
        assert 0 < sent < len(flood)
        expected = (sent // len(frame)) * (len(frame) - 4)
        received = bytearray()
        while len(received) < expected:
            received += raw.recv(65536)
    assert received == (frame[:1] + b"\x7e" + frame[2:4] + frame[8:]) * (sent // len(frame))


async def run_client_against(handler: Callable[[ServerConnection], Any], program: Path) -> tuple[int, str]:
    async with serve(handler, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        command = client_command(program, port, connections=5, rate=100, seconds=0.5, payload=200)
        client = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        async with asyncio.timeout(WAIT_S):
            out, _ = await client.communicate()
    assert client.returncode is not None
    return client.returncode, out.decode()


def test_the_client_satisfies_another_implementation(programs: dict[str, Path]) -> None:
    seen: list[str | bytes] = []
    closes: list[int | None] = []

    async def echo(peer: ServerConnection) -> None:
        await peer.ping()
        async for message in peer:
            seen.append(message)
            await peer.send([message[:50], message[50:]])
        closes.append(peer.close_code)

    code, out = asyncio.run(run_client_against(echo, programs["client"]))
    assert code == 0
    assert json.loads(out)["received"] == 50
    assert seen == [bytes(range(200))] * 50
    assert closes == [1000] * 5


def test_the_client_fails_when_a_connection_is_dropped(programs: dict[str, Path]) -> None:
    async def leave_after_three(peer: ServerConnection) -> None:
        for _ in range(3):
            await peer.send(await peer.recv())

    code, out = asyncio.run(run_client_against(leave_after_three, programs["client"]))
    figures = json.loads(out)
    assert code == 1
    assert figures["dropped"] == 5
    assert figures["closed"] == 0
    assert figures["received"] == 15
    assert figures["sent"] + figures["not_sent"] == 50


def test_the_client_names_what_is_wrong(programs: dict[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    refused = run_client(programs["client"], port, connections=1)
    assert refused.returncode == 1
    assert "Connection refused" in refused.stderr
    elsewhere = run_client(programs["client"], port, host="192.0.2.1", connections=2, per_source=1)
    assert elsewhere.returncode == 2
    assert "loopback" in elsewhere.stderr
