"""What `/healthz` and `/metrics` answer, on the service's own port and on the health port.

A node answers on the service's port and is as slow as its loop; the parent answers on the health port, and
its loop carries nothing else, so that a node's lag is reported there instead of hiding the answer. Both
read the same counters. It knows picows' answers to plain HTTP requests, and no connection.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from squall.reference.counters import NodeFigures

__all__ = [
    "NODE_HEADER",
    "STALLED_AFTER_NS",
    "HttpAnswer",
    "metrics_text",
    "node_health",
    "path_of",
    "refusal",
    "service_health",
]

NODE_HEADER = "X-Squall-Node"
"""Names the node that answered, in every answer of ours: 101, 200, 404, 426, 503."""

STALLED_AFTER_NS = 2_000_000_000
"""A node whose loop has not run for this long is reported as stalled; ordinary lag stays far below."""

HttpAnswer = WSUpgradeResponseWithListener

_PLAIN = "text/plain; charset=utf-8"
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"

_SUMS = (
    ("connections", "gauge", "WebSocket connections held."),
    ("connections_total", "counter", "WebSocket connections accepted since the start."),
    ("messages_received", "counter", "Whole data messages received."),
    ("messages_sent", "counter", "Whole data messages handed to the transport."),
    ("bytes_received", "counter", "Payload bytes of the data messages received."),
    ("bytes_sent", "counter", "Payload bytes of the data messages handed to the transport."),
)
_LAGS = (
    ("lag_ns", "loop_lag_seconds", "Longest lateness of a loop's beat in the last second or two."),
    ("lag_max_ns", "loop_lag_max_seconds", "Longest lateness of a loop's beat since the start."),
)


def node_health(name: str, figures: NodeFigures) -> HttpAnswer:
    """A node's own word: its name, process, connections held and loop lag."""
    body = {
        "status": "ok",
        "node": name,
        "pid": figures.pid,
        "connections": figures.connections,
        "loop_lag_ms": _milliseconds(figures.lag_ns),
    }
    return _answer(HTTPStatus.OK, json.dumps(body) + "\n", name=name, content_type="application/json")


def service_health(name: str, pid: int, nodes: Sequence[NodeFigures], now_ns: int) -> HttpAnswer:
    """The parent's word on all nodes; 503 while one of them is starting or has stalled.

    `now_ns` is the monotonic clock's reading, comparable with the nodes' beats. `beat_age_ms` is the time
    since the node's loop last ran, which grows while a loop is too busy to report its own lag.
    """
    ages_ns = [None if figures.beat_ns is None else now_ns - figures.beat_ns for figures in nodes]
    processes = [
        {
            "pid": figures.pid,
            "connections": figures.connections,
            "loop_lag_ms": _milliseconds(figures.lag_ns),
            "beat_age_ms": _milliseconds(age_ns),
        }
        for figures, age_ns in zip(nodes, ages_ns, strict=True)
    ]
    word = _status_word(ages_ns)
    body = {
        "status": word,
        "node": name,
        "pid": pid,
        "connections": sum(figures.connections for figures in nodes),
        "processes": processes,
    }
    status = HTTPStatus.OK if word == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return _answer(status, json.dumps(body) + "\n", name=name, content_type="application/json")


def metrics_text(name: str, nodes: Sequence[NodeFigures]) -> HttpAnswer:
    """Prometheus' text format: counts summed over the nodes, the loop lag of the slowest node.

    A lag that no node has measured yet is left out.
    """
    lines = []
    for field, kind, meaning in _SUMS:
        metric = f"{field.removesuffix('_total')}_total" if kind == "counter" else field
        lines += _sample(metric, kind, meaning, str(sum(getattr(figures, field) for figures in nodes)))
    for field, metric, meaning in _LAGS:
        measured = [lag for figures in nodes if (lag := getattr(figures, field)) is not None]
        if measured:
            lines += _sample(metric, "gauge", meaning, f"{max(measured) / 1e9:.9f}")
    lines += _sample("processes", "gauge", "Processes that serve the port.", str(len(nodes)))
    return _answer(HTTPStatus.OK, "\n".join(lines) + "\n", name=name, content_type=_EXPOSITION)


def refusal(name: str, status: HTTPStatus, reason: str, headers: dict[str, str] | None = None) -> HttpAnswer:
    """An answer that says why there is no other."""
    return _answer(status, reason + "\n", name=name, content_type=_PLAIN, headers=headers)


def path_of(request: WSUpgradeRequest) -> bytes:
    """The path asked for, without its query."""
    return request.path.partition(b"?")[0]


def _answer(
    status: HTTPStatus, body: str, *, name: str, content_type: str, headers: dict[str, str] | None = None
) -> HttpAnswer:
    fields = {NODE_HEADER: name, "Content-Type": content_type, **(headers or {})}
    response = WSUpgradeResponse.create_ok_response(body.encode(), fields)
    response.status = status
    return WSUpgradeResponseWithListener(response, None)


def _sample(metric: str, kind: str, meaning: str, value: str) -> list[str]:
    full = f"squall_reference_{metric}"
    return [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}", f"{full} {value}"]


def _status_word(ages_ns: Sequence[int | None]) -> str:
    if any(age_ns is None for age_ns in ages_ns):
        return "starting"
    return "stalled" if any(age_ns is not None and age_ns > STALLED_AFTER_NS for age_ns in ages_ns) else "ok"


def _milliseconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else round(duration_ns / 1e6, 3)
