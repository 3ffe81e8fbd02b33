"""When squall itself could have changed a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import a_run, lost_worker, messages, phase, scenario, second, some_totals, times
from squall.metrics.thresholds import judge_thresholds
from squall.metrics.totals import Totals
from squall.metrics.validity import assess
from squall.record.verdicts import Validity


def validity(totals: Totals, *bounds: str) -> Validity:
    asked = scenario(thresholds=[{"metric": "ws_response_time", "threshold": bound} for bound in bounds])
    return assess(totals, judge_thresholds(asked.thresholds, totals))


def late_run(late_s: int, *, of_s: int, lag_ms: float, in_ramp: bool = False) -> Totals:
    """`late_s` seconds in which squall sent late, then quiet ones."""
    seconds = []
    for index in range(of_s):
        lag = lag_ms if index < late_s else 0.2
        number = 0 if in_ramp and index < late_s else 1
        seconds.append(second(index, messages(10, phase=number, response_ms=[20] * 10, lag_ms=[lag] * 10)))
    return some_totals(
        *seconds, phases=[phase(0, "ramp_up", "ramp_up", 0, 0), phase(1, "hold", "sustained", 0, of_s)]
    )


def test_a_quiet_run_is_valid() -> None:
    assert validity(a_run(), "p(95)<200") == Validity(valid=True)


@pytest.mark.parametrize(
    ("late_s", "of_s", "lag_ms", "bounds", "valid"),
    [
        (3, 20, 21, ["p(95)<200"], False),
        (3, 20, 19, ["p(95)<200"], True),
        (2, 20, 21, ["p(95)<200"], True),
        (3, 60, 21, ["p(95)<200"], True),
        (4, 60, 21, ["p(95)<200"], False),
        (3, 20, 11, ["p(95)<200", "avg<100"], False),
        (3, 20, 6, ["avg<25"], False),
        (3, 20, 4, ["avg<25"], True),
    ],
)
def test_lag_counts_above_a_tenth_of_the_tightest_bound_in_enough_seconds(
    late_s: int, of_s: int, lag_ms: float, bounds: list[str], valid: bool
) -> None:
    assert validity(late_run(late_s, of_s=of_s, lag_ms=lag_ms), *bounds).valid is valid


def test_without_a_bound_on_latency_lag_is_a_warning() -> None:
    found = validity(late_run(5, of_s=20, lag_ms=6))
    assert found.valid
    assert "above 5 ms in 5 of 20 seconds" in found.warnings[0]


def test_lag_where_no_bound_is_judged_changes_nothing() -> None:
    assert validity(late_run(5, of_s=20, lag_ms=500, in_ramp=True), "p(95)<200").valid


def test_lag_of_the_peer_is_not_ours() -> None:
    blocked: Any = {"lag_ms": [900] * 10, "pacer_lag": times(*[0.3] * 10), "unlagged": times(*[910] * 10)}
    cell = messages(10, response_ms=[910] * 10, service_ms=[10] * 10, **blocked)
    totals = some_totals(
        *(second(index, cell) for index in range(10)), phases=[phase(1, "hold", "sustained", 0, 10)]
    )
    assert validity(totals, "p(95)<200").valid


def test_a_verdict_that_flips_without_our_lag_makes_the_run_invalid() -> None:
    cell = messages(10, response_ms=[201] * 10, service_ms=[199] * 10, lag_ms=[2] * 10)
    found = validity(some_totals(second(0, cell), phases=[phase(1, "hold", "sustained", 0, 1)]), "max<200")
    assert not found.valid
    assert found.reasons == (
        "ws_response_time max<200 is failed, and without squall's own lag it would be passed",
    )


def test_messages_that_squall_did_not_send_make_the_run_invalid() -> None:
    found = validity(a_run(messages(2, delivered=0, not_sent_squall=2)))
    assert found.reasons == ("2 messages were not sent by squall's own doing",)


def test_a_dead_worker_makes_the_run_invalid() -> None:
    found = validity(a_run(**lost_worker(3)))
    assert found.reasons == ("worker 3 died",)
    assert "1 seconds came without every worker's report" in found.warnings[0]
