"""The watched machines, added up by source, phase and figure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_runs import S, phase, some_totals
from squall.metrics.resources import FIGURES_MAX, Gauge, Resources, Shares
from squall.metrics.totals import Selection
from squall.record.resources import ResourceSample, Role

PHASES = [
    phase(0, "ramp_up", "ramp_up", 0, 10),
    phase(1, "hold", "sustained", 10, 30),
    phase(2, "ramp_down", "ramp_down", 30, 40),
]


def look(at_s: float, *, source: str = "target", role: Role = "target", **figures: Any) -> ResourceSample:
    return ResourceSample(at_ns=round(at_s * S), source=source, role=role, **figures)


def looked(*samples: ResourceSample) -> Resources:
    resources = Resources()
    for each in samples:
        resources.add(each, PHASES)
    return resources


def test_a_mean_is_over_time_and_a_peak_the_highest_look() -> None:
    found = looked(look(10), look(20, cpu_share=0.2), look(25, cpu_share=0.8), look(30, cpu_share=0.4))
    gauge = found.highest("cpu_share", role="target", phases=frozenset({1}))
    assert gauge is not None
    assert gauge.mean == pytest.approx((10 * 0.2 + 5 * 0.8 + 5 * 0.4) / 20)
    assert (gauge.least, gauge.most, gauge.last, gauge.count) == (0.2, 0.8, 0.4, 3)


def test_a_look_belongs_to_the_phase_in_which_most_of_its_time_lies() -> None:
    found = looked(look(0, threads=1), look(9.9, threads=2), look(10.1, threads=3), look(14.9, threads=4))
    found.add(look(31, threads=5), PHASES)  # 15.1 s of the hold, 1 s of the ramp down
    source = found.sources["target"]
    assert source.looks == {None: 1, 0: 2, 1: 2}
    in_hold = source.gauge("threads", frozenset({1}))
    assert in_hold is not None
    assert in_hold.most == 5
    assert source.gauge("threads", frozenset({2})) is None


def test_what_a_look_could_not_measure_is_missed_and_never_zero() -> None:
    found = looked(
        look(15, memory_share=0.5),
        look(20, problem="gone"),
        look(25, problem="gone"),
        look(30, cpu_share=0.1),
    )
    memory = found.highest("memory_share", role="target", phases=frozenset({1}))
    assert memory is not None
    assert (memory.count, memory.missed, memory.mean, memory.least) == (1, 3, 0.5, 0.5)
    source = found.sources["target"]
    assert (source.problems, source.last_problem) == (2, "gone")
    assert found.highest("descriptors", role="target") is None
    assert found.total("accept_overflows", role="target") is None


def test_of_several_nodes_the_fullest_is_the_target() -> None:
    found = looked(
        look(20, source="a", memory_share=0.3, cpu_share=0.9),
        look(20, source="b", memory_share=0.6, cpu_share=0.2),
        look(25, source="a", memory_share=0.4, cpu_share=0.1),
        look(25, source="b", problem="down"),
        look(25, source="host", role="host", memory_share=0.99, cpu_share=1.0),
    )
    used = found.utilization(frozenset({1}))
    assert used.peak == Shares(memory=0.6, cpu=0.9)
    assert used.average == Shares(memory=0.6, cpu=0.2)
    both = found.highest("cpu_share", role="target", phases=frozenset({1}))
    assert both is not None
    assert (both.most, both.mean, both.count, both.missed) == (0.9, 0.2, 3, 1)
    only = found.highest("memory_share", role="target", source="a")
    assert only is not None
    assert only.most == 0.4
    assert found.highest("memory_share", role="target", source="host") is None


def test_nothing_watched_is_not_measured() -> None:
    empty = Resources()
    assert empty.utilization().peak == Shares()
    assert empty.latest("target") is None


def test_counts_are_summed_over_looks_and_sources() -> None:
    found = looked(
        look(5, source="a", accept_overflows=2),
        look(20, source="a", accept_overflows=3),
        look(15, source="b"),
    )
    assert found.total("accept_overflows", role="target") == 5
    assert found.total("accept_overflows", role="target", phases=frozenset({0})) == 2
    assert found.total("accept_overflows", role="target", source="b") is None


def test_sockets_and_figures_of_the_users_own_are_kept_by_name() -> None:
    found = looked(look(15, tcp_states={"established": 7}, custom={"queue": 3.0}))
    source = found.sources["target"]
    assert source.names() == ["tcp_established", "queue"]
    assert source.gauge("tcp_established") == Gauge(1, 0, 7, 7, 7, 7, 7, 1)


def test_names_without_end_are_not_kept() -> None:
    found = looked(*(look(11 + n / 100, custom={f"figure_{n}": 1.0}) for n in range(FIGURES_MAX + 50)))
    assert len(found.sources["target"].phases[1]) == FIGURES_MAX


def test_sources_without_end_are_not_kept() -> None:
    found = looked(*(look(11, source=f"node-{n}", threads=1) for n in range(100)))
    assert len(found.sources) == 64


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 10**9)), min_size=1, max_size=20), st.integers(0, 20)
)
def test_two_stretches_make_one(values: list[tuple[float, int]], cut: int) -> None:
    whole, first, second = Gauge(), Gauge(), Gauge()
    for place, (value, weight) in enumerate(values):
        whole.add(value, weight)
        (first if place < cut else second).add(value, weight)
    first.append(second)
    assert (first.count, first.least, first.most, first.last) == (
        whole.count,
        whole.least,
        whole.most,
        whole.last,
    )
    assert first.mean == pytest.approx(whole.mean)


def test_totals_pass_looks_on_with_their_phases() -> None:
    totals = some_totals(phases=PHASES)
    totals.sampled(look(20, cpu_share=0.5))
    phases = totals.phase_ids(Selection(phase="hold"))
    assert totals.resources.utilization(phases).peak.cpu == 0.5
    assert totals.resources.latest("target") == look(20, cpu_share=0.5)
