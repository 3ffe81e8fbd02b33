"""The plan in words, with sources, and the exit code where it does not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Squall = Callable[..., Any]
TEN_MISTAKES = """\
nmae: x
target: {url: http://a/, polcy: first}
load: {connections: many, hold: -1s, ramp_up: {kind: cubic}}
traffic: {rate: fast, format: morse}
delivery: {promise: always}
engine: {pacing_windw: 1ms}
"""


def test_a_plan_says_what_would_happen_and_where_it_comes_from(squall: Squall, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("target: ws://127.0.0.1:9/?key=verysecret\nload:\n  hold: 7s\n")
    called = squall(
        "plan",
        "s.yaml",
        "-c",
        "50",
        "-H",
        "Key: topsecret",
        environment={"SQUALL_TRAFFIC__RATE": "3/s"},
    )
    assert (called.code, called.err) == (0, "")
    assert "target: ws://127.0.0.1:9/?key=***" in called.out
    assert "load.connections = 50  (flag --connections)" in called.out
    assert "load.hold = 7.0  (s.yaml:3)" in called.out
    assert "populations[0].traffic.rate = 3.0  (environment SQUALL_TRAFFIC__RATE)" in called.out
    assert "load.reconnect.after_drop = False  (default)" in called.out
    assert "target.headers.Key = ***  (flag --header)" in called.out
    assert "this machine can carry it" in called.out
    assert "secret" not in called.out


def test_what_this_machine_cannot_carry_is_113_behind_the_plan(squall: Squall) -> None:
    called = squall("plan", "-t", "ws://127.0.0.1:9/", "-c", "1M", "--workers", "1", "--ramp-start", "1k")
    assert called.code == 113
    assert "load: 1,000,000 connections" in called.out
    assert "cannot carry" in called.err
    assert "hint: " in called.err
    assert "can carry it" not in called.out


def test_every_mistake_is_said_at_once(squall: Squall, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(TEN_MISTAKES)
    called = squall("plan", "s.yaml")
    assert called.code == 104
    assert "10 mistakes" in called.err
    assert 'nmae: unknown key; did you mean "name"?' in called.err
    assert called.out == ""


def test_a_threshold_that_is_not_understood_is_104(squall: Squall) -> None:
    called = squall("plan", "-t", "ws://a/", "--threshold", "ws_respose_time: p(95)<200")
    assert called.code == 104
    assert "ws_response_time" in called.err


def test_a_url_without_its_scheme_is_104(squall: Squall) -> None:
    called = squall("plan", "-t", "127.0.0.1:8080")
    assert called.code == 104
    assert "ws:// or wss://" in called.err


def test_a_plan_says_which_faults_there_are_and_when(squall: Squall) -> None:
    flags = [
        "--fault",
        "drop:0.01:direction=up",
        "--fault",
        "blackhole:at=10s:for=3s:name=hole",
        "--fault",
        "cut:0.1",
    ]
    called = squall("plan", "--target", "ws://127.0.0.1:9/", "--hold", "30s", *flags)
    assert called.code == 0, called.err
    assert "fault: drop of 0.01 of the messages towards the service, the whole run" in called.out
    assert "fault: hole (blackhole), from 10 s after the start of the hold for 3 s" in called.out
    assert (
        "fault: cut of 0.1 of the sessions, once each, from 0 s after the start of the hold to its end"
        in called.out
    )
    assert "in front of the target: 1 fault proxy" in called.out


def test_a_fault_outside_of_the_run_or_of_no_known_kind_is_refused(squall: Squall) -> None:
    outside = squall("plan", "--target", "ws://127.0.0.1:9/", "--hold", "30s", "--fault", "drop:at=40s")
    assert outside.code == 104
    assert "faults[0].at: drop would begin 40 s after the start of the hold of 30 s" in outside.err
    unknown = squall("plan", "--target", "ws://127.0.0.1:9/", "--fault", "dorp:0.1")
    assert unknown.code == 104
    assert 'did you mean "drop"?' in unknown.err
