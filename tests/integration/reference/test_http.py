"""Plain HTTP beside the WebSocket: health, metrics, refusals, and the name of the node that answers."""

from __future__ import annotations

import json
import signal
import time
from contextlib import ExitStack

from websockets.sync.client import connect


def samples(text: str) -> dict[str, float]:
    """Prometheus' text format as this service uses it: no labels."""
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {name.removeprefix("squall_reference_"): float(value) for name, value in rows}


def test_healthz_on_the_service_port_speaks_for_the_node(start, get) -> None:
    with start("--name", "alpha") as service, connect(service.url), connect(service.url):
        answer, body = get(service.port, "/healthz?verbose=1")
        said = json.loads(body)
        assert answer.status == 200
        assert answer.getheader("X-Squall-Node") == "alpha"
        assert answer.getheader("Connection") == "close"
        assert (said["node"], said["connections"], said["status"]) == ("alpha", 2, "ok")
        assert said["pid"] == service.nodes()[0].pid


def test_healthz_on_its_own_port_speaks_for_all(start, get, eventually) -> None:
    with start("--processes", "2", "--name", "beta") as service, ExitStack() as held:
        for _ in range(6):
            held.enter_context(connect(service.url))
        eventually(lambda: json.loads(get(service.health_port, "/healthz")[1])["connections"] == 6)
        answer, body = get(service.health_port, "/healthz")
        said = json.loads(body)
        assert answer.status == 200
        assert answer.getheader("X-Squall-Node") == "beta"
        assert said["pid"] == service.pid
        assert {each["pid"] for each in said["processes"]} == {node.pid for node in service.nodes()}
        assert sum(each["connections"] for each in said["processes"]) == 6


def test_health_answers_while_a_loop_stands_still_and_says_so(start, get, eventually) -> None:
    with start() as service:
        node = service.nodes()[0]
        node.suspend()
        try:
            eventually(lambda: get(service.health_port, "/healthz")[0].status == 503)
            said = json.loads(get(service.health_port, "/healthz")[1])
            assert said["status"] == "stalled"
            assert said["processes"][0]["beat_age_ms"] > 2000
        finally:
            node.send_signal(signal.SIGCONT)
        eventually(lambda: get(service.health_port, "/healthz")[0].status == 200)
        assert samples(get(service.port, "/metrics")[1])["loop_lag_max_seconds"] > 1


def test_metrics_of_any_process_sum_over_all(start, get, eventually) -> None:
    with start("--processes", "2") as service:
        answered = set()
        with ExitStack() as held:
            clients = [held.enter_context(connect(service.url, compression=None)) for _ in range(16)]
            for size, client in enumerate(clients):
                client.send(b"x" * size)
                client.recv(timeout=10)
                assert client.response is not None
                answered.add(client.response.headers["X-Squall-Node"])
            assert answered == {"reference-0", "reference-1"}
            expected = {
                "connections": 16,
                "connections_total": 16,
                "messages_received_total": 16,
                "messages_sent_total": 16,
                "bytes_received_total": sum(range(16)),
                "bytes_sent_total": sum(range(16)),
                "processes": 2,
            }
            for port in (service.port, service.health_port):
                eventually(lambda port=port: expected.items() <= samples(get(port, "/metrics")[1]).items())
            seen = {get(service.port, "/metrics")[0].getheader("X-Squall-Node") for _ in range(16)}
            assert seen == {"reference-0", "reference-1"}
        ended = expected | {"connections": 0}
        eventually(lambda: ended.items() <= samples(get(service.port, "/metrics")[1]).items())


def test_metrics_come_in_prometheus_text_format(service, get) -> None:
    answer, body = get(service.port, "/metrics")
    assert answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    for name in samples(body):
        assert f"# TYPE squall_reference_{name} {'counter' if name.endswith('_total') else 'gauge'}\n" in body
        assert f"# HELP squall_reference_{name} " in body


def test_one_process_counts_exactly_at_the_moment_it_is_asked(start, get) -> None:
    with start() as service, connect(service.url, compression=None) as client:
        for number in range(1, 6):
            client.send("ab")
            client.recv(timeout=10)
            counted = samples(get(service.port, "/metrics")[1])
            assert counted["messages_received_total"] == counted["messages_sent_total"] == number
            assert counted["bytes_received_total"] == counted["bytes_sent_total"] == 2 * number


def test_a_plain_get_elsewhere_is_refused_with_a_reason(service, get) -> None:
    asked = {"/": 426, "/nothing": 404}
    for path, status in asked.items():
        answer, body = get(service.port, path)
        assert answer.status == status
        assert answer.getheader("X-Squall-Node") == "reference"
        assert body.endswith(".\n")
    assert get(service.port, "/")[0].getheader("Upgrade") == "websocket"
    assert get(service.health_port, "/")[0].status == 404


def test_the_upgrade_names_the_node_on_any_path(service) -> None:
    for path in ("", "room/1?token=abc", "healthz"):
        with connect(service.url + path) as client:
            assert client.response is not None
            assert client.response.status_code == 101
            assert client.response.headers["X-Squall-Node"] == "reference"


def test_plain_answers_hold_no_connection_count(service, get) -> None:
    before = samples(get(service.port, "/metrics")[1])
    started = time.monotonic()
    for _ in range(20):
        assert get(service.port, "/healthz")[0].status == 200
    assert time.monotonic() - started < 10
    after = samples(get(service.port, "/metrics")[1])
    assert after["connections_total"] == before["connections_total"]
