"""Peaks over large enough windows, and levels over time."""

from __future__ import annotations

import pytest

from made_runs import S, times
from squall.metrics.distribution import Distribution
from squall.metrics.windows import Level, PeakWindow


def of(count: int, value_ms: float) -> Distribution:
    made = Distribution()
    taken = times(*[value_ms] * count)
    if taken is not None:
        made.add(taken)
    return made


def test_nothing_has_no_peak() -> None:
    peak = PeakWindow()
    peak.add(of(0, 1))
    assert peak.peak_ns is None


def test_the_peak_is_the_highest_p99_of_a_window() -> None:
    peak = PeakWindow()
    for value_ms in (5, 90, 7):
        peak.add(of(1000, value_ms))
    assert peak.peak_ns == pytest.approx(90_000_000, rel=0.004)


def test_one_slow_response_in_a_window_is_no_peak() -> None:
    peak = PeakWindow()
    second = of(1999, 5)
    second.merge(of(1, 900))
    peak.add(second)
    assert peak.peak_ns == pytest.approx(5_000_000, rel=0.004)


def test_small_seconds_are_merged_with_the_next() -> None:
    peak = PeakWindow()
    peak.add(of(5, 900))
    peak.add(of(995, 5))
    assert peak.peak_ns == pytest.approx(5_000_000, rel=0.004)


def test_fewer_than_a_window_in_all_make_one() -> None:
    peak = PeakWindow()
    peak.add(of(10, 30))
    assert peak.peak_ns == 30_000_000


def test_what_is_left_at_the_end_counts_with_the_window_before_it() -> None:
    peak = PeakWindow()
    peak.add(of(1000, 5))
    peak.add(of(500, 400))
    assert peak.peak_ns == pytest.approx(400_000_000, rel=0.004)


def test_a_quick_end_does_not_hide_a_slow_window() -> None:
    peak = PeakWindow()
    peak.add(of(1000, 400))
    peak.add(of(999, 5))
    assert peak.peak_ns == pytest.approx(400_000_000, rel=0.004)


def test_the_mean_level_is_weighted_by_time() -> None:
    level = Level()
    for held, length_ns in ((10, S), (4, 2 * S)):
        level.add(length_ns=length_ns, held=held, planned=10)
    assert (level.mean, level.most, level.least, level.last) == (6.0, 10, 4, 4)


def test_more_than_planned_makes_up_for_nothing() -> None:
    level = Level()
    level.add(length_ns=S, held=5, planned=10)
    level.add(length_ns=S, held=20, planned=10)
    assert (level.held_ns, level.held_of_planned_ns, level.planned_ns) == (25 * S, 15 * S, 20 * S)


def test_an_outage_counts_with_its_length_also_where_no_second_ends_in_it() -> None:
    level = Level()
    level.add(length_ns=S, held=10, planned=10, absent_ns=3 * S // 10)
    level.add(length_ns=S, held=9, planned=10, absent=1, absent_ns=S // 10)
    assert level.planned_ns - level.held_of_planned_ns == 4 * S // 10


def test_what_a_dead_worker_was_to_hold_is_missing_for_the_whole_second() -> None:
    level = Level()
    level.add(length_ns=S, held=4, planned=10, absent=1, absent_ns=S // 2)
    assert level.held_of_planned_ns == 10 * S - 5 * S - S // 2


def test_stretches_are_put_together_in_order() -> None:
    early, late, nothing = Level(), Level(), Level()
    for level, held in ((early, 3), (late, 9)):
        level.add(length_ns=S, held=held, planned=held)
    early.append(late)
    early.append(nothing)
    assert (early.last, early.least, early.most, early.mean) == (9, 3, 9, 6.0)
    assert nothing.mean is None
