"""Integrity: each condition can fail, and does so alone."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import a_run, connections, lost_worker, messages, scenario, second, some_totals
from squall.metrics.integrity import judge_integrity, only_holds
from squall.metrics.totals import Totals


def truths(totals: Totals, **settings: Any) -> dict[str, str]:
    found = judge_integrity(scenario(**settings), totals)
    assert all(each.source == "integrity" and each.required for each in found)
    return {each.name: each.truth for each in found}


def not_passed(totals: Totals, **settings: Any) -> dict[str, str]:
    return {name: truth for name, truth in truths(totals, **settings).items() if truth != "passed"}


def test_a_clean_run_passes() -> None:
    assert not_passed(a_run()) == {}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (messages(1, delivered=0, lost=1), {"none lost": "failed"}),
        (messages(1, delivered=0, unknown=1), {"none unknown": "unknown"}),
        (messages(1, delivered=0), {"none unknown": "unknown"}),
        (messages(0, reordered=1), {"none reordered": "failed"}),
        (messages(0, duplicated=1), {"none duplicated": "failed"}),
        (messages(0, corrupted_body=1), {"no body corrupted": "failed"}),
        (connections(0, corrupted_header=1), {"no header corrupted": "failed"}),
        (connections(0, unexpected=1), {"none unexpected": "failed"}),
        (connections(0, foreign=1), {}),
        (messages(1, delivered=0, not_sent_target=1), {"not sent by the target's doing": "failed"}),
        (messages(1, delivered=0, not_sent_squall=1), {}),
        (connections(0, dropped=1), {}),
    ],
)
def test_each_condition_fails_alone(extra: Any, expected: dict[str, str]) -> None:
    assert not_passed(a_run(extra)) == expected


def test_what_was_acknowledged_and_never_sent_counts_where_a_service_acknowledges() -> None:
    totals = a_run(connections(0, ack_unexpected=1))
    asked = {"exchange": {"kind": "ack"}}
    name = "none acknowledged that was never sent"
    assert not_passed(totals, populations=[asked]) == {name: "failed"}
    assert truths(a_run(), populations=[asked])[name] == "passed"
    assert name not in truths(totals)


@pytest.mark.parametrize(("not_sent", "truth"), [(9, "passed"), (10, "failed")])
def test_not_sent_by_the_target_may_be_under_a_thousandth(not_sent: int, truth: str) -> None:
    totals = a_run(messages(9_950, delivered=9_950 - not_sent, not_sent_target=not_sent))
    assert truths(totals)["not sent by the target's doing"] == truth


@pytest.mark.parametrize("promise", ["at-most-once", "at-least-once", "exactly-once"])
def test_where_a_promise_is_given_duplicates_are_told_there_alone(promise: str) -> None:
    totals = a_run(messages(0, duplicated=3))
    found = judge_integrity(scenario(delivery={"promise": promise}), totals)
    assert "none duplicated" not in {each.name for each in found}
    failed = [(each.name, each.figure, each.source) for each in found if each.truth == "failed"]
    assert failed == ([(f"promise: {promise}", 3, "promise")] if promise != "at-least-once" else [])


def test_a_run_without_a_connection_fails() -> None:
    totals = some_totals(second(0, connections(0, attempted=5, failed=5), held=0))
    found = truths(totals)
    assert found["connections established"] == "failed"
    assert found["messages delivered"] == "failed"
    assert found["not sent by the target's doing"] == "unknown"


def test_a_run_that_only_holds_fails_on_a_drop_and_asks_for_no_message() -> None:
    idle = {"populations": [{"exchange": {"kind": "idle"}}]}
    assert only_holds(scenario(**idle))
    assert not only_holds(scenario())
    quiet = some_totals(second(0, connections(5)))
    assert not_passed(quiet, **idle) == {}
    dropped = some_totals(second(0, connections(5, dropped=1)))
    assert not_passed(dropped, **idle) == {"no drop": "failed"}
    noisy = some_totals(second(0, connections(5, unexpected=1)))
    assert not_passed(noisy, **idle) == {"none unexpected": "failed"}


def test_an_exceeded_window_leaves_outcomes_unknown_and_damage_known() -> None:
    totals = a_run(connections(0, window_exceeded=2), messages(1, delivered=0, lost=1, corrupted_body=1))
    assert not_passed(totals) == {
        "none lost": "unknown",
        "none reordered": "unknown",
        "none duplicated": "unknown",
        "no body corrupted": "failed",
    }


def test_after_the_death_of_a_worker_no_event_is_unknown_and_one_is_a_failure() -> None:
    found = not_passed(a_run(messages(0, duplicated=1), **lost_worker()))
    assert found == {
        "none reordered": "unknown",
        "none duplicated": "failed",
        "no body corrupted": "unknown",
        "no header corrupted": "unknown",
        "none unexpected": "unknown",
    }


def test_a_scenario_may_replace_integrity() -> None:
    assert truths(a_run(messages(1, delivered=0, lost=1)), delivery={"integrity": False}) == {}


def test_order_is_judged_where_the_exchange_must_keep_it() -> None:
    request = {"kind": "request", "send": "{id}", "reply": {"field": "id"}}
    echo, free, ordered = (
        {"name": "main", "exchange": exchange}
        for exchange in ({"kind": "echo"}, request, {**request, "in_order": True})
    )
    totals = a_run(messages(0, reordered=1))
    for population, truth in ((echo, "failed"), (free, None), (ordered, "failed")):
        assert truths(totals, populations=[population]).get("none reordered") == truth
    both = some_totals(
        second(0, connections(5), messages(5), messages(5, population=1, reordered=2)),
        populations=["main", "other"],
        types=[["message"], ["message"]],
    )
    mixed = [echo, {**free, "name": "other"}]
    assert truths(both, populations=mixed)["none reordered"] == "passed"
    assert (
        truths(both, populations=[{**free, "name": "main"}, {**echo, "name": "other"}])["none reordered"]
        == "failed"
    )
