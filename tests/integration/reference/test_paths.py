"""What the service can do beside echoing, over real sockets, and its wire log of all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from service_wires import acknowledged, message, reading


@pytest.fixture(scope="module")
def logged(start, tmp_path_factory) -> Iterator[tuple[Any, Path]]:
    folder = tmp_path_factory.mktemp("wire") / "log"
    with start("--wire-log", str(folder)) as service:
        yield service, folder / "node-0.jsonl"


@pytest.fixture
def service(logged) -> Any:
    return logged[0]


def at(service: Any, path: str) -> ClientConnection:
    return connect(service.url.rstrip("/") + path, compression=None)


def assert_silent(connection: ClientConnection) -> None:
    """Nothing comes before the answer to a ping."""
    assert connection.ping().wait(10)
    with pytest.raises(TimeoutError):
        connection.recv(timeout=0)


def test_messages_are_acknowledged_and_retries_not_delivered_again(service) -> None:
    first, retry = message(sequence=1), message(sequence=1, attempt=2)
    with at(service, "/ack") as client:
        client.send(first)
        assert client.recv(timeout=10) == acknowledged(first)
        client.send('{"id": "a", "attempt": 2}')
        assert client.recv(timeout=10) == '{"ack": "a", "attempt": 2}'
        assert_silent(client)
    with at(service, "/ack/echo") as client:
        client.send(first)
        client.send(retry)
        got = [client.recv(timeout=10) for _ in range(3)]
        assert got == [acknowledged(first), first, acknowledged(retry)]
        assert_silent(client)


def test_a_push_is_tried_again_until_it_is_acknowledged(service) -> None:
    with at(service, "/push/acked?timeout=50&retries=14") as client:
        client.send(message(sequence=7))
        attempts = [reading(client.recv(timeout=10)).attempt for _ in range(3)]
        client.send(acknowledged(message(sequence=7)))
        assert attempts == [1, 2, 3]
        assert_silent(client)


def test_rooms_and_relays_hand_on_what_their_members_say(service) -> None:
    for path, others in (("/room", 3), ("/relay", 1)):
        with ExitStack() as stack:
            members = [stack.enter_context(at(service, path)) for _ in range(others + 1)]
            for number, member in enumerate(members, 1):
                member.send(json.dumps({"join": "x"}))
                assert json.loads(member.recv(timeout=10)) == {"joined": "x", "members": number}
            members[0].send(message(sequence=3))
            assert [member.recv(timeout=10) for member in members[1:]] == [message(sequence=3)] * others
            assert_silent(members[0])


def test_what_comes_in_one_segment_is_answered_by_priority(service) -> None:
    priorities = [1, 4, 2, 3, 4]
    payloads = [message(sequence=number, priority=priority) for number, priority in enumerate(priorities)]
    with at(service, "/priority") as client:
        frames = b"".join(b"\x82\xd0" + bytes(4) + payload for payload in payloads)
        client.socket.sendall(frames)
        got = [client.recv(timeout=10) for _ in payloads]
    assert [reading(each).sequence for each in got] == [1, 4, 3, 2, 0]


def test_a_query_that_makes_no_sense_is_refused_with_what_is_known(service) -> None:
    with pytest.raises(InvalidStatus) as refused:
        at(service, "/push/acked?retries=99")
    assert refused.value.response.status_code == 400
    assert refused.value.response.body == b"retries is a whole number from 0 to 14\n"


def test_the_wire_log_has_each_frame_in_order_and_no_query(logged, eventually) -> None:
    service, path = logged
    with at(service, "/logged?token=secret") as client:
        client.send(message())
        client.recv(timeout=10)
        client.ping(b"there?").wait(10)

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    def own() -> list[dict[str, Any]]:
        number = next((line["conn"] for line in lines() if line.get("path") == "/logged"), None)
        return [line for line in lines() if line["conn"] == number]

    eventually(lambda: any(line["what"] == "closed" for line in own()))
    assert [line["n"] for line in lines()] == list(range(1, len(lines()) + 1))
    found = own()
    times = [line.pop("at_ns") for line in found]
    assert times == sorted(times)
    whole = message().hex()
    said = [{key: value for key, value in line.items() if key not in {"n", "conn"}} for line in found]
    assert said == [
        {"what": "open", "path": "/logged"},
        {"what": "in", "op": "binary", "hex": whole},
        {"what": "out", "op": "binary", "hex": whole},
        {"what": "in", "op": "ping", "hex": b"there?".hex()},
        {"what": "out", "op": "pong", "hex": b"there?".hex()},
        {"what": "in", "op": "close", "hex": "03e8"},
        {"what": "out", "op": "close", "hex": "03e8"},
        {"what": "closed", "code": 1000},
    ]
    assert "secret" not in path.read_text()
