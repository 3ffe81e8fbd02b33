"""The lines about faults: what explains what, and what none does, so that nobody has to look it up."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from squall.metrics.recovery import Recovery
from squall.metrics.summary_document import Acknowledgements, Faults, Percentiles
from squall.record.reconciliation import (
    Explanation,
    FaultAccount,
    FaultedErrors,
    Reconciliation,
    Unexplained,
)
from squall.reports.fault_words import fault_lines, not_sent_by
from unit.reports.reported import passed


def lines(*, retried: Percentiles | None = None, **found: Any) -> list[str]:
    _, summary = passed()
    acknowledgements = Acknowledgements(retry_recovery=retried or Percentiles())
    return fault_lines(
        msgspec.structs.replace(summary, faults=Faults(**found), acknowledgements=acknowledgements)
    )


def lost(total: int, explained: int, possible: int = 0, **by_fault: int) -> Explanation:
    return Explanation(
        outcome="lost",
        total=total,
        explained=explained,
        possible=possible,
        unexplained=total - explained - possible,
        basis="number",
        by_fault=by_fault,
    )


def test_a_run_without_faults_has_no_lines() -> None:
    assert lines() == []


def test_each_fault_says_what_it_did() -> None:
    account = [
        FaultAccount(name="drop", kind="drop", deeds={"dropped": 1234, "on": 1, "off": 1}),
        FaultAccount(name="hole", kind="blackhole", deeds={"on": 1}),
        FaultAccount(name="cut", kind="cut", deeds={"struck": 9}),
    ]
    assert lines(reconciliation=Reconciliation(faults=account), missed={"cut": 1}) == [
        "drop: dropped 1,234",
        "hole (blackhole): did nothing",
        "cut: struck 9 (1 were not connected)",
        "nothing was lost, late, duplicated or corrupted",
    ]


def test_what_is_explained_and_what_is_not() -> None:
    def said(each: Explanation, *more: Unexplained) -> list[str]:
        return lines(reconciliation=Reconciliation(outcomes=[each], unexplained=list(more)))

    assert said(lost(3, 3, drop=3)) == ["lost 3: all explained (3 by drop)"]
    assert said(lost(5, 2, 1, drop=2)) == ["lost 5: 2 explained (2 by drop), 1 possibly, 2 UNEXPLAINED"]
    assert said(lost(5, 4, drop=2)) == ["lost 5: 4 explained, 1 UNEXPLAINED"]
    streams = [Unexplained(stream=number, ranges=[(7, 8), (9, 12)]) for number in range(5)]
    assert said(lost(20, 0), *streams)[1:] == [
        *(f"unexplained: stream {number}, numbers 7, 9-11" for number in range(3)),
        "and of 2 more streams: see summary.json",
    ]


def test_drops_are_not_laid_at_the_targets_door_where_faults_ended_as_many() -> None:
    def said(dropped: int, ended: int) -> tuple[list[str], str]:
        found = Reconciliation(dropped=dropped, ended=ended)
        summary = msgspec.structs.replace(passed()[1], faults=Faults(reconciliation=found))
        return lines(reconciliation=found)[1:], not_sent_by(summary)

    words = (
        "connections dropped 1,200: faults ended as many connections, so that none need be the target's doing"
    )
    assert said(1200, 1201) == ([words], "a fault's or the target's doing")
    assert said(1200, 7) == (["connections dropped 1,200: faults ended 7 connections"], "the target's doing")
    assert said(1200, 0) == said(0, 7) == ([], "the target's doing")
    assert not_sent_by(passed()[1]) == "the target's doing"


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (9, 9, "all squall's own faults' doing, by count"),
        (4, 4, "4 squall's own faults' doing, by count"),
        (4, 6, "4 squall's own faults' doing, by count; up to 2 more may be, the log does not settle it"),
        (0, 6, "up to 6 may be, the log does not settle it"),
    ],
)
def test_how_many_errors_are_squalls_own_faults(least: int, most: int, words: str) -> None:
    errors = [
        FaultedErrors(step="open", kind="reset", count=7, least=0, most=7),
        FaultedErrors(step="upgrade", kind="closed", count=2, least=0, most=2),
    ]
    found = Reconciliation(errors=errors, errors_by_faults=least, errors_by_faults_most=most)
    assert lines(reconciliation=found)[1:] == [f"errors that count as the target's 9: {words}"]


def test_a_log_that_ends_early_is_said() -> None:
    assert (
        lines(reconciliation=Reconciliation(problems=["the proxy was killed"]))[-1] == "the proxy was killed"
    )


def test_recovery_and_how_faults_were_handled() -> None:
    hole = Recovery(name="hole", from_s=10.0, until_s=13.0, rate_before=100.0, p95_before_ms=2.0)
    early = Recovery(name="early", from_s=1.0, until_s=2.0, why="too early")
    assert lines(
        recoveries=[msgspec.structs.replace(hole, seconds=2.0), hole, early],
        retried=Percentiles(mean=120.0, p99=480.0, count=7),
        reconciliation=Reconciliation(),
        server_delay_handling=0.995,
        client_timeout_handling=1.0,
        not_sent=4,
    ) == [
        "nothing was lost, late, duplicated or corrupted",
        "hole (from 10 s to 13 s): all was as before after at most 2 s",
        "hole (from 10 s to 13 s): did not recover",
        "early (from 1 s to 2 s): recovery not measured, too early",
        "a message whose first time-out had expired was acknowledged after 120 ms on average, p99 480 ms",
        "delayed messages that ended well: 99.5 %",
        "sessions that fell silent and lost nothing: 100 %",
        "not sent because of a fault of squall's own sessions: 4",
    ]
