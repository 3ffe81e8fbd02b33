"""The set readiness: passes on a good run, and each bound can fail and can be unknown."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import S, a_run, check, connections, messages, phase, second, some_totals, times
from squall.metrics.leftovers import Leftovers
from squall.metrics.readiness import judge_readiness, ramp_failures
from squall.metrics.thresholds import Ruling
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.stability import StabilityCheck
from squall.scenario.watch import Watch


def truths(totals: Totals, **settings: Any) -> dict[str, str]:
    return {each.judgement.name: each.judgement.truth for each in judge_readiness(totals, **settings)}


UNWATCHED = {"target's peak memory", "target's peak processor"}


def test_a_good_run_passes_all_that_was_watched() -> None:
    found = truths(a_run(), left=Leftovers(at_squall=0, at_target=0))
    assert {name for name, truth in found.items() if truth != "passed"} == UNWATCHED


def test_what_was_not_watched_is_not_required() -> None:
    found = [each.judgement for each in judge_readiness(a_run())]
    missing = {each.name for each in found if each.figure is None}
    assert missing == UNWATCHED | {"nothing left behind"}
    assert not any(each.required for each in found if each.figure is None)


def watched(*shares: float, failed: int = 0) -> Totals:
    """A run with a look at the target in each second of the hold, the last ones of which failed."""
    totals = a_run(hold_s=20)
    for place, share in enumerate((*shares, *[None] * failed)):
        sample = ResourceSample(
            at_ns=(2 + place) * S, source="target", role="target", memory_share=share, cpu_share=share
        )
        totals.sampled(sample)
    return totals


def resources(totals: Totals, *sources: dict[str, Any]) -> list[tuple[str, bool]]:
    watch = Watch.model_validate({"target": sources})
    found = [each.judgement for each in judge_readiness(totals, watch=watch)]
    return [(each.truth, each.required) for each in found if each.name in UNWATCHED]


def test_a_watched_target_is_judged_by_its_peaks() -> None:
    assert resources(watched(0.2, 0.84), {"pid": 1}) == [("passed", True)] * 2
    assert resources(watched(0.2, 0.86), {"pid": 1}) == [("passed", True), ("failed", True)]
    assert resources(watched(0.91, 0.2), {"pid": 1}) == [("failed", True)] * 2


def test_a_target_that_was_to_be_watched_and_could_not_be_is_unknown() -> None:
    assert resources(watched(failed=5), {"port": 9}) == [("unknown", True)] * 2
    named = {"prometheus": "http://a/", "metrics": {"memory_share": "x"}}
    assert resources(watched(failed=5), named) == [("unknown", True), ("unknown", False)]


def test_a_command_that_told_its_shares_is_judged_and_one_that_did_not_is_not_required() -> None:
    assert resources(watched(0.5), {"command": "x"}) == [("passed", True)] * 2
    assert resources(watched(failed=2), {"command": "x"}) == [("unknown", False)] * 2


def test_a_peak_is_a_lower_bound_where_many_looks_failed() -> None:
    assert resources(watched(*[0.5] * 18, failed=2), {"pid": 1}) == [("passed", True)] * 2
    assert resources(watched(*[0.5] * 16, failed=4), {"pid": 1}) == [("unknown", True)] * 2
    assert resources(watched(*[0.95] * 16, failed=4), {"pid": 1}) == [("failed", True)] * 2


def slow_ramp() -> Totals:
    return some_totals(
        second(0, connections(10, connect=times(*[6000] * 10)), messages(5, phase=0, response_ms=[300] * 5)),
        second(1, messages(5, phase=1, response_ms=[150] * 5)),
        phases=[phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 2)],
    )


@pytest.mark.parametrize(
    ("totals", "name"),
    [
        (slow_ramp(), "average connect time"),
        (slow_ramp(), "peak latency"),
        (slow_ramp(), "ramp: average latency"),
        (a_run(connections(0, attempted=1, failed=1)), "ramp: connect success"),
        (slow_ramp(), "average latency"),
        (slow_ramp(), "final active connections"),
        (a_run(connections(0, attempted=1, failed=1)), "connect success"),
        (a_run(messages(100, delivered=99, lost=1)), "delivery"),
        (a_run(connections(0, dropped=1)), "connection drop rate"),
        (a_run(connections(0, closed=1)), "graceful disconnections"),
        (a_run(held=4, planned=10), "average active connections"),
        (a_run(held=4, planned=10), "connection stability"),
        (a_run(hold_s=0), "connections reached"),
    ],
)
def test_each_bound_can_fail(totals: Totals, name: str) -> None:
    if name == "connections reached":
        totals.note(phase(0, "ramp_up", "ramp_up", 0, 1, level=11))
    assert truths(totals)[name] == "failed"


def test_an_interval_of_a_ramp_says_what_it_does_not_hold() -> None:
    def ended(*cells: Any) -> list[tuple[str, float]]:
        ramp = [phase(0, "ramp_up", "ramp_up", 0, 9)]
        closed = some_totals(second(0, *cells), second(5), phases=ramp).ramp_checks.closed
        assert closed is not None
        return [(each.name, round(each.figure, 6)) for each in ramp_failures(closed)]

    assert ended(connections(10, connect=times(149))) == []
    assert ended(connections(97, failed=3), messages(2, phase=0, response_ms=[200, 200])) == [
        ("ramp: connect success", 0.97),
        ("ramp: average latency", 200.0),
    ]
    assert ended(connections(0, attempted=5)) == []


def test_what_is_left_behind_fails() -> None:
    for left in (
        Leftovers(at_squall=2, at_target=0),
        Leftovers(at_squall=0, at_target=2),
        Leftovers(at_squall=2),
    ):
        (found,) = [
            each.judgement for each in judge_readiness(a_run(), left=left) if "left" in each.judgement.name
        ]
        assert (found.truth, found.figure, found.evidence) == ("failed", 2, left.in_words())


def test_nothing_seen_at_one_end_is_not_nothing_left() -> None:
    (found,) = [
        each.judgement
        for each in judge_readiness(a_run(), left=Leftovers(at_squall=0))
        if "left" in each.judgement.name
    ]
    assert (found.truth, found.figure, found.required) == ("unknown", None, False)


def checked(*checks: StabilityCheck) -> Ruling:
    totals = a_run()
    for each in checks:
        totals.checks.add(each)
    return next(each for each in judge_readiness(totals) if each.judgement.name == "stability checks")


def test_a_stability_check_that_fails_fails_the_set() -> None:
    judgement = checked(check(index=1, drops=1, drop_share=0.01)).judgement
    assert (judgement.truth, judgement.figure, judgement.required) == ("failed", 1, True)
    assert judgement.evidence == "1 of 2 failed"


def test_checks_that_only_latency_failed_are_latencys_as_lag_could_have_done_that() -> None:
    spiked, dropped = check(spiked=9, spike_share=0.09), check(drops=1, drop_share=0.01)
    assert not checked().timed
    assert checked(spiked).timed
    assert not checked(spiked, dropped).timed


def test_nothing_measured_is_unknown_throughout() -> None:
    assert set(truths(Totals(["main"], [["message"]])).values()) == {"unknown"}


def test_the_peak_is_that_of_the_ramp_or_of_all_where_the_ramp_was_silent() -> None:
    assert truths(slow_ramp())["peak latency"] == "failed"
    assert truths(a_run(messages(5, response_ms=[900] * 5)))["peak latency"] == "failed"


def test_an_exceeded_window_leaves_delivery_unknown() -> None:
    assert truths(a_run(connections(0, window_exceeded=1)))["delivery"] == "unknown"


def test_latency_bounds_say_what_lag_could_change() -> None:
    rulings = {each.judgement.name: each for each in judge_readiness(a_run())}
    assert rulings["average latency"].latency_limit_ms == 100
    assert rulings["average latency"].phases == {1}
    assert rulings["peak latency"].latency_limit_ms == 200
    assert {name for name, each in rulings.items() if each.timed} == {
        "average connect time",
        "peak latency",
        "ramp: average latency",
        "average latency",
    }
