"""Lengths of visits and think times: fixed, or exponential, and always the same for the same seed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.profiles.visits import Span, Visits

S = 10**9


def test_a_fixed_length_is_the_same_each_time() -> None:
    visits = Visits(Span(30.0), Span(2.5), seed=1)
    assert {visits.length_ns(session, visit) for session in range(5) for visit in range(5)} == {30 * S}
    assert visits.think_ns(3, 4) == 2_500_000_000


@given(st.integers(0, 1 << 40), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_drawn_length_replays_and_is_never_negative(seed: int, session: int, visit: int) -> None:
    one, other = (Visits(Span(30.0, exponential=True), Span(0.0), seed) for _ in range(2))
    assert one.length_ns(session, visit) == other.length_ns(session, visit) >= 0


def test_drawn_lengths_have_no_memory_and_their_mean() -> None:
    visits = Visits(Span(10.0, exponential=True), Span(10.0, exponential=True), seed=5)
    drawn = [visits.length_ns(session, visit) / S for session in range(200) for visit in range(50)]
    assert sum(drawn) / len(drawn) == pytest.approx(10.0, rel=0.04)
    for at_s in (5.0, 10.0, 20.0):
        assert sum(each > at_s for each in drawn) / len(drawn) == pytest.approx(
            math.exp(-at_s / 10), abs=0.02
        )


def test_length_and_think_time_are_drawn_apart() -> None:
    visits = Visits(Span(10.0, exponential=True), Span(10.0, exponential=True), seed=5)
    assert visits.length_ns(0, 0) != visits.think_ns(0, 0)
    assert visits.length_ns(0, 0) != visits.length_ns(0, 1) != visits.length_ns(1, 0)
