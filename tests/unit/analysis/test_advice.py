from __future__ import annotations

from typing import Any

import pytest

from made_runs import a_run, connections, messages, scenario
from squall.analysis.advice import Findings, recommendations
from squall.metrics.alerts import Alert
from squall.metrics.leftovers import Leftovers
from squall.metrics.readiness import judge_readiness
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.reconciliation import Explanation, Outcome, Reconciliation
from squall.record.verdicts import Validity


def alert(name: str, raised_s: float = 10, cleared_s: float | None = 20, **figures: float) -> Alert:
    known = {"bound": 0.8, "figure": 0.9} | figures
    return Alert(name=name, raised_s=raised_s, cleared_s=cleared_s, **known)


SLOW = alert("connection_latency", bound=100, figure=143.21)
FULL = alert("cpu_usage", raised_s=15, cleared_s=None)
CLEAN = Leftovers(at_squall=0, at_target=0)
INVALID = Validity(valid=False, reasons=("pacer_lag p99 too high in 7 of 30 seconds",))


def advice(*alerts: Alert, **findings: Any) -> list[str]:
    return [each.advice for each in recommendations(Findings(alerts=alerts, **findings))]


def explained(outcome: Outcome, count: int) -> Explanation:
    """Of two."""
    return Explanation(
        outcome=outcome, total=2, explained=count, possible=0, unexplained=2 - count, basis="number"
    )


def of_run(totals: Totals, **settings: Any) -> Findings:
    left = settings.setdefault("left", CLEAN)
    verdict = judge(scenario(threshold_sets=["readiness"]), totals, left=left)
    return Findings(judgements=verdict.judgements, validity=verdict.validity, **settings)


def test_a_good_run_gives_no_advice() -> None:
    assert recommendations(of_run(a_run())) == ()
    assert recommendations(Findings()) == ()


def test_a_promise_that_is_broken_asks_by_what() -> None:
    asked = scenario(delivery={"promise": "exactly-once"})
    found = recommendations(Findings(judgements=judge(asked, a_run(messages(0, duplicated=2))).judgements))
    assert [each.evidence for each in found] == [
        ("failed: promise: exactly-once violations == 0 (2 duplicated)",)
    ]
    assert "repetition without a memory" in found[0].advice


def test_slow_while_the_processor_is_full_asks_for_more_processor() -> None:
    (found,) = recommendations(Findings(alerts=(SLOW, FULL), cpu_bound=0.8, cpu_while={SLOW: 0.7}))
    assert "more processor" in found.advice
    assert found.about == "target"
    assert found.evidence == (
        "alert connection_latency: 143 ms, above 100 ms, from 10 s to 20 s",
        "alert cpu_usage: 90 %, above 80 %, from 15 s to the end",
    )


def test_slow_at_another_time_than_full_are_two_advices() -> None:
    early = alert("connection_latency", raised_s=1, cleared_s=5, bound=100, figure=200)
    plan, wait = advice(early, FULL, cpu_bound=0.8, cpu_while={early: 0.7})
    assert "Plan for more processor" in plan
    assert "waits for" in wait


def test_slow_alone_says_something_only_where_the_processor_was_seen_not_to_be_full() -> None:
    (found,) = recommendations(Findings(alerts=(SLOW,), cpu_bound=0.8, cpu_while={SLOW: 0.4321}))
    assert "waits for" in found.advice
    assert found.evidence == (
        "alert connection_latency: 143 ms, above 100 ms, from 10 s to 20 s",
        "cpu_usage: at most 43.2 % meanwhile, its bound is 80 %",
    )
    assert advice(SLOW, cpu_bound=0.8) == [], "nobody looked while it was slow"
    assert advice(SLOW, cpu_while={SLOW: 0.4}) == [], "its alert is switched off"
    assert advice(SLOW, cpu_bound=0.8, cpu_while={SLOW: 0.81}) == [], "it was full at a look"


def test_what_squall_may_have_caused_is_not_laid_at_the_targets_door() -> None:
    (found,) = recommendations(
        Findings(alerts=(SLOW,), validity=INVALID, cpu_bound=0.8, cpu_while={SLOW: 0.4})
    )
    assert (found.about, found.evidence) == ("squall", INVALID.reasons)


def test_memory_has_its_own() -> None:
    assert ["memory limit" in each for each in advice(alert("memory_usage"))] == [True]


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        (a_run(connections(0, attempted=1, failed=1)), "why connects fail"),
        (a_run(connections(0, dropped=1)), "why connections end"),
        (a_run(messages(100, delivered=99, lost=1)), "Follow a lost message"),
        (a_run(messages(10, duplicated=1)), "several ways"),
        (a_run(messages(10, corrupted_body=1)), "checksums did not fit"),
        (a_run(messages(10, delivered=8, not_sent_target=2)), "read as fast as"),
        (a_run(connections(0, closed=1)), "answer close frames"),
    ],
)
def test_each_failure_has_its_advice_with_its_evidence(totals: Totals, said: str) -> None:
    (found,) = recommendations(of_run(totals))
    assert said in found.advice
    assert found.evidence
    assert all(each.startswith("failed: ") for each in found.evidence)


@pytest.mark.parametrize(
    ("totals", "most"),
    [
        (a_run(connections(0, dropped=2)), Reconciliation(dropped=2, ended=2)),
        (a_run(messages(100, delivered=98, lost=2)), Reconciliation(outcomes=[explained("lost", 2)])),
        (a_run(messages(10, corrupted_body=2)), Reconciliation(outcomes=[explained("corrupted", 2)])),
    ],
)
def test_what_faults_explain_in_whole_is_not_laid_at_the_targets_door(
    totals: Totals, most: Reconciliation
) -> None:
    assert recommendations(of_run(totals, faults=most)) == ()
    less = Reconciliation(dropped=2, ended=1, outcomes=[explained(each.outcome, 1) for each in most.outcomes])
    assert len(recommendations(of_run(totals, faults=less))) == 1


@pytest.mark.parametrize(
    ("left", "about"),
    [
        (Leftovers(at_squall=0, at_target=3), ["target"]),
        (Leftovers(at_squall=2, at_target=0), ["squall"]),
        (Leftovers(at_squall=2), ["squall"]),
        (Leftovers(at_squall=2, at_target=3), ["target", "squall"]),
        (Leftovers(at_squall=0), []),
    ],
)
def test_what_is_left_is_laid_at_the_door_of_the_end_where_it_is(left: Leftovers, about: list[str]) -> None:
    found = recommendations(of_run(a_run(), left=left))
    assert [each.about for each in found] == about
    assert all(left.in_words() in each.evidence[0] for each in found)


def test_an_alert_on_drops_is_evidence_beside_the_judgements() -> None:
    raised = alert("connection_drop_rate", bound=0.01, figure=0.05)
    (found,) = recommendations(of_run(a_run(connections(0, dropped=1)), alerts=(raised,)))
    assert [each.partition(" ")[0] for each in found.evidence] == ["failed:", "alert"]
    assert [each.about for each in recommendations(Findings(alerts=(raised,)))] == ["target"]


def test_what_was_not_measured_advises_nothing() -> None:
    rulings = judge_readiness(Totals(["main"], [["message"]]))
    assert {each.judgement.truth for each in rulings} == {"unknown"}
    assert recommendations(Findings(judgements=[each.judgement for each in rulings])) == ()
