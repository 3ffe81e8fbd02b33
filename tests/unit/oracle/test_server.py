"""The lying server against plain clients that judge by checksums: their counts equal the log's truth.

The reader compares a frame with the message that it was made from; the clients here see bytes only. That both
come to the same figures shows that the log is complete and that the reader reads it right.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from oracle.certificates import Certificates, make_certificates
from oracle.envelope import BINARY, TEXT, build, looks_like_envelope, parse
from oracle.launch import Lying, lying_server
from oracle.reader import Counts, Truth
from oracle.wire_log import IN, OUT, read_log

CONNECTIONS = 12
MESSAGES = 80
QUIET_S = 0.15
"""How long a client waits for more before it closes; held frames leave the server within HOLD_MS."""
HOLD_MS = "20"
PATIENCE_S = 10.0
"""How long it waits for an arrival that is due."""


async def converse(
    url: str,
    opcode: int,
    stream: int,
    *,
    messages: int = MESSAGES,
    expected: int = 0,
    connection: ClientConnection | None = None,
) -> list[bytes]:
    """Send messages of three types, await ``expected`` arrivals and quiet, close; returns all arrivals."""
    arrivals: list[bytes] = []
    heard = asyncio.Event()

    async def listen(listening: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                arrivals.append(await listening.recv(decode=False))
                heard.set()

    own = connection or await connect(url, compression=None, ping_interval=None, max_queue=None)
    async with own, asyncio.TaskGroup() as group:
        group.create_task(listen(own))
        with contextlib.suppress(ConnectionClosed):
            for sequence in range(messages):
                await own.send(message(opcode, stream, sequence), text=opcode == TEXT)
                await asyncio.sleep(0.001)
        while await is_set_within(heard, QUIET_S if len(arrivals) >= expected else PATIENCE_S):
            heard.clear()
        await own.close()
    return arrivals


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def message(opcode: int, stream: int, sequence: int) -> bytes:
    return build(
        opcode=opcode,
        stream=stream,
        sequence=sequence,
        message_type=sequence % 3,
        type_sequence=sequence // 3,
        body=bytes(33 + (stream + sequence + place) % 90 for place in range(40)),
    )


def count_by_checksums(opcode: int, stream: int, arrivals: list[bytes]) -> Counts:
    """What a client can say of its arrivals without knowing what the server did."""
    counts = Counts()
    seen: set[int] = set()
    highest = -1
    for arrival in arrivals:
        envelope = parse(opcode, arrival)
        if envelope is None or not envelope.header_good:
            if looks_like_envelope(opcode, arrival):
                counts.corrupted_header += 1
            else:
                counts.unexpected += 1
        elif not envelope.body_good:
            counts.corrupted_body += 1
        elif envelope.stream != stream:
            counts.unexpected += 1
        else:
            counts.good_copies += 1
            if envelope.sequence in seen:
                counts.duplicated += 1
                continue
            seen.add(envelope.sequence)
            counts.delivered += 1
            counts.reordered += envelope.sequence < highest
            highest = max(highest, envelope.sequence)
    return counts


async def converse_with_all(url: str, opcode: int) -> dict[int, list[bytes]]:
    """Several clients at once; their arrivals by stream."""
    results = await asyncio.gather(*[converse(url, opcode, stream) for stream in range(CONNECTIONS)])
    return dict(enumerate(results))


def assert_equal_to_truth(truth: Truth, opcode: int, arrivals: dict[int, list[bytes]]) -> None:
    for stream, own in arrivals.items():
        counted = count_by_checksums(opcode, stream, own)
        shown = truth.by_stream[stream]
        for name in (
            "good_copies", "delivered", "duplicated", "reordered",
            "corrupted_header", "corrupted_body", "unexpected",
        ):  # fmt: skip
            assert getattr(counted, name) == getattr(shown, name), (stream, name)
        assert shown.received == MESSAGES
        assert shown.lost == MESSAGES - counted.delivered
        assert shown.unknown == 0


EVERY_LIE = [
    f"--{lie}={rate}"
    for lie, rate in {
        "lose": 0.05,
        "duplicate": 0.1,
        "swap": 0.1,
        "flip": 0.1,
        "truncate": 0.05,
        "extend": 0.03,
        "inject": 0.05,
        "cross": 0.05,
        "fragment": 0.2,
    }.items()
]


@pytest.mark.parametrize("opcode", [BINARY, TEXT])
@pytest.mark.parametrize("seed", ["1", "2"])
def test_clients_that_know_only_checksums_count_what_the_log_shows(
    tmp_path: Path, opcode: int, seed: str
) -> None:
    with lying_server(tmp_path / "log", "--seed", seed, "--hold-ms", HOLD_MS, *EVERY_LIE) as server:
        arrivals = asyncio.run(converse_with_all(server.url, opcode))
        truth = server.truth()
    assert_equal_to_truth(truth, opcode, arrivals)
    total = truth.total
    assert truth.connections_ended == {"client": CONNECTIONS}
    assert truth.bad_checksums_in == 0
    happened = (total.lost, total.duplicated, total.reordered, total.unexpected)
    assert min(*happened, total.corrupted_header, total.corrupted_body) > 0, "a lie that was never told"


def test_an_honest_server_delivers_everything_once_over_tls(
    tmp_path: Path, certificates: Certificates
) -> None:
    async def two_conversations(server: Lying) -> list[list[bytes]]:
        trust = certificates.client_context()
        connections = [await connect(server.url, ssl=trust, compression=None) for _ in range(2)]
        return await asyncio.gather(
            *[
                converse(server.url, BINARY, stream, connection=connection, expected=MESSAGES)
                for stream, connection in enumerate(connections)
            ]
        )

    with lying_server(tmp_path / "log", tls=certificates.right) as server:
        assert server.url.startswith("wss://")
        arrivals = asyncio.run(two_conversations(server))
        truth = server.truth()
    assert truth.total == Counts(received=160, good_copies=160, delivered=160)
    assert_equal_to_truth(truth, BINARY, dict(enumerate(arrivals)))


def test_a_close_in_the_middle_leaves_messages_unknown_and_none_lost(tmp_path: Path) -> None:
    lies = ("--close-after", "30", "--close-code", "1012", "--lose", "0.1", "--hold-ms", HOLD_MS)
    with lying_server(tmp_path / "log", *lies) as server:
        arrivals = asyncio.run(converse(server.url, BINARY, 0))
        truth = server.truth()
    counted = count_by_checksums(BINARY, 0, arrivals)
    assert truth.connections_ended == {"server": 1}
    assert truth.total.received >= 30
    assert (truth.total.lost, truth.total.delivered) == (0, counted.delivered)
    assert truth.total.unknown == truth.total.received - counted.delivered
    assert [event["code"] for event in closes(server.log)] == [1012]


def closes(log: Path) -> list[dict[str, object]]:
    events = [record.details for record in read_log(log) if record.kind not in {IN, OUT}]
    return [event for event in events if event["event"] == "close"]


def test_a_reset_reaches_the_client_as_one(tmp_path: Path) -> None:
    async def until_reset(url: str) -> BaseException | None:
        async with connect(url, compression=None) as connection:
            for sequence in range(5):
                await connection.send(message(BINARY, 0, sequence))
            try:
                while True:
                    await connection.recv()
            except ConnectionClosed as ended:
                return ended.__cause__

    with lying_server(tmp_path / "log", "--reset-after", "5") as server:
        cause = asyncio.run(until_reset(server.url))
        truth = server.truth()
    assert isinstance(cause, ConnectionResetError)
    assert truth.connections_ended == {"reset": 1}
    assert (truth.total.received, truth.total.delivered) == (5, 5)


def test_all_frames_are_late_by_the_delay_and_in_order(tmp_path: Path) -> None:
    with lying_server(tmp_path / "log", "--delay-ms", "50", "--duplicate", "0.3") as server:
        arrivals = asyncio.run(converse(server.url, BINARY, 0, messages=40, expected=40))
        truth = server.truth()
    records = list(read_log(server.log))
    delays_ms = [
        (record.at_ns - records[record.source].at_ns) / 1e6
        for record in records
        if record.kind == OUT and record.source is not None
    ]
    assert len(delays_ms) == len(arrivals)
    assert min(delays_ms) >= 49
    assert (truth.total.delivered, truth.total.reordered) == (40, 0)
    assert truth.total.duplicated > 0


def test_a_stalled_server_sends_nothing_for_the_time(tmp_path: Path) -> None:
    with lying_server(tmp_path / "log", "--stall-at", "0.02", "--stall-for", "0.1") as server:
        asyncio.run(converse(server.url, BINARY, 0, expected=MESSAGES))
        truth = server.truth()
    times = [record.at_ns for record in read_log(server.log) if record.kind in {IN, OUT}]
    longest = max(later - earlier for earlier, later in itertools.pairwise(times))
    assert longest >= 0.1e9
    assert truth.total.delivered == MESSAGES


def test_flips_that_keep_utf8_can_be_read_as_text(tmp_path: Path) -> None:
    with lying_server(tmp_path / "log", "--flip", "1", "--flip-keeps-utf8") as server:
        arrivals = asyncio.run(converse(server.url, TEXT, 0, expected=MESSAGES))
        truth = server.truth()
    assert len(arrivals) == MESSAGES
    assert all(arrival.decode() for arrival in arrivals)
    assert truth.total.corrupted_header + truth.total.corrupted_body + truth.total.unexpected == MESSAGES


def test_retyped_frames_have_the_other_opcode_and_the_same_bytes(tmp_path: Path) -> None:
    async def exchange(url: str) -> str | bytes:
        async with connect(url, compression=None) as connection:
            await connection.send(message(TEXT, 0, 0), text=True)
            return await connection.recv()

    with lying_server(tmp_path / "log", "--retype", "1") as server:
        arrival = asyncio.run(exchange(server.url))
        truth = server.truth()
    assert arrival == message(TEXT, 0, 0), "bytes, not the str of a text frame"
    assert truth.total == Counts(received=1, lost=1, corrupted_body=1)


def test_the_same_seed_tells_the_same_lies(tmp_path: Path) -> None:
    fates = []
    for name in ("first", "second"):
        lies = ("--seed", "7", "--lose", "0.2", "--flip", "0.2")
        with lying_server(tmp_path / name, *lies) as server:
            fates.append(asyncio.run(converse(server.url, BINARY, 0)))
    assert fates[0] == fates[1]
    assert len(fates[0]) < MESSAGES


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
def test_the_log_is_complete_and_clients_are_closed_when_the_server_is_told_to_end(
    tmp_path: Path, ending: str
) -> None:
    async def hold(server: Lying) -> int | None:
        async with connect(server.url, compression=None) as connection:
            await connection.send(message(BINARY, 0, 0))
            await connection.recv()
            if ending == "SIGTERM":
                os.kill(server.pid, signal.SIGTERM)
            await asyncio.to_thread(server.stop)
            await connection.wait_closed()
            return connection.close_code

    with lying_server(tmp_path / "log") as server:
        assert asyncio.run(hold(server)) == 1001
        truth = server.truth()
    assert truth.total == Counts(received=1, good_copies=1, delivered=1)
    assert truth.connections_ended == {"server": 1}


def test_it_runs_as_a_file_and_says_its_port_and_its_totals(tmp_path: Path) -> None:
    program = Path(__file__).parents[2] / "oracle" / "server.py"
    process = subprocess.Popen(
        [sys.executable, str(program), "--log", str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        asyncio.run(converse(f"ws://127.0.0.1:{port}", BINARY, 0, messages=3, expected=3))
        output, _ = process.communicate(timeout=20)
    assert json.loads(output) == {"connections": 1, "messages_in": 3}
    assert process.returncode == 0
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_a_wrong_option_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="did not start"), lying_server(tmp_path / "log", "--lie", "1"):
        pass
    assert "--lie" in capfd.readouterr().err


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))
