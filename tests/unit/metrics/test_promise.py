"""The promise: which outcomes and events break it, and what cannot be judged since nobody sees it."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import a_run, connections, lost_worker, messages, scenario
from squall.metrics.promise import judge_promise
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.verdicts import Judgement
from squall.scenario.models import Tracking

BY_RECEIVER: dict[str, Any] = {"populations": [{"exchange": {"kind": "ack", "evidence": "receiver"}}]}
BY_ACK: dict[str, Any] = {"populations": [{"exchange": {"kind": "ack"}}]}
PUSH: dict[str, Any] = {"populations": [{"exchange": {"kind": "push", "sequence": "n"}}]}


def promised(promise: str, totals: Totals, **settings: Any) -> Judgement:
    (found,) = judge_promise(scenario(delivery={"promise": promise}, **settings), totals)
    assert (found.name, found.bound, found.source) == (f"promise: {promise}", "violations == 0", "promise")
    return found


def broken() -> Totals:
    """Three copies too many, and two messages lost, of which one had been acknowledged."""
    return a_run(messages(2, delivered=0, lost=2, acknowledged_lost=1, duplicated=3))


def test_where_nothing_is_promised_nothing_is_judged() -> None:
    assert judge_promise(scenario(), broken()) == []


@pytest.mark.parametrize(
    ("promise", "violations", "words"),
    [
        ("at-most-once", 3, "3 duplicated"),
        ("at-least-once", 1, "1 acknowledged and lost"),
        ("exactly-once", 4, "3 duplicated, 1 acknowledged and lost"),
    ],
)
def test_each_promise_is_broken_by_what_is_not_promised(promise: str, violations: int, words: str) -> None:
    found = promised(promise, broken(), **BY_RECEIVER)
    assert (found.truth, found.figure, found.evidence, found.required) == ("failed", violations, words, True)
    assert promised(promise, a_run(), **BY_RECEIVER).truth == "passed"


@pytest.mark.parametrize(
    ("promise", "settings", "figure"),
    [
        ("at-most-once", {}, 3),
        ("at-least-once", {}, None),
        ("exactly-once", {}, 3),
        ("at-most-once", BY_ACK, None),
        ("at-least-once", BY_ACK, None),
        ("exactly-once", BY_ACK, None),
        ("exactly-once", {"populations": [{"exchange": {"kind": "room"}}]}, 3),
    ],
)
def test_what_nobody_sees_is_not_measured_and_not_required(
    promise: str, settings: dict[str, Any], figure: int | None
) -> None:
    found = promised(promise, broken(), **settings)
    assert found.figure == figure
    assert (found.truth, found.required) == (("unknown", False) if figure is None else ("failed", True))


def test_with_confirmations_off_nothing_is_known_of_what_was_acknowledged() -> None:
    totals = broken()
    totals.tracking = Tracking(confirmations=False)
    assert promised("exactly-once", totals, **BY_RECEIVER).figure == 3
    assert promised("at-least-once", totals, **BY_RECEIVER).figure is None


def test_what_is_pushed_twice_breaks_it_as_well() -> None:
    totals = a_run(connections(0, pushed=10, push_sequenced=10, push_duplicated=2))
    found = promised("exactly-once", totals, **PUSH)
    assert (found.figure, found.evidence) == (2, "2 duplicated of what was pushed")
    assert promised("at-least-once", totals, **PUSH).truth == "unknown"
    assert promised("exactly-once", a_run(connections(0, pushed=10)), **PUSH).truth == "unknown"


def test_after_the_death_of_a_worker_none_is_unknown_and_one_is_a_failure() -> None:
    assert promised("exactly-once", a_run(**lost_worker())).truth == "unknown"
    assert promised("exactly-once", a_run(messages(0, duplicated=1), **lost_worker())).truth == "failed"


def test_an_exceeded_window_leaves_it_unknown() -> None:
    found = promised("exactly-once", a_run(connections(0, window_exceeded=2), messages(0, duplicated=1)))
    assert (found.truth, found.required) == ("unknown", True)
    assert found.evidence.endswith("the window of a stream was exceeded 2 times")


def test_it_is_one_line_of_the_verdict_and_decides_it() -> None:
    asked = scenario(delivery={"promise": "exactly-once"})
    verdict = judge(asked, a_run(messages(0, duplicated=3)))
    assert (verdict.outcome, verdict.exit_code) == ("failed", 99)
    assert verdict.reasons == ("failed: promise: exactly-once violations == 0 (3 duplicated)",)
    own_bounds = scenario(delivery={"promise": "exactly-once", "integrity": False})
    assert judge(own_bounds, a_run(messages(0, duplicated=3))).outcome == "passed"
