"""Arrivals follow the shape of the load: A(t) is its integral, and each session comes when A reaches it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.profiles.constant import Constant
from squall.profiles.influx import Influx
from squall.profiles.linear import Linear


def test_at_a_steady_level_arrivals_are_evenly_spaced() -> None:
    influx = Influx(Constant(1500, 60.0).levels, stay_s=30.0)  # 50 per second
    assert [influx.offset_s(session) for session in (0, 1, 49, 2999)] == pytest.approx(
        [0.02, 0.04, 1.0, 60.0]
    )
    assert influx.arrived(60.0) == pytest.approx(3000)


def test_after_its_duration_a_shape_goes_on_at_its_last_level() -> None:
    influx = Influx(Constant(100, 1.0).levels, stay_s=10.0)
    assert influx.offset_s(99) == pytest.approx(10.0)
    assert influx.arrived(10.0) == pytest.approx(100)


def test_a_shape_that_ends_at_none_brings_no_more() -> None:
    influx = Influx(Linear(100, 0, 10.0).levels, stay_s=1.0)
    total = math.floor(influx.arrived(1000.0))
    assert influx.offset_s(total - 1) is not None
    assert influx.offset_s(total) is None


def test_the_next_phase_goes_on_counting() -> None:
    first = Influx(Linear(0, 100, 2.0).levels, stay_s=2.0)
    before = first.arrived(2.0)
    second = Influx(Constant(100, 5.0).levels, stay_s=2.0, before=before)
    reached = math.floor(before + 1e-9)
    last, next_one = first.offset_s(reached - 1), second.offset_s(reached)
    assert last is not None
    assert next_one is not None
    assert 0 < 2.0 + next_one - last <= 2 / 50
    assert second.offset_s(reached - 1) == 0.0


@settings(max_examples=60)
@given(st.integers(0, 300), st.integers(1, 300), st.floats(0.1, 20), st.floats(0.2, 30), st.floats(0, 50))
def test_exactly_as_many_have_come_as_were_to(
    start: int, target: int, duration_s: float, stay_s: float, before: float
) -> None:
    influx = Influx(Linear(start, target, duration_s).levels, stay_s, before)
    came = [
        session
        for session in range(math.floor(before), math.floor(before) + 400)
        if (offset_s := influx.offset_s(session)) is not None and offset_s <= duration_s / 2
    ]
    arrived = influx.arrived(duration_s / 2)
    expected = math.floor(arrived + 1e-6) - math.floor(before)
    assert abs(len(came) - min(400, expected)) <= (abs(arrived - round(arrived)) < 1e-5)
