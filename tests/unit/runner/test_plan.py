"""The plan: phases that follow from each other, and what they need."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.engine.machine import Machine
from squall.engine.preflight import Destination
from squall.errors import PlanError
from squall.runner.plan import Plan, make_plan, phases_after, sends_in, settle_s, steered
from squall.runner.rules import Rules
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario

MACHINE = Machine(cores=4, files_max=None, ports=None, memory_bytes=None, addresses=frozenset())


def scenario(load: dict[str, Any] | None = None, **rest: Any) -> Scenario:
    given = {"target": "ws://service.example/", "load": load or {}} | rest
    return load_scenario(given).scenario


def plan(load: dict[str, Any] | None = None, **rest: Any) -> Plan:
    return make_plan(scenario(load, **rest), MACHINE)


def test_the_phases_in_order_with_their_levels() -> None:
    made = plan({"connections": 1000, "hold": "10s", "warm_up": "4s"})
    assert [(phase.name, phase.kind, phase.before, phase.spec.target) for phase in made.phases] == [
        ("ramp_up", "ramp_up", 0, 1000),
        ("warm_up", "sustained", 1000, 1000),
        ("hold", "sustained", 1000, 1000),
        ("ramp_down", "ramp_down", 1000, 0),
    ]
    assert [phase.duration_s for phase in made.phases] == [30, 4, 6, 5]
    assert made.duration_s == 45
    assert made.connections_peak == 1000
    assert made.workers == 4


def test_an_adaptive_ramp_is_planned_with_its_rules() -> None:
    ramp = {"kind": "adaptive", "interval": "2s", "stop_when": "ws_response_time: p(95)>200"}
    up, hold, _ = plan({"connections": 1000, "ramp_up": ramp}).phases
    assert up.rules is not None
    assert (up.rules.interval_s, up.spec.kind, up.duration_s) == (2, "adaptive", 30)
    assert [each.text for each in (*up.rules.slow_when, *up.rules.stop_when)] == [
        "average_latency>100",
        "ws_response_time: p(95)>200",
    ]
    assert hold.rules is None
    assert up.order(0, 0).phase.adaptive


@pytest.mark.parametrize(
    "silent",
    [{"traffic": {"during_ramp": False}}, {"traffic": {"rate": 0}}, {"exchange": "idle"}],
)
def test_a_condition_on_response_time_in_a_silent_ramp_names_connect_time(silent: dict[str, Any]) -> None:
    ramp = {"kind": "adaptive", "slow_when": "ws_response_time: p(95)>100"}
    with pytest.raises(PlanError, match="nothing is sent in the ramp") as caught:
        plan({"ramp_up": ramp}, **silent)
    assert "connect_time is ws_connecting" in caught.value.hint
    plan({"ramp_up": {"kind": "adaptive", "slow_when": "ws_connecting: p(95)>100"}}, **silent)
    plan({"ramp_up": {"kind": "adaptive"}}, **silent)  # average_latency is that of connecting, then


def test_every_mistake_in_conditions_is_named() -> None:
    ramp = {"kind": "adaptive", "slow_when": ["eror_rate>1", "ws_ping{phase:hold}: avg>1"]}
    with pytest.raises(PlanError, match=r"(?s)eror_rate>1: .*names no phase"):
        plan({"ramp_up": ramp})


def test_what_follows_a_ramp_starts_from_the_level_that_it_led_to() -> None:
    asked = scenario({"connections": 1000, "hold": "10s", "warm_up": "4s", "ramp_down": "exponential"})
    assert [(phase.name, phase.before, phase.spec.target) for phase in phases_after(asked, 312)] == [
        ("warm_up", 312, 312),
        ("hold", 312, 312),
        ("ramp_down", 312, 0),
    ]


def test_only_a_ramp_that_rises_is_steered() -> None:
    ramp = {"kind": "sequence", "parts": [{"to": 50}, {"to": 20}, {"to": 100}]}
    asked = scenario({"ramp_up": ramp})
    up = make_plan(asked, MACHINE).phases[0]
    with pytest.raises(PlanError, match="falls on its way"):
        steered(up, Rules(interval_s=5), asked)


def test_without_hold_and_warm_up_there_are_two_phases() -> None:
    assert [phase.name for phase in plan({"hold": 0}).phases] == ["ramp_up", "ramp_down"]


@given(
    st.integers(1, 5000),
    st.sampled_from(["constant", "linear", "exponential", "stepped"]),
    st.one_of(st.none(), st.floats(1, 1000)),
)
def test_each_phase_takes_over_from_the_one_before_and_the_last_ends_at_nothing(
    connections: int, kind: str, cap_hz: float | None
) -> None:
    made = plan({"connections": connections, "ramp_up": kind, "connect_rate_max": cap_hz})
    assert made.phases[0].before == 0
    assert made.phases[-1].spec.target == 0
    assert made.connections_peak == connections
    assert all(after.before == before.spec.target for before, after in pairwise(made.phases))


def test_a_cap_on_connects_goes_with_the_phases_that_connect() -> None:
    made = plan({"connections": 100, "ramp_up": "constant", "connect_rate_max": 10})
    assert [phase.connect_rate_max_hz for phase in made.phases] == [10, None, None]
    assert made.phases[0].duration_s == pytest.approx(9.9)


def test_only_the_ramp_up_tries_failed_connects_again() -> None:
    orders = [phase.order(number, 7) for number, phase in enumerate(plan({"connections": 10}).phases)]
    assert [order.retries for order in orders] == [True, False, False]
    assert [order.phase.id for order in orders] == [0, 1, 2]
    assert all(order.phase.start_ns == 7 and order.phase.end_ns is None for order in orders)
    assert "exponential" in orders[0].phase.words


def test_messages_are_level_times_rate() -> None:
    made = plan(
        {
            "connections": 100,
            "ramp_up": {"kind": "linear", "duration": 10},
            "hold": 20,
            "ramp_down": "constant",
        },
        traffic={"rate": 2},
    )
    assert made.messages_peak_hz == 200
    assert made.messages_total == pytest.approx(2 * (100 * 10 / 2 + 100 * 20), rel=0.02)


def test_populations_send_by_their_share_and_only_when_they_send() -> None:
    made = plan(
        {
            "connections": 100,
            "ramp_up": {"kind": "linear", "duration": 10},
            "hold": 20,
            "ramp_down": "constant",
        },
        populations=[
            {"name": "a", "weight": 3, "traffic": {"rate": 1, "during_ramp": False}},
            {"name": "b", "weight": 1, "exchange": "idle"},
        ],
    )
    assert made.messages_peak_hz == 75
    assert made.messages_total == 75 * 20
    a, b = made.scenario.populations
    assert [sends_in(a, phase) for phase in made.phases] == [False, True, True]
    assert not any(sends_in(b, phase) for phase in made.phases)


def test_a_message_count_per_session_bounds_the_total() -> None:
    made = plan({"connections": 100, "hold": 1000}, traffic={"messages_per_session": 5})
    assert made.messages_total == 500


def test_what_is_asked_of_the_machine() -> None:
    given = scenario(
        {"connections": 50},
        target={"url": ["ws://a/x", "wss://b:99/y"], "policy": "first", "source_addresses": ["127.0.0.1"]},
        engine={"workers": 2},
    )
    made = make_plan(given, MACHINE)
    assert made.demand.connections == 50
    assert made.demand.destinations == (Destination("a", 80, secure=False), Destination("b", 99, secure=True))
    assert made.demand.spread is False
    assert made.demand.source_addresses == ("127.0.0.1",)
    assert made.workers == 2
    assert settle_s(given.target) == 20


def test_shapes_that_cannot_follow_each_other_are_refused_by_name() -> None:
    parts = [
        {"to": 0, "ramp": {"kind": "constant", "duration": 1}},
        {"to": 100, "ramp": {"kind": "exponential", "duration": 1}},
    ]
    with pytest.raises(PlanError, match="ramp_up: part 2"):
        plan({"connections": 100, "ramp_up": {"kind": "sequence", "parts": parts}})


def test_thresholds_that_are_none_are_refused_all_at_once() -> None:
    with pytest.raises(PlanError) as caught:
        plan(thresholds={"ws_respons_time": "p(95)<200", "ws_response_time{phase:hodl}": "p(95)<200"})
    assert "did you mean" in caught.value.message
    assert "hodl" in caught.value.message


def test_a_bound_on_response_time_of_a_silent_ramp_is_refused_and_connect_time_named() -> None:
    bound = {"ws_response_time{phase:ramp_up}": "p(95)<200"}
    with pytest.raises(PlanError, match="ws_connecting"):
        plan(thresholds=bound, traffic={"during_ramp": False})
    assert plan(thresholds=bound).phases
    of_both = {"ws_response_time{phase:ramp_up,population:quiet}": "p(95)<200"}
    populations = [{"name": "quiet", "traffic": {"during_ramp": False}}, {"name": "loud"}]
    with pytest.raises(PlanError, match="ws_connecting"):
        plan(thresholds=of_both, populations=populations)
    assert plan(thresholds=bound, populations=populations).phases
    assert plan(thresholds={"ws_connecting{phase:ramp_up}": "p(95)<200"}, exchange="idle").phases


def test_a_plan_without_phases_is_that_of_a_caller_who_asks_for_them() -> None:
    made = Plan(scenario=scenario(), phases=(), demand=plan({"connections": 30}).demand, workers=1)
    assert (made.connections_peak, made.messages_peak_hz, made.messages_total, made.duration_s) == (
        30,
        30,
        0,
        0,
    )


def test_a_data_file_must_have_a_row_for_each_session_that_can_come(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("user\n" + "x\n" * 100)
    data = {"file": str(file)}
    plan({"connections": 100}, data=data)
    with pytest.raises(PlanError, match="101 sessions, and 100 rows"):
        plan({"connections": 101}, data=data)
    come = {"arrivals": "10/s", "hold": "1m"}
    with pytest.raises(PlanError, match="sessions, and 100 rows"):
        plan(come, data=data, sessions={"length": "2s"})
    plan(come, data={**data, "cycle": True}, sessions={"length": "2s"})
