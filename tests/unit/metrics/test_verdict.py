"""Outcome, exit code and reasons from all that was judged and all that befell."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from made_runs import a_run, lost_worker, messages, scenario, second
from squall.errors import ExitCode
from squall.metrics.leftovers import Leftovers
from squall.metrics.thresholds import Monitor
from squall.metrics.verdict import judge
from squall.record.snapshots import Interval

TIGHT = {"metric": "ws_response_time", "threshold": "p(95)<10"}
WIDE = {"metric": "ws_response_time", "threshold": "p(95)<200"}
UNMEASURED = {"metric": "ws_ping", "threshold": "p(95)<10"}
OPTIONAL = {"required": False}


@pytest.mark.parametrize(
    ("thresholds", "extra", "outcome", "exit_code"),
    [
        ([WIDE], [], "passed", 0),
        ([WIDE, TIGHT], [], "failed", 99),
        ([WIDE, TIGHT | OPTIONAL], [], "passed", 0),
        ([UNMEASURED], [], "warning", 112),
        ([UNMEASURED | OPTIONAL], [], "passed", 0),
        ([UNMEASURED, TIGHT], [], "failed", 99),
        ([WIDE], [messages(1, delivered=0, lost=1)], "failed", 99),
        ([WIDE], [messages(1, delivered=0, unknown=1)], "warning", 112),
        ([WIDE], [messages(1, delivered=0, not_sent_squall=1)], "warning", 110),
        ([TIGHT], [messages(1, delivered=0, not_sent_squall=1)], "warning", 110),
        ([], [messages(2, delivered=0, not_sent_squall=1, lost=1)], "failed", 99),
    ],
)
def test_outcome_and_exit_code(
    thresholds: list[dict[str, Any]], extra: list[Any], outcome: str, exit_code: int
) -> None:
    verdict = judge(scenario(thresholds=thresholds), a_run(*extra))
    assert (verdict.outcome, verdict.exit_code) == (outcome, exit_code)
    assert (verdict.reasons == ()) == (outcome == "passed")


@pytest.mark.parametrize(
    ("befell", "exit_code"),
    [
        ([ExitCode.INTERRUPTED], 105),
        ([ExitCode.ENVIRONMENT], 111),
        ([ExitCode.INTERRUPTED, ExitCode.ENVIRONMENT], 111),
        ([ExitCode.BUG, ExitCode.USER_CODE], 1),
        ([ExitCode.PASSED], 0),
    ],
)
def test_what_befell_a_run_decides_the_exit_code(befell: Collection[ExitCode], exit_code: int) -> None:
    verdict = judge(scenario(), a_run(), befell=befell)
    assert verdict.exit_code == exit_code
    assert verdict.outcome == ("passed" if exit_code == 0 else "warning")


def test_an_interrupted_run_that_failed_is_both() -> None:
    verdict = judge(
        scenario(thresholds=[TIGHT]), a_run(), befell=[ExitCode.INTERRUPTED], stopped_by="interrupted"
    )
    assert (verdict.outcome, verdict.exit_code, verdict.stopped_by) == ("failed", 105, "interrupted")
    assert len(verdict.reasons) == 2


def test_in_an_invalid_run_latency_is_unknown_and_integrity_stands() -> None:
    totals = a_run(messages(1, delivered=0, lost=1), **lost_worker())
    count = {"metric": "ws_msgs_lost", "threshold": "count==0"}
    verdict = judge(scenario(thresholds=[TIGHT, WIDE, count]), totals)
    truths = {(each.name, each.bound): each.truth for each in verdict.judgements}
    assert not verdict.validity.valid
    assert truths["ws_response_time", "p(95)<10"] == truths["ws_response_time", "p(95)<200"] == "unknown"
    assert truths["ws_msgs_lost", "count==0"] == truths["none lost", "== 0"] == "failed"
    assert any("worker 1 died" in reason for reason in verdict.reasons)


def test_readiness_is_judged_where_it_is_asked_for() -> None:
    asked = judge(scenario(threshold_sets=["readiness"]), a_run(), left=Leftovers(at_squall=0, at_target=0))
    assert {"integrity", "readiness"} == {each.source for each in asked.judgements}
    assert (asked.outcome, asked.exit_code) == ("passed", 0)
    assert {each.source for each in judge(scenario(), a_run()).judgements} == {"integrity"}


def test_the_judgement_that_stopped_the_run_stands() -> None:
    asked = scenario(thresholds=[TIGHT | {"abortOnFail": True}])
    totals = a_run()
    aborted = Monitor(asked).check(totals)
    totals.add(a_later_second())
    verdict = judge(asked, totals, aborted=aborted, stopped_by="ws_response_time p(95)<10")
    assert [each for each in verdict.judgements if each.aborted] == [aborted]
    assert (verdict.outcome, verdict.exit_code) == ("failed", 99)


def a_later_second() -> Interval:
    """So many quick messages that the bound holds again."""
    return second(7, messages(2000, response_ms=[1] * 2000))
