"""The bounds on delivery that follow from a scenario, and how they come out."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import connections, messages, phase, scenario, second, some_totals
from squall.metrics.delivery_bounds import bounds_of, offered_hz, offered_messages
from squall.metrics.expressions import problems
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.scenario.models import Scenario

TYPES = [
    {"name": "message", "guarantee": 0.9, "max_latency": 0.05, "priority": "high"},
    {"name": "critical", "guarantee": 1, "max_latency": 0.5},
]


def asked(**settings: Any) -> Scenario:
    traffic = {"rate": 0.1, "types": TYPES, "messages_per_session": 4}
    keys = {"load": {"connections": 10, "hold": 2}, "populations": [{"traffic": traffic}]}
    return scenario(**(keys | {"threshold_sets": ["delivery"]} | settings))


def run(*cells: Any, of: int = 20) -> Totals:
    """A hold of forty seconds in which so many of each type came, all in time."""
    both = [messages(of, phase=1, type=kind, response_ms=[10.0] * of) for kind in (0, 1)]
    return some_totals(
        second(0, connections(10)),
        second(40, *both, *cells),
        phases=[phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 41)],
    )


def truths(totals: Totals, of: Scenario | None = None) -> dict[str, str]:
    verdict = judge(of or asked(), totals)
    return {
        f"{each.name} {each.bound}": each.truth for each in verdict.judgements if each.source == "threshold"
    }


def test_the_set_has_every_bound_of_a_delivery_test_by_type_and_over_all() -> None:
    assert [f"{each.metric} {each.threshold}" for each in bounds_of(asked())] == [
        "ws_delivery_success{type:message} rate>0.9",
        "ws_delivery_success{type:critical} rate>=1",
        "ws_response_time{type:message} avg<50",
        "ws_checksum_success{type:message} rate>0.9999",
        "ws_order_in_type{type:message} rate>0.999",
        "ws_response_time{type:critical} avg<500",
        "ws_checksum_success{type:critical} rate>0.9999",
        "ws_order_in_type{type:critical} rate>0.999",
        "ws_msgs_delivered count>39.6",
        "ws_system_throughput rate>0.9",
        "ws_duplicate_rate rate<0.001",
        "ws_out_of_order_rate rate<0.005",
        "ws_msgs_unexpected count==0",
    ]


def test_a_clean_run_holds_every_one() -> None:
    assert set(truths(run()).values()) == {"passed"}


@pytest.mark.parametrize(
    ("cell", "broken"),
    [
        (messages(2, phase=1, delivered=0, lost=2), set()),  # 20 of 22 are enough for 0.9
        (messages(1, phase=1, type=1, delivered=0, lost=1), {"ws_delivery_success{type:critical} rate>=1"}),
        (
            messages(5, phase=1, delivered=0, lost=5),
            {"ws_delivery_success{type:message} rate>0.9"},
        ),
        (
            messages(20, phase=1, response_ms=[100.0] * 20),
            {"ws_response_time{type:message} avg<50"},
        ),
        (
            messages(0, phase=1, type=1, corrupted_body=1),
            {"ws_checksum_success{type:critical} rate>0.9999"},
        ),
        (
            messages(0, phase=1, reordered=1, reordered_in_type=1),
            {"ws_order_in_type{type:message} rate>0.999", "ws_out_of_order_rate rate<0.005"},
        ),
        (messages(0, phase=1, reordered=1), {"ws_out_of_order_rate rate<0.005"}),
        (messages(0, phase=1, type=1, duplicated=1), {"ws_duplicate_rate rate<0.001"}),
        (connections(0, phase=1, unexpected=1), {"ws_msgs_unexpected count==0"}),
    ],
)
def test_each_bound_fails_by_its_own_fault(cell: Any, broken: set[str]) -> None:
    found = truths(run(cell))
    assert {name for name, truth in found.items() if truth == "failed"} == broken


def test_too_few_and_too_slow_fail_what_is_offered() -> None:
    found = {name for name, truth in truths(run(of=15)).items() if truth == "failed"}
    assert found == {"ws_msgs_delivered count>39.6", "ws_system_throughput rate>0.9"}


@pytest.mark.parametrize(
    ("in_all", "truth"), [(181, "passed"), (179, "unknown"), (145, "unknown"), (143, "failed")]
)
def test_a_throughput_is_judged_by_what_is_known_of_the_time_of_sending(in_all: int, truth: str) -> None:
    """Ten seconds are seen, of which sending took eight at the least: 90 % of 20 a second are 144 to 180."""
    phases = [phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 11)]
    totals = some_totals(second(0, connections(10)), second(10, messages(in_all, phase=1)), phases=phases)
    of = asked(populations=[{"traffic": {"rate": 2}}])
    assert truths(totals, of)["ws_system_throughput rate>18"] == truth


def test_a_throughput_of_a_moment_is_not_known() -> None:
    phases = [phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 2)]
    totals = some_totals(second(0, connections(10)), second(1, messages(1, phase=1)), phases=phases)
    verdict = judge(asked(populations=[{"traffic": {"rate": 2}}]), totals)
    (found,) = [each for each in verdict.judgements if each.name == "ws_system_throughput"]
    assert found.truth == "unknown"
    assert found.evidence == "1 or more, in so short a time, messages a second: 1 in 1 s"


def test_what_is_unknown_decides_a_guarantee_only_where_it_could() -> None:
    """Of 22, 2 unknown: between 0.909 and 1 all is above 0.9; of 23, 3 unknown: 0.87 to 1 is not."""
    name = "ws_delivery_success{type:message} rate>0.9"
    assert truths(run(messages(2, phase=1, delivered=0, unknown=2)))[name] == "passed"
    assert truths(run(messages(3, phase=1, delivered=0, unknown=3)))[name] == "unknown"


def test_a_guarantee_is_judged_in_every_run_and_the_rest_only_with_the_set() -> None:
    alone = asked(threshold_sets=[])
    assert list(truths(run(), alone)) == [
        "ws_delivery_success{type:message} rate>0.9",
        "ws_delivery_success{type:critical} rate>=1",
    ]
    assert not [each for each in bounds_of(scenario(threshold_sets=[])) if "success" in each.metric]


def test_what_is_not_tracked_is_listed_and_not_required() -> None:
    of = asked(delivery={"tracking": {"checksums": False, "sequence_numbers": False}})
    assert {each.metric for each in bounds_of(of) if not each.required} == {
        "ws_checksum_success{type:message}",
        "ws_checksum_success{type:critical}",
        "ws_order_in_type{type:message}",
        "ws_order_in_type{type:critical}",
        "ws_out_of_order_rate",
    }


def test_what_only_a_receiver_sees_is_not_required_where_the_service_only_acknowledges() -> None:
    populations = [{"exchange": {"kind": "ack"}, "traffic": {"types": TYPES}}]
    optional = {
        each.metric.partition("{")[0]
        for each in bounds_of(asked(populations=populations))
        if not each.required
    }
    assert optional == {"ws_order_in_type", "ws_duplicate_rate", "ws_out_of_order_rate"}
    seen = [{"exchange": {"kind": "ack", "evidence": "receiver"}, "traffic": {"types": TYPES}}]
    assert all(each.required for each in bounds_of(asked(populations=seen)))


def test_types_of_one_name_in_two_populations_are_judged_each_for_itself() -> None:
    own = {"name": "own", "guarantee": 0.9}
    two = [
        {"name": "a", "traffic": {"rate": 1, "types": [TYPES[0], own]}},
        {"name": "b", "traffic": {"rate": 1, "types": [TYPES[0] | {"guarantee": 0.99, "max_latency": 1}]}},
    ]
    of = asked(populations=two)
    assert [f"{each.metric} {each.threshold}" for each in bounds_of(of)][:6] == [
        "ws_delivery_success{population:a,type:message} rate>0.9",
        "ws_delivery_success{type:own} rate>0.9",
        "ws_delivery_success{population:b,type:message} rate>0.99",
        "ws_response_time{population:a,type:message} avg<50",
        "ws_checksum_success{population:a,type:message} rate>0.9999",
        "ws_order_in_type{population:a,type:message} rate>0.999",
    ]
    assert problems(bounds_of(of), of) == []
    totals = Totals(["a", "b"], [["message", "own"], ["message"]])
    totals.note(phase(0, "hold", "sustained", 0, 10))
    cells = [
        messages(20, population=0, delivered=19, lost=1),
        messages(20, population=1, delivered=19, lost=1),
    ]
    totals.add(second(10, *cells))
    found = truths(totals, of)
    assert found["ws_delivery_success{population:a,type:message} rate>0.9"] == "passed"
    assert found["ws_delivery_success{population:b,type:message} rate>0.99"] == "failed"


def test_of_two_populations_only_the_one_that_is_seen_must_be_in_order() -> None:
    two = [
        {"name": "seen", "traffic": {"rate": 1}},
        {"name": "unseen", "traffic": {"rate": 1}, "exchange": {"kind": "ack"}},
    ]
    required = {each.metric: each.required for each in bounds_of(asked(populations=two))}
    assert required["ws_order_in_type{population:seen,type:message}"]
    assert not required["ws_order_in_type{population:unseen,type:message}"]


def test_what_is_offered_follows_from_populations_and_counts_or_is_not_known() -> None:
    three = [
        {"name": "a", "weight": 2, "traffic": {"rate": 3, "messages_per_session": 5}},
        {"name": "b", "weight": 1, "traffic": {"pattern": "burst", "burst_size": 10, "burst_every": 2}},
        {"name": "c", "weight": 2, "exchange": {"kind": "idle"}},
    ]
    of = scenario(load={"connections": 10, "hold": 4}, populations=three)
    assert offered_messages(of) == 4 * 5 + 2 * 5 * 4
    assert offered_hz(of) == 4 * 3 + 2 * 5
    on_reply = {"traffic": {"pattern": "sequential", "messages_per_session": 3}}
    of = scenario(populations=[on_reply], load={"connections": 2})
    assert (offered_messages(of), offered_hz(of)) == (6, None)
    assert offered_messages(scenario(populations=[{"traffic": {"pattern": "sequential"}}])) is None
    arriving = scenario(load={"arrivals": 5}, populations=[{"sessions": {"length": {"mean": 2}}}])
    assert (offered_messages(arriving), offered_hz(arriving)) == (None, None)
    idle = scenario(populations=[{"exchange": {"kind": "idle"}}])
    assert (offered_messages(idle), offered_hz(idle)) == (None, None)
