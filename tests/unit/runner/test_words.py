"""The plan in words says what counts, and no secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from squall.engine.machine import Machine
from squall.runner.plan import make_plan
from squall.runner.words import plan_lines, setting_lines
from squall.scenario.loader import Loaded, load_scenario

MACHINE = Machine(cores=4, files_max=None, ports=None, memory_bytes=None, addresses=frozenset())


def loaded(**given: Any) -> Loaded:
    return load_scenario({"target": "ws://service.example/", "load": {"connections": 1000}} | given)


def text(**given: Any) -> str:
    return "\n".join(plan_lines(make_plan(loaded(**given).scenario, MACHINE)))


def test_the_phases_stand_in_order_with_their_times() -> None:
    lines = text(load={"connections": 1000, "ramp_up": {"kind": "linear", "duration": "1m"}, "hold": "1h"})
    assert (
        "0:00:00 ramp_up: linear from 0 to 1,000 connections in 1 min; it lasts until all are held" in lines
    )
    assert "0:01:00 hold: constant at 1,000 connections for 1 h" in lines
    assert "1:01:00 ramp_down: linear from 1,000 to 0 connections" in lines
    assert "1:01:05 the last ones drain and close, at most 15 s" in lines


def test_an_adaptive_ramp_says_what_slows_and_stops_it() -> None:
    ramp = {
        "kind": "adaptive",
        "shape": "linear",
        "duration": "1m",
        "stop_when": ["error_rate>0.02", "ws_ping: max>9"],
    }
    assert (
        "linear from 0 to 1,000 connections in 1 min, slower while the target is slow; judged each 5 s,"
        " slower while average_latency>100, stops when error_rate>0.02 or ws_ping: max>9, at the latest"
        " after 4 min; it lasts until all are held" in text(load={"connections": 1000, "ramp_up": ramp})
    )


def test_traffic_sizes_types_and_totals() -> None:
    lines = text(traffic={"rate": "2/s", "payload": ["100", "1KiB"], "types": ["a", "b", "c"]})
    assert (
        "echo, 2/s a connection (uniform), binary, 100 B 0.5, 1 KiB 0.5; types: a 0.3333, b 0.3333" in lines
    )
    assert "messages: 2,000/s at the peak" in lines
    assert "the smallest has 100 B" in lines


def test_each_pattern_says_when_its_messages_are_due() -> None:
    burst = text(traffic={"pattern": "burst", "burst_size": 20, "burst_every": "2s"})
    assert "echo, 20 at once each 2 s a connection (uniform), binary" in burst
    assert "messages: 10,000/s at the peak, about" in burst
    on_reply = text(traffic={"pattern": "sequential", "reply_timeout": 2})
    assert "echo, the next on the reply, or after 2 s, binary" in on_reply
    assert "messages: at least 500/s at the peak, at least" in on_reply
    rated = text(traffic={"types": [{"name": "a", "rate": "3/s"}, {"name": "b", "rate": "1/s"}]})
    assert "echo, 4/s a connection (uniform)" in rated
    assert "types: a 0.75, b 0.25" in rated


def test_sessions_that_come_and_go_are_said_to() -> None:
    lines = text(
        load={"connections": 1000, "reconnect": {"after_drop": True, "rate_max": "100/s", "attempts_max": 9}},
        sessions={"length": {"mean": "30s", "distribution": "exponential"}, "think_time": "10s"},
    )
    assert "load: 1,000 connections at the peak, connects at 25/s while they are held, by" in lines
    assert (
        "reconnect: after each drop and failed connect, the pause drawn below 500 ms, doubling up to 5 s,"
        " at most 9 tries in a row, at most 100/s in all"
    ) in lines
    assert "each stays 30 s on average (exponential) and is away 10 s: 0.75 of them are here" in lines
    assert "messages: 750/s at the peak" in lines


def test_arrivals_say_what_they_lead_to() -> None:
    length = {"length": {"mean": "30s", "distribution": "exponential"}}
    given = {"target": "ws://service.example/", "load": {"arrivals": "50/s"}, "sessions": length}
    plan = make_plan(load_scenario(given).scenario, MACHINE)
    lines = "\n".join(plan_lines(plan))
    assert "load: new sessions at 50/s, which leads to 1,500 connections, at most about 1,655, by" in lines
    assert "until all are held" not in lines
    assert plan.demand.connections == 1655


def test_populations_say_their_share_and_who_waits_for_the_hold() -> None:
    lines = text(
        populations=[
            {"name": "talks", "weight": 3, "traffic": {"during_ramp": False, "messages_per_session": 7}},
            {"name": "waits", "exchange": "idle"},
        ]
    )
    assert "talks (3/4 of the connections): echo" in lines
    assert "7 messages a session" in lines
    assert "waits (1/4 of the connections): holds its connections, a ping every 5 s" in lines
    assert "no messages yet (talks)" in lines


def test_a_run_that_only_holds_sends_nothing() -> None:
    assert "messages: none" in text(exchange="idle")


def test_a_guarantee_is_said_to_be_judged() -> None:
    types = [{"name": "order", "guarantee": 0.999}, {"name": "quote"}]
    assert "judged: ws_delivery_success{type:order} rate>0.999" in text(traffic={"types": types})


def test_what_is_judged_is_said() -> None:
    assert "judged: integrity (exactly-once; lost after 10 s)" in text()
    lines = text(
        delivery={"integrity": False},
        thresholds={
            "ws_response_time": {"threshold": "p(95)<200", "abortOnFail": True, "delayAbortEval": "10s"},
            "ws_connecting": {"threshold": "p(95)<500", "required": False},
        },
        threshold_sets=["readiness"],
    )
    assert "integrity" not in lines
    assert "judged: ws_response_time p(95)<200 (ends the run when it fails after 10 s)" in lines
    assert "judged: ws_connecting p(95)<500 (not required)" in lines
    assert "judged: the threshold set readiness" in lines
    assert "judged: nothing" in text(delivery={"integrity": False})


def test_entry_points_source_addresses_and_unverified_certificates_are_said() -> None:
    lines = text(
        target={
            "url": ["wss://a/", "wss://b/"],
            "policy": "fail_over",
            "source_addresses": ["127.0.0.1", "127.0.0.2"],
            "tls": {"verify": False},
        }
    )
    assert "target: 2 entry points, fail over" in lines
    assert "from: 127.0.0.1, 127.0.0.2, in turn" in lines
    assert "NOT verified" in lines


def test_every_setting_is_shown_with_its_source() -> None:
    lines = setting_lines(loaded(traffic={"payload": [{"size": 256}]}))
    assert "load.connections = 1000  (code)" in lines
    assert "load.hold = 30.0  (default)" in lines
    assert "load.connect_rate_max = none  (default)" in lines
    [payload] = [line for line in lines if ".payload" in line]
    assert payload.endswith("(code)")


def test_without_phases_nothing_is_said_of_their_length() -> None:
    made = make_plan(loaded().scenario, MACHINE)
    lines = "\n".join(plan_lines(replace(made, phases=())))
    assert "phases: one after another, as they are asked for" in lines
    assert "messages: 1,000/s at the peak; the smallest has 128 B" in lines


def test_no_secret_is_shown() -> None:
    given = {
        "target": {
            "url": "wss://user:hunter2@service.example/?token=hunter2",
            "headers": {"authorization": "hunter2"},
        }
    }
    assert "hunter2" not in text(**given) + "\n".join(setting_lines(loaded(**given)))


def test_rooms_say_how_far_they_fan_out_and_what_their_account_takes_at_most() -> None:
    lines = text(exchange={"kind": "room", "size": 5}, traffic={"rate": "2/s"})
    assert (
        "main: room, 2/s a connection (uniform), to rooms of 5, 0.5 of them answers, binary, 128 B" in lines
    )
    assert (
        "rooms: up to 8,000/s are owed to members; 4,000 accounts of a publisher and a member take 2.86 MiB,"
        " and at most 781.25 MiB more where messages are missing" in lines
    )
    assert "rooms:" not in text()


def test_a_room_that_is_never_full_is_said() -> None:
    lines = text(load={"connections": 4}, exchange={"kind": "room", "size": 5})
    assert "rooms: one of 5 is never full with 4 connections" in lines


def test_memory_says_what_missing_messages_add() -> None:
    assert "848 KiB a connection of which 4,096 messages are missing" in text()
    assert "are missing" not in text(exchange="idle")
    assert "between two, binary, 128 B" in text(exchange="relay")
