from __future__ import annotations

import msgspec
import pytest

from made_runs import S, check, phase, second
from squall.metrics.stability import CHECKS_KEPT, CheckTotals, StabilityWatch, failures, stability_event
from squall.record.snapshots import CheckCell, Interval
from squall.scenario.monitoring import Stability, Tolerances

DRAIN = 10 * S
HOLD = phase(1, "hold", "sustained", 1, None)


def watch(interval_s: float = 30, end_s: float | None = None) -> StabilityWatch:
    made = StabilityWatch(DRAIN)
    made.begin(HOLD, Stability(check_interval=interval_s))
    if end_s is not None:
        made.end(msgspec.structs.replace(HOLD, end_ns=round(end_s * S)))
    return made


def at(end_s: float, *cells: CheckCell, complete: bool = True) -> Interval:
    return second(round(end_s) - 1, at_ns=round(end_s * S), checks=list(cells), complete=complete)


def test_what_workers_counted_adds_up_to_shares() -> None:
    made = watch()
    assert made.add(at(2, CheckCell(1, 0, held=200, sent=100, delivered=90))) == []
    assert made.add(at(20, CheckCell(1, 0, drops=1, sent=100, delivered=109, spiked=3))) == []
    (found,) = made.add(at(41, CheckCell(1, 1, held=199)))
    assert (found.held, found.drops, found.drop_share) == (200, 1, 0.005)
    assert (found.spiked, found.spike_share) == (3, 0.015)
    assert (found.sent, found.undelivered, found.failure_share) == (200, 1, 0.005)
    assert (found.phase, found.index, found.start_ns, found.end_ns) == (1, 0, S, 31 * S)
    assert not found.passed


def test_a_check_is_known_at_once_where_nothing_is_missing_and_at_its_deadline_else() -> None:
    whole, short = watch(), watch()
    for made, delivered in ((whole, 50), (short, 49)):
        made.add(at(2, CheckCell(1, 0, held=5, sent=50, delivered=delivered)))
        assert made.add(at(30.9)) == []
    assert whole.add(at(31, complete=False)) == []  # a worker has not reported yet
    assert [each.undelivered for each in whole.add(at(32))] == [0]
    assert short.add(at(40.9)) == []
    assert [each.undelivered for each in short.add(at(41, complete=False))] == [1]


def test_a_copy_that_came_before_the_deadline_and_is_told_after_the_end_counts() -> None:
    made = watch()
    made.add(at(31, CheckCell(1, 0, held=5, sent=50, delivered=49)))
    (found,) = made.add(at(33, CheckCell(1, 0, delivered=1, spiked=1)))
    assert (found.undelivered, found.spiked) == (0, 1)
    assert made.add(at(34, CheckCell(1, 0, delivered=7))) == []  # after it was known: nothing is said twice


@pytest.mark.parametrize(
    ("end_s", "ends"),
    [
        (61.0, [31, 61]),
        (61.04, [31, 61]),
        (63.9, [31, 61]),
        (64.0, [31, 61, 64.0]),
        (90.9, [31, 61, 90.9]),
        (1.5, [1.5]),
        (1.0, []),
    ],
)
def test_the_rest_of_a_phase_is_a_check_unless_it_is_very_short(end_s: float, ends: list[float]) -> None:
    made = watch(end_s=end_s)
    assert [each.end_ns / S for each in made.finish()] == ends
    assert not made.waits_for(HOLD)


def test_a_phase_goes_on_being_checked_while_the_next_one_is() -> None:
    made = watch(end_s=31)
    later = phase(2, "soak", "sustained", 31, None)
    made.begin(later, Stability(check_interval=5))
    made.add(at(31, CheckCell(1, 0, held=5, sent=5, delivered=4)))
    found = made.add(at(36, CheckCell(2, 0, held=5, sent=5, delivered=5)))
    assert [(each.phase, each.index) for each in found] == [(2, 0)]
    assert made.waits_for(HOLD)
    assert [(each.phase, each.index) for each in made.add(at(41))] == [(1, 0), (2, 1)]
    assert not made.waits_for(HOLD)
    assert made.waits_for(later)


def test_who_came_in_the_window_is_one_of_those_who_could_spike() -> None:
    made = watch(end_s=31)
    (found,) = made.add(at(31, CheckCell(1, 0, held=3, sent=9, delivered=9, spiked=6, joined=9)))
    assert (found.held, found.joined, found.spike_share) == (3, 9, 0.5)
    assert failures(found)[0][3].startswith("6 of 12 connections")


def test_what_there_was_nothing_of_has_no_share() -> None:
    made = watch(end_s=31)
    (idle,) = made.add(at(31, CheckCell(1, 0, held=10)))
    assert (idle.drop_share, idle.spike_share, idle.failure_share) == (0.0, None, None)
    (nobody,) = watch(end_s=31).finish()
    assert (nobody.drop_share, nobody.spike_share, nobody.failure_share) == (None, None, None)


def test_tolerances_are_those_of_the_phase() -> None:
    made = StabilityWatch(DRAIN)
    tolerances = Tolerances(connection_drops=0.2, latency_spikes=0.3, message_delivery_failures=0.4)
    made.begin(msgspec.structs.replace(HOLD, end_ns=31 * S), Stability(tolerances=tolerances))
    (found,) = made.finish()
    assert (found.drop_tolerance, found.spike_tolerance, found.failure_tolerance) == (0.2, 0.3, 0.4)


def test_totals_count_what_was_measured_and_remember_the_worst() -> None:
    totals = CheckTotals()
    totals.add(check())
    totals.add(check(spiked=3, spike_share=0.03))
    totals.add(check(spiked=5, spike_share=0.05, drops=1, drop_share=0.01, phase=2))
    totals.add(check(drop_share=None, spike_share=None, failure_share=None, phase=3))
    assert (totals.count, totals.failed, totals.failed_by_spikes_alone) == (3, 2, 1)
    assert (totals.drop_share_max, totals.spike_share_max, totals.failure_share_max) == (0.01, 0.05, 0.0)
    assert [each.spiked for each in totals.of([HOLD])] == [0, 3]


def test_totals_are_bounded() -> None:
    totals = CheckTotals()
    for index in range(CHECKS_KEPT + 5):
        totals.add(check(index=index))
    assert totals.count == CHECKS_KEPT + 5
    assert totals.of([HOLD])[0].index == 5


def test_a_failed_check_is_an_event_with_its_figures() -> None:
    assert stability_event(check(spike_share=0.02), "hold") is None
    event = stability_event(
        check(index=2, spiked=3, spike_share=0.03, undelivered=2, failure_share=0.002), "hold"
    )
    assert event is not None
    assert (event.kind, event.at_ns) == ("stability", 30 * S)
    assert (event.name, event.figure, event.bound) == ("latency_spikes", 0.03, 0.02)
    assert event.text == (
        "check 3 of hold failed: 3 of 100 connections had a response above the spike bound: 3 %, bound 2 %;"
        " 2 of 1,000 messages had no good copy in time: 0.2 %, bound 0.1 %"
    )


def test_failures_are_named() -> None:
    bad = check(drop_share=0.1, spike_share=0.1, failure_share=0.1)
    assert [name for name, *_ in failures(bad)] == [
        "connection_drops",
        "latency_spikes",
        "message_delivery_failures",
    ]
