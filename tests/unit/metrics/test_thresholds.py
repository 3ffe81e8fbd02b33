"""Thresholds judged on merged results, at the end and on the way."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import (
    a_run,
    connections,
    lost_worker,
    messages,
    phase,
    scenario,
    second,
    some_totals,
    times,
)
from squall.metrics.expressions import parse
from squall.metrics.thresholds import Monitor, judge_thresholds, measure
from squall.metrics.totals import Totals
from squall.record.verdicts import Judgement


def judgement(totals: Totals, metric: str, threshold: str, **settings: Any) -> Judgement:
    asked = scenario(thresholds=[{"metric": metric, "threshold": threshold} | settings])
    return judge_thresholds(asked.thresholds, totals)[0].judgement


def ramp_and_hold() -> Totals:
    """Slow in the ramp and the warm-up, quick in the hold."""
    return some_totals(
        second(0, connections(10), messages(10, phase=0, response_ms=[400] * 10)),
        second(1, messages(10, phase=1, response_ms=[300] * 10)),
        second(2, messages(10, phase=2, response_ms=[20] * 10)),
        second(3, messages(10, phase=2, response_ms=[30] * 10)),
        phases=[
            phase(0, "ramp_up", "ramp_up", 0, 1),
            phase(1, "warm_up", "sustained", 1, 2),
            phase(2, "hold", "sustained", 2, 4),
        ],
    )


@pytest.mark.parametrize(
    ("metric", "threshold", "figure", "truth"),
    [
        ("ws_response_time", "max<31", 30, "passed"),
        ("ws_response_time", "max<30", 30, "failed"),
        ("ws_response_time", "avg<=25", 25, "passed"),
        ("ws_response_time", "min>=20ms", 20, "passed"),
        ("ws_response_time", "p(100)<31", 30, "passed"),
        ("ws_response_time{phase:warm_up}", "med<200", 300, "failed"),
        ("ws_response_time{phase:ramp_up}", "max<401", 400, "passed"),
        ("ws_msgs_delivered", "count>=40", 40, "passed"),
        ("ws_msgs_delivered", "rate>=10", 10, "passed"),
        ("ws_msgs_delivered{phase:hold}", "rate>=10", 10, "passed"),
        ("ws_msgs_delivered{phase:hold}", "count>=21", 20, "failed"),
        ("ws_msgs_lost", "count==0", 0, "passed"),
        ("ws_connect_failed", "rate<0.01", 0, "passed"),
        ("ws_connections", "value>=10", 10, "passed"),
        ("ws_connections{phase:hold}", "min>=11", 10, "failed"),
        ("ws_connections", "avg==10", 10, "passed"),
        ("ws_connections", "max==10", 10, "passed"),
        ("ws_connection_stability", "rate>0.98", 1, "passed"),
    ],
)
def test_figures_are_those_of_the_phases_asked_for(
    metric: str, threshold: str, figure: float, truth: str
) -> None:
    found = judgement(ramp_and_hold(), metric, threshold)
    assert found.truth == truth
    assert found.figure == pytest.approx(figure, rel=0.004)


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [
        ("ws_ping", "p(95)<10"),
        ("ws_response_time{type:critical}", "p(95)<10"),
        ("ws_msgs_lost{phase:ramp_down}", "count==0"),
        ("ws_connections{phase:ramp_down}", "value==0"),
        ("ws_graceful_disconnections", "rate>0.99"),
    ],
)
def test_what_was_not_measured_is_unknown(metric: str, threshold: str) -> None:
    found = judgement(ramp_and_hold(), metric, threshold)
    assert (found.truth, found.figure) == ("unknown", None)


def test_before_the_first_interval_nothing_is_measured() -> None:
    assert judgement(Totals(["main"], [["message"]]), "ws_msgs_lost", "count==0").truth == "unknown"


def test_a_rate_over_no_time_is_not_measured() -> None:
    totals = some_totals(second(0, messages(1, phase=0)), phases=[phase(0, "ramp_up", "ramp_up", 1, 1)])
    assert judgement(totals, "ws_msgs_sent{phase:ramp_up}", "rate>0").truth == "unknown"


@pytest.mark.parametrize(
    ("lost", "unknown", "truth"), [(0, 0, "passed"), (0, 2, "unknown"), (2, 0, "failed"), (2, 2, "failed")]
)
def test_delivery_success_is_judged_by_its_interval(lost: int, unknown: int, truth: str) -> None:
    totals = a_run(messages(950, delivered=950 - lost - unknown, lost=lost, unknown=unknown))
    found = judgement(totals, "ws_delivery_success", "rate>0.999")
    assert found.truth == truth
    assert found.figure == pytest.approx((1000 - lost - unknown) / 1000)


def test_an_exceeded_window_leaves_delivery_unknown() -> None:
    totals = a_run(connections(0, window_exceeded=1))
    assert judgement(totals, "ws_delivery_success", "rate>0.999").truth == "unknown"
    assert judgement(totals, "ws_msgs_lost", "count==0").truth == "unknown"
    assert judgement(totals, "ws_response_time", "p(95)<200").truth == "passed"


def test_after_the_death_of_a_worker_events_are_a_lower_bound() -> None:
    totals = a_run(messages(0, duplicated=2), **lost_worker())
    assert judgement(totals, "ws_msgs_reordered", "count==0").truth == "unknown"
    assert judgement(totals, "ws_msgs_duplicated", "count==0").truth == "failed"
    assert judgement(totals, "ws_msgs_duplicated", "count<5").truth == "unknown"
    assert judgement(totals, "ws_msgs_lost", "count==0").truth == "passed"


def test_a_threshold_keeps_whether_it_is_required() -> None:
    assert judgement(a_run(), "ws_msgs_lost", "count==0", required=False).required is False


def test_a_run_without_a_hold_is_judged_on_all_it_has() -> None:
    totals = some_totals(
        second(0, messages(1, phase=0, response_ms=[40])), phases=[phase(0, "ramp_up", "ramp_up", 0, 1)]
    )
    assert judgement(totals, "ws_response_time", "max<50").truth == "passed"


def test_a_hold_in_which_nothing_came_back_is_unknown() -> None:
    totals = some_totals(
        second(0, messages(1, phase=0, response_ms=[40])),
        second(1, messages(5, phase=1, delivered=0)),
        phases=[phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 2)],
    )
    assert judgement(totals, "ws_response_time", "max<50").truth == "unknown"


def test_rulings_say_what_lag_of_our_own_could_change() -> None:
    blocked = messages(
        10, response_ms=[250] * 10, service_ms=[20] * 10, lag_ms=[230] * 10, unlagged=times(*[25] * 10)
    )
    totals = some_totals(second(0, blocked), phases=[phase(1, "hold", "sustained", 0, 1)])
    asked = scenario(
        thresholds=[
            {"metric": "ws_response_time", "threshold": "p(95)<200"},
            {"metric": "ws_msgs_delivered", "threshold": "rate>1"},
            {"metric": "ws_msgs_delivered", "threshold": "count>1"},
            {"metric": "ws_response_time", "threshold": "p(95)>1"},
        ]
    )
    latency, throughput, count, backwards = judge_thresholds(asked.thresholds, totals)
    assert (latency.judgement.truth, latency.without_pacer_lag) == ("failed", "passed")
    assert (latency.timed, latency.latency_limit_ms, latency.phases) == (True, 200, {1})
    assert (throughput.timed, throughput.latency_limit_ms) == (True, None)
    assert throughput.without_pacer_lag == throughput.judgement.truth
    assert count.timed is False
    assert backwards.latency_limit_ms is None


def monitored(totals: Totals, metric: str, threshold: str, **settings: Any) -> Judgement | None:
    bound = {"metric": metric, "threshold": threshold, "abortOnFail": True} | settings
    return Monitor(scenario(thresholds=[bound])).check(totals)


def test_a_crossed_threshold_stops_the_run_and_says_when() -> None:
    found = monitored(ramp_and_hold(), "ws_response_time", "p(95)<10")
    assert found is not None
    assert (found.truth, found.aborted) == ("failed", True)
    assert found.evidence.endswith("4 s into the run")


def test_only_thresholds_that_ask_for_it_stop_a_run() -> None:
    assert monitored(ramp_and_hold(), "ws_response_time", "p(95)<10", abortOnFail=False) is None
    assert monitored(ramp_and_hold(), "ws_response_time", "p(95)<500") is None


def test_a_threshold_is_not_looked_at_before_its_delay() -> None:
    assert monitored(ramp_and_hold(), "ws_response_time", "p(95)<10", delayAbortEval="5s") is None
    assert monitored(ramp_and_hold(), "ws_response_time", "p(95)<10", delayAbortEval="4s") is not None


def test_what_still_waits_for_its_outcome_stops_no_run() -> None:
    totals = some_totals(second(0, messages(10, delivered=2)))
    assert monitored(totals, "ws_delivery_success", "rate>0.999") is None
    totals.add(second(1, messages(0, lost=1)))
    assert monitored(totals, "ws_delivery_success", "rate>0.999") is not None


def test_latency_of_the_ramp_stops_no_run_that_is_to_hold() -> None:
    totals = some_totals(
        second(0, messages(1, phase=0, response_ms=[400])), phases=[phase(0, "ramp_up", "ramp_up", 0, None)]
    )
    bound = parse("ws_response_time", "max<50")
    assert measure(bound, totals, waits=True) is None
    assert measure(bound, totals) is not None
    assert monitored(totals, "ws_response_time", "max<50") is None
    assert monitored(totals, "ws_response_time{phase:ramp_up}", "max<50") is not None


def test_a_mean_is_judged_by_both_its_ends() -> None:
    waited = {"order_waited": 2, "order_wait_ns_sum": 500_000_000}
    known = judgement(a_run(messages(0, **waited)), "ws_ordering_latency", "avg<11")
    assert (known.truth, known.figure) == ("passed", 10)
    assert known.evidence == "avg = 10 ms of 50"
    part = a_run(messages(0, order_wait_unmeasured=1, **waited))
    some = judgement(part, "ws_ordering_latency", "avg<11")
    assert (some.truth, some.figure) == ("unknown", 10)
    assert some.evidence == "avg = 10 ms of 50, or more: not all was measured"
    assert judgement(part, "ws_ordering_latency", "avg<9").truth == "failed"
    assert judgement(some_totals(second(0)), "ws_ordering_latency", "avg<9").truth == "unknown"


def test_what_only_a_receiver_can_see_is_not_measured_where_there_is_none() -> None:
    totals = a_run(messages(0, duplicated=3))
    totals.unseen = frozenset({"main"})
    for metric in ("ws_msgs_duplicated", "ws_msgs_reordered", "ws_msgs_in_gaps"):
        assert judgement(totals, metric, "count==0").truth == "unknown"
        assert judgement(totals, f"{metric}{{population:main}}", "count==0").truth == "unknown"
    assert judgement(totals, "ws_duplicate_rate", "rate<0.5").figure is None
    assert judgement(totals, "ws_msgs_delivered", "count>0").truth == "passed"
