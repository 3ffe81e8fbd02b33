"""The schedule of intended sends: uniform and Poisson."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squall.profiles.schedule import (
    Bursts,
    OnReply,
    PoissonArrivals,
    UniformArrivals,
    arrivals,
    arrivals_of,
    period_ns,
)
from squall.scenario.traffic import Traffic

SECOND = 1_000_000_000


def test_a_rate_is_a_period_in_whole_nanoseconds() -> None:
    assert [period_ns(rate) for rate in (1.0, 3.0, 0.1, 1e9)] == [SECOND, 333_333_333, 10 * SECOND, 1]


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, 1e10, 1e-9, 1e-300])
def test_a_rate_without_a_period_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"no schedule for|cannot be scheduled"):
        period_ns(rate)


@pytest.mark.parametrize("kind", [UniformArrivals, PoissonArrivals])
def test_a_period_out_of_range_is_refused(kind: type[UniformArrivals | PoissonArrivals]) -> None:
    for period in (0, -5, 1 << 57):
        with pytest.raises(ValueError, match="cannot be scheduled"):
            kind(period, 1)


def test_the_kinds_by_name() -> None:
    assert isinstance(arrivals("uniform", 2.0, 1), UniformArrivals)
    assert isinstance(arrivals("poisson", 2.0, 1), PoissonArrivals)


def test_the_phases_of_a_population_are_spread_evenly_at_every_level() -> None:
    grid = UniformArrivals(SECOND, seed=7)
    for level in (10, 100, 1000, 7777):
        phases = np.sort([grid.phase_ns(session) for session in range(level)])
        gaps = np.diff(np.append(phases, phases[0] + SECOND))
        assert gaps.max() < 2.7 * SECOND / level
        assert gaps.min() > 0.35 * SECOND / level


def test_the_phase_is_the_golden_ratio_in_whole_numbers() -> None:
    grid = UniformArrivals(1 << 40, seed=3)
    for session in (0, 1, 12_345):
        exact = (grid.offset64 / 2**64 + session * (math.sqrt(5) - 1) / 2) % 1
        assert grid.phase_ns(session) / 2**40 == pytest.approx(exact, abs=1e-9)


def test_another_seed_is_another_grid() -> None:
    assert UniformArrivals(SECOND, 1).phase_ns(0) != UniformArrivals(SECOND, 2).phase_ns(0)
    assert PoissonArrivals(SECOND, 1).points(0, 0) != PoissonArrivals(SECOND, 2).points(0, 0)


def test_grid_points_are_numbered_from_the_start_of_the_run() -> None:
    grid = UniformArrivals(SECOND, seed=1)
    phase = grid.phase_ns(5)
    assert grid.first_due_at_or_after(5, 0) == (0, phase)
    assert grid.first_due_at_or_after(5, -99 * SECOND) == (0, phase)
    assert grid.first_due_at_or_after(5, phase) == (0, phase)
    assert grid.first_due_at_or_after(5, phase + 1) == (1, phase + SECOND)
    assert grid.next_due(5, phase) == phase + SECOND
    assert grid.count_due(5, 0, 3600 * SECOND) == 3600


@pytest.mark.parametrize("kind", [UniformArrivals, PoissonArrivals])
def test_intervals_are_half_open_and_an_empty_one_holds_nothing(
    kind: type[UniformArrivals | PoissonArrivals],
) -> None:
    grid = kind(SECOND, 1)
    due = grid.due_at_or_after(3, 10 * SECOND)
    assert grid.count_due(3, due, due + 1) == 1
    assert grid.count_due(3, due + 1, due + 1) == 0
    assert grid.count_due(3, due, due) == 0
    assert grid.count_due(3, due + 1, due) == 0
    assert grid.count_due(3, -5 * SECOND, 0) == 0
    assert grid.count_due(3, -5 * SECOND, due) == grid.count_due(3, 0, due)


def test_poisson_counts_have_the_mean_and_variance_of_their_law() -> None:
    grid = PoissonArrivals(SECOND, seed=11)
    counts = np.array([grid.count_due(session, 1000 * SECOND, 1010 * SECOND) for session in range(2000)])
    assert counts.mean() == pytest.approx(10, abs=4 * math.sqrt(10 / 2000))
    assert counts.var() == pytest.approx(10, rel=0.15)


def test_poisson_gaps_are_memoryless() -> None:
    grid = PoissonArrivals(SECOND, seed=5)
    points = [point for block in range(300) for point in grid.points(1, block)]
    gaps = np.sort(np.diff(points)) / SECOND
    empirical = np.arange(1, len(gaps) + 1) / len(gaps)
    # Kolmogorov-Smirnov against 1 − e^(−gap); 1.95 / √n is its bound at one in a thousand.
    assert np.abs(empirical - (1 - np.exp(-gaps))).max() < 1.95 / math.sqrt(len(gaps))


def test_poisson_sessions_are_independent() -> None:
    grid = PoissonArrivals(SECOND, seed=5)
    counts = np.array([[len(grid.points(session, block)) for block in range(400)] for session in (1, 2)])
    assert abs(np.corrcoef(counts)[0, 1]) < 4 / math.sqrt(400)


def test_points_on_one_nanosecond_are_one() -> None:
    grid = PoissonArrivals(1, seed=1)
    points = grid.points(0, 0)
    assert len(points) == len(set(points)) <= 64
    assert grid.count_due(0, 0, 64) == len(points)


def test_the_next_poisson_point_may_lie_in_a_later_block() -> None:
    grid = PoissonArrivals(SECOND, seed=1)
    last = grid.points(0, 4)[-1]
    assert grid.next_due(0, last) == grid.points(0, 5)[0]


def test_a_traffic_has_the_schedule_of_its_pattern() -> None:
    steady = arrivals_of(Traffic(rate=4), 1)
    assert isinstance(steady, UniformArrivals)
    assert steady.step_ns == SECOND // 4
    burst = arrivals_of(Traffic(pattern="burst", burst_size=7, burst_every=2, arrival="poisson"), 1)
    assert isinstance(burst, Bursts)
    assert isinstance(burst.points, PoissonArrivals)
    assert (burst.size, burst.points.period_ns, burst.step_ns) == (7, 2 * SECOND, 0)
    on_reply = arrivals_of(Traffic(pattern="sequential", reply_timeout=3), 1)
    assert isinstance(on_reply, OnReply)
    assert on_reply.step_ns == 3 * SECOND


def test_a_burst_counts_each_of_its_messages() -> None:
    grid = UniformArrivals(SECOND, 3)
    burst = Bursts(grid, 10)
    due = burst.due_at_or_after(4, 5 * SECOND)
    assert due == grid.due_at_or_after(4, 5 * SECOND)
    assert burst.next_due(4, due) == due + SECOND
    assert burst.count_due(4, due, due + 1) == 10
    assert burst.count_due(4, due, due + 3 * SECOND) == 30
    assert burst.count_due(4, due, due) == 0


def test_on_reply_begins_at_once_and_counts_time_outs_alone() -> None:
    schedule = OnReply(5 * SECOND)
    assert schedule.due_at_or_after(0, 77) == 77
    assert schedule.next_due(0, 77) == 77 + 5 * SECOND
    counted = [schedule.count_due(0, 77, 77 + s * SECOND) for s in (-1, 0, 1, 5, 6)]
    assert counted == [0, 0, 1, 1, 2]
