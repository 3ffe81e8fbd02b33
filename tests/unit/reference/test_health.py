"""What health and metrics say about given figures."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from squall.reference.counters import NodeFigures
from squall.reference.health import (
    STALLED_AFTER_NS,
    HttpAnswer,
    metrics_text,
    node_health,
    path_of,
    refusal,
    service_health,
)

NOW_NS = 10**12
QUIET = NodeFigures(
    pid=7,
    beat_ns=NOW_NS,
    lag_ns=1_500_000,
    lag_max_ns=20_000_000,
    connections=3,
    connections_total=5,
    messages_received=100,
    messages_sent=99,
    bytes_received=1000,
    bytes_sent=990,
)
count = st.integers(min_value=0, max_value=10**12)
figures_of = st.builds(
    NodeFigures,
    pid=count,
    beat_ns=st.none() | count,
    lag_ns=st.none() | count,
    lag_max_ns=st.none() | count,
    connections=count,
    connections_total=count,
    messages_received=count,
    messages_sent=count,
    bytes_received=count,
    bytes_sent=count,
)


def said(answer: HttpAnswer) -> str:
    assert answer.response.body is not None
    return answer.response.body.decode()


def samples(answer: HttpAnswer) -> dict[str, float]:
    rows = (line.split() for line in said(answer).splitlines() if not line.startswith("#"))
    return {name.removeprefix("squall_reference_"): float(value) for name, value in rows}


def test_a_node_speaks_for_itself() -> None:
    assert json.loads(said(node_health("one", QUIET))) == {
        "status": "ok",
        "node": "one",
        "pid": 7,
        "connections": 3,
        "loop_lag_ms": 1.5,
    }


def test_every_answer_names_who_gave_it() -> None:
    answers = [
        node_health("n", QUIET),
        service_health("n", 1, [QUIET], NOW_NS),
        metrics_text("n", [QUIET]),
        refusal("n", 404, "No."),
    ]
    assert {answer.response.headers["X-Squall-Node"] for answer in answers} == {"n"}
    assert [int(answer.response.status) for answer in answers] == [200, 200, 200, 404]


def test_the_service_adds_its_nodes_up() -> None:
    body = json.loads(said(service_health("all", 1, [QUIET, replace(QUIET, pid=8, lag_ns=None)], NOW_NS)))
    assert (body["status"], body["connections"], body["pid"]) == ("ok", 6, 1)
    assert [each["pid"] for each in body["processes"]] == [7, 8]
    assert [each["loop_lag_ms"] for each in body["processes"]] == [1.5, None]


def test_a_loop_that_has_not_run_for_too_long_is_stalled() -> None:
    for age_ns, status, word in ((STALLED_AFTER_NS, 200, "ok"), (STALLED_AFTER_NS + 1, 503, "stalled")):
        answer = service_health("all", 1, [QUIET, replace(QUIET, beat_ns=NOW_NS - age_ns)], NOW_NS)
        body = json.loads(said(answer))
        assert (int(answer.response.status), body["status"]) == (status, word)
        assert body["processes"][1]["beat_age_ms"] == age_ns // 1_000_000


def test_a_node_that_has_not_run_yet_is_starting() -> None:
    answer = service_health("all", 1, [QUIET, replace(QUIET, beat_ns=None)], NOW_NS)
    body = json.loads(said(answer))
    assert (int(answer.response.status), body["status"]) == (503, "starting")
    assert body["processes"][1]["beat_age_ms"] is None


@given(st.lists(figures_of, min_size=1, max_size=6))
def test_counts_are_sums_and_lags_are_those_of_the_slowest(nodes: list[NodeFigures]) -> None:
    shown = samples(metrics_text("n", nodes))
    assert shown.pop("processes") == len(nodes)
    assert shown.pop("connections") == sum(node.connections for node in nodes)
    assert shown.pop("connections_total") == sum(node.connections_total for node in nodes)
    for field in ("messages_received", "messages_sent", "bytes_received", "bytes_sent"):
        assert shown.pop(f"{field}_total") == sum(getattr(node, field) for node in nodes)
    for field, metric in (("lag_ns", "loop_lag_seconds"), ("lag_max_ns", "loop_lag_max_seconds")):
        measured = [lag for node in nodes if (lag := getattr(node, field)) is not None]
        assert shown.pop(metric, None) == (max(measured) / 1e9 if measured else None)
    assert shown == {}


def test_a_query_is_no_part_of_the_path() -> None:
    class Request:
        path = b"/metrics?x=/healthz"

    assert path_of(Request()) == b"/metrics"
