"""The summary: the promised keys, null where nothing was measured, and the identities."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from made_runs import (
    S,
    a_run,
    check,
    connections,
    lost_worker,
    messages,
    phase,
    scenario,
    second,
    some_totals,
    times,
)
from squall.metrics.summary import summarise
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.outcomes import Trouble
from squall.record.run import RunHeader
from squall.record.snapshots import Event, WorkerSample

DELIVERY = [
    "intended",
    "sent",
    "not_sent",
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "late",
    "recovered",
    "corrupted_body",
    "corrupted_header",
    "unexpected",
    "confirmed",
]
PERCENTILES = ["p50", "p90", "p95", "p99", "p999", "max", "mean"]
CONNECTIONS = ["attempted", "established", "failed", "closed", "dropped", "open", "pending", "peak"]


def header(**fields: Any) -> RunHeader:
    known: dict[str, Any] = {
        "format_version": 1,
        "run_id": "r",
        "name": "run",
        "squall_version": "0",
        "started_wall_ns": 1,
        "seed": 1,
        "run_number": 1,
        "scenario": scenario().model_dump(mode="json"),
        "populations": ["main"],
        "types": [["message", "critical"]],
        "plan": [],
        "environment": {},
    }
    return RunHeader(**(known | fields))


def document(totals: Totals, *, judged: bool = True, **fields: Any) -> dict[str, Any]:
    verdict = judge(scenario(), totals) if judged else None
    summary = summarise(header(**fields), list(totals.phases.values()), totals, verdict)
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(summary))
    return found


NOTHING = Totals(["main"], [["message", "critical"]])


@pytest.mark.parametrize("totals", [a_run(), NOTHING], ids=["a run", "nothing"])
def test_the_promised_keys_are_always_there(totals: Totals) -> None:
    found = document(totals)
    assert set(DELIVERY) == found["delivery"].keys()
    assert found["delivery_by_type"].keys() == {"message", "critical"}
    assert all(each.keys() == set(DELIVERY) for each in found["delivery_by_type"].values())
    for name in ("response", "service", "lag"):
        assert set(PERCENTILES) <= found["latency"][name].keys()
    assert set(CONNECTIONS) <= found["connections"].keys()
    assert {"outcome", "valid", "exit_code", "reasons"} <= found["verdict"].keys()


def test_nothing_measured_is_null_throughout() -> None:
    found = document(NOTHING, judged=False)
    measured = [found[part] for part in ("delivery", "connections", "verdict", "throughput", "not_sent")]
    assert {value for part in measured for value in part.values()} == {None}
    assert {found["latency"][part]["p99"] for part in ("response", "service", "lag")} == {None}
    assert found["duration_s"] is found["peak_latency_ms"] is found["window_exceeded"] is None


def test_the_label_of_the_environment_is_the_scenarios() -> None:
    assert document(a_run())["test_environment"] == ""
    labelled = scenario(test_environment="staging").model_dump(mode="json")
    assert document(a_run(), scenario=labelled)["test_environment"] == "staging"


def test_both_identities_hold() -> None:
    totals = a_run(
        messages(100, not_sent_target=3, not_sent_squall=2, delivered=80, lost=4, unknown=5),
        connections(20, attempted=30, failed=7, closed=4, dropped=2),
    )
    found = document(totals)
    for part in (found["delivery"], found["delivery_by_type"]["message"]):
        assert part["intended"] == sum(part[key] for key in ("not_sent", "delivered", "lost", "unknown"))
        assert part["sent"] == part["intended"] - part["not_sent"]
    part = found["connections"]
    assert part["attempted"] == sum(part[key] for key in ("established", "failed", "pending"))
    assert part["established"] == sum(part[key] for key in ("closed", "dropped", "open"))
    assert found["not_sent"] == {"target": 3, "squall": 2}
    assert found["delivery"]["unknown"] == 11, "those that have no outcome yet are among them"


def test_what_belongs_to_no_message_has_no_type() -> None:
    found = document(a_run(connections(0, corrupted_header=2, unexpected=3)))
    assert (found["delivery"]["corrupted_header"], found["delivery"]["unexpected"]) == (2, 3)
    by_type = found["delivery_by_type"]["message"]
    assert by_type["corrupted_header"] is by_type["unexpected"] is None


def test_latency_is_that_of_the_hold_after_its_warm_up() -> None:
    totals = some_totals(
        second(0, connections(1), messages(1, phase=0, response_ms=[900])),
        second(1, messages(1, phase=1, response_ms=[500])),
        second(2, messages(2, phase=2, response_ms=[20, 30]), messages(1, phase=2, type=1, response_ms=[40])),
        phases=[
            phase(0, "ramp_up", "ramp_up", 0, 1),
            phase(1, "warm_up", "sustained", 1, 2),
            phase(2, "hold", "sustained", 2, 3),
        ],
    )
    found = document(totals)
    assert found["latency_phases"] == ["hold"]
    assert (found["latency"]["response"]["max"], found["latency"]["response"]["mean"]) == (40, 30)
    assert found["latency_by_type"]["critical"]["response"]["max"] == 40
    assert found["latency_by_phase"]["ramp_up"]["response"]["max"] == 900
    assert found["peak_latency_ms"] == 900
    assert [each["peak_latency_ms"] for each in found["phases"]] == [900, 500, 40]


def test_a_run_without_a_hold_has_the_latency_of_all_of_it() -> None:
    totals = some_totals(
        second(0, messages(1, phase=0, response_ms=[70])), phases=[phase(0, "ramp_up", "ramp_up", 0, 1)]
    )
    found = document(totals)
    assert found["latency"]["response"]["max"] == 70
    assert found["latency_phases"] == ["ramp_up"]


def test_connecting_and_what_went_wrong_there() -> None:
    refused, reset = Trouble("connect", "refused", "target"), Trouble("open", "reset", "target")
    totals = a_run(
        connections(
            0,
            tls=times(5),
            ping=times(2),
            troubles=[(refused, 1), (reset, 4)],
            close_codes={1006: 4, 1000: 1},
        )
    )
    found = document(totals)
    assert found["connect"]["total"]["mean"] == 3
    assert found["connect"]["tls"]["count"] == 1
    assert found["connect"]["tcp"]["p50"] is None
    assert found["ping"]["max"] == 2
    assert [(each["kind"], each["count"]) for each in found["errors"]] == [("reset", 4), ("refused", 1)]
    assert found["close_codes"] == {"1000": 1, "1006": 4}


def test_throughput_is_per_second_of_sending() -> None:
    found = document(a_run())["throughput"]
    assert (found["sending_s"], found["sent_per_s"], found["delivered_per_s"]) == (5, 10, 10)


def test_reordering_has_its_extent_and_its_lateness() -> None:
    totals = a_run(
        messages(0, reordered=2, reorder_extent_sum=6, reorder_extent_max=5, reorder_late_ns_sum=8_000_000)
    )
    found = document(totals)["reordering"]
    assert (found["extent_mean"], found["extent_max"], found["late_mean_ms"]) == (3, 5, 4)
    assert set(document(a_run())["reordering"].values()) == {None}


def test_levels_are_those_of_the_sustained_phases() -> None:
    found = document(a_run(held=5, planned=10))["connections"]
    assert (found["peak"], found["held_last"]) == (10, 0)
    assert (found["held_mean"], found["stability"]) == (9, 0.9)


def test_populations_and_places_have_figures_of_their_own() -> None:
    totals = some_totals(
        second(0, connections(3, place=1), messages(4, population=1, place=1, response_ms=[9] * 4)),
        populations=["main", "other"],
        types=[["message"], ["message"]],
    )
    found = document(totals, populations=["main", "other"], types=[["message"], ["message"]])
    assert found["populations"]["other"]["delivery"]["intended"] == 4
    assert found["populations"]["main"]["delivery"]["intended"] == 0
    assert found["populations"]["main"]["connections"]["established"] == 3
    assert found["populations"]["main"]["connections"]["peak"] is None
    assert [(each["node"], each["delivered"]) for each in found["places"]] == [("a", 0), ("b", 4)]


def test_a_dead_worker_is_said() -> None:
    found = document(a_run(**lost_worker(2)))
    assert found["events_complete"] is False
    assert found["workers"]["lost"] == [2]
    assert found["verdict"]["valid"] is False
    assert found["verdict"]["exit_code"] == 110


def test_workers_are_added_up() -> None:
    samples = [
        WorkerSample(worker=number, rss_bytes=100, cpu_ns=2_000_000_000, loop_lag_max_ns=3_000_000)
        for number in range(2)
    ]
    found = document(some_totals(second(0, workers=samples)))["workers"]
    assert (found["count"], found["rss_max_bytes"], found["cpu_s"], found["loop_lag_max_ms"]) == (
        2,
        200,
        4,
        3,
    )
    assert set(document(some_totals(second(0)))["workers"].values()) == {None}


def test_evidence_is_the_reply_and_a_run_that_only_holds_has_none() -> None:
    idle = scenario(populations=[{"exchange": {"kind": "idle"}}]).model_dump(mode="json")
    assert document(a_run())["evidence"] == "reply"
    assert document(some_totals(second(0)), scenario=idle)["evidence"] is None


def test_judgements_are_listed_with_their_evidence() -> None:
    found = document(a_run())["verdict"]
    assert (found["outcome"], found["exit_code"], found["reasons"]) == ("passed", 0, [])
    first = found["judgements"][0]
    assert (first["name"], first["truth"], first["evidence"]) == (
        "connections established",
        "passed",
        "10 of 10 attempts",
    )


def test_checks_and_alerts_are_in_the_summary_and_null_where_there_were_none() -> None:
    totals = a_run()
    totals.checks.add(check(drops=2, drop_share=0.02))
    raised = Event(at_ns=S, kind="alert", text="", name="cpu_usage", figure=0.9, bound=0.8)
    totals.alerts.add(raised)
    found = document(totals)
    assert found["stability"] == {
        "checks": 2,
        "failed": 1,
        "drop_share_max": 0.02,
        "spike_share_max": 0.0,
        "failure_share_max": 0.0,
    }
    (alert,) = found["alerts"]
    assert alert == {"name": "cpu_usage", "bound": 0.8, "figure": 0.9, "raised_s": 1.0, "cleared_s": None}
    assert found["alert_counts"] == {"cpu_usage": 1}
    nothing = document(Totals(["main"], [["message"]]), judged=False)
    assert set(nothing["stability"].values()) == {None}
    assert (nothing["alerts"], nothing["alert_counts"]) == ([], {})


def test_pushes_misfits_and_openings_are_in_the_summary_and_null_without_any() -> None:
    cell = connections(0, pushed=7, push_sequenced=7, misfits={"x": 2, "not_json": 1}, opening=times(4))
    totals = a_run(cell)
    push = {"populations": [{"name": "main", "exchange": {"kind": "push"}}]}
    told = summarise(header(scenario=push), list(totals.phases.values()), totals, None)
    assert (told.push.received, told.push.missing) == (7, 0)
    assert told.populations["main"].push == told.push
    assert told.misfits == {"not_json": 1, "x": 2}
    assert told.connect.opening.count == 1
    silent = summarise(header(), list(totals.phases.values()), totals, None)
    assert (silent.push.received, silent.push.per_s, silent.push.missing) == (None, None, None)
