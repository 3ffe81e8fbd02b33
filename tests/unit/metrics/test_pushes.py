"""What push exchanges count: figures, and integrity's judgements on them."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import a_run, connections, lost_worker, phase, scenario, second, some_totals, times
from squall.metrics.pushes import counts_pushes, judge_pushes, push_figures
from squall.metrics.summary_document import Percentiles
from squall.metrics.totals import Totals

PUSH = {"populations": [{"exchange": {"kind": "push", "sequence": "n"}}]}
WITHOUT = {"populations": [{"exchange": {"kind": "push"}}]}


def truths(totals: Totals, **settings: Any) -> dict[str, str]:
    return {each.name: each.truth for each in judge_pushes(scenario(**settings), totals)}


def pushed(**counts: int) -> Totals:
    return a_run(connections(0, **{"pushed": 100, "push_sequenced": 100, **counts}))


def test_a_run_without_pushes_is_not_judged_by_them() -> None:
    assert truths(a_run()) == {}
    assert [counts_pushes({"kind": kind}) for kind in ("push", "echo", "idle", "", "gone")] == [
        True,
        False,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("counts", "failed"),
    [
        ({}, set()),
        ({"pushed": 0, "push_sequenced": 0}, {"any pushed"}),
        ({"push_missing": 1}, {"none missing of what was pushed"}),
        ({"push_reordered": 1}, {"no push reordered"}),
        ({"push_duplicated": 1}, {"no push duplicated"}),
        ({"push_early": 5}, set()),
    ],
)
def test_each_condition_fails_alone(counts: dict[str, int], failed: set[str]) -> None:
    found = truths(pushed(**counts), **PUSH)
    assert {name for name, truth in found.items() if truth == "failed"} == failed
    assert len(found) == 4


def test_without_a_number_nothing_is_known_of_what_is_missing() -> None:
    found = judge_pushes(scenario(**PUSH), pushed(push_sequenced=0))
    assert [(each.truth, each.figure) for each in found] == [("passed", 100)] + [("unknown", None)] * 3
    assert "no message carried a number" in found[1].evidence
    assert truths(pushed(push_sequenced=0), **WITHOUT) == {"any pushed": "passed"}


@pytest.mark.parametrize("promise", ["at-least-once", "exactly-once"])
def test_where_a_promise_is_given_duplicates_are_told_there(promise: str) -> None:
    found = truths(pushed(push_duplicated=1), **PUSH, delivery={"promise": promise})
    assert "no push duplicated" not in found


def test_after_the_death_of_a_worker_no_event_is_unknown() -> None:
    totals = a_run(connections(0, pushed=100, push_sequenced=100, push_reordered=1), **lost_worker())
    assert truths(totals, **PUSH) == {
        "any pushed": "passed",
        "none missing of what was pushed": "unknown",
        "no push reordered": "failed",
        "no push duplicated": "unknown",
    }


def test_the_rate_is_that_of_the_hold_and_what_is_filled_is_missing_no_longer() -> None:
    phases = [phase(0, "ramp_up", "ramp_up", 0, 2), phase(1, "hold", "sustained", 2, 6)]
    delay = times(5, 7)
    totals = some_totals(
        second(0, connections(5, phase=0, pushed=50, push_sequenced=50, push_missing=3, push_gaps=1)),
        second(3, connections(0, phase=1, pushed=40, push_sequenced=40, push_missing=-1, push_reordered=1)),
        second(5, connections(0, phase=1, pushed=40, push_delay=delay, push_early=2)),
        phases=phases,
    )
    found = push_figures(totals, phases, Percentiles(p50=6, count=2))
    assert (found.received, found.per_s, found.sequenced) == (130, 20.0, 90)
    assert (found.missing, found.gaps, found.duplicated, found.reordered) == (2, 1, 0, 1)
    assert (found.delay.count, found.negative_delays) == (2, 2)


def test_without_a_stamp_there_is_no_delay_to_be_negative() -> None:
    found = push_figures(pushed(), [], Percentiles())
    assert found.negative_delays is None
