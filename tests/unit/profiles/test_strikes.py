"""Who is struck by a fault, and when: an exact share, inside the window, the same for the same seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.profiles.strikes import Strikes

S = 10**9


def strikes(*, seed: int = 1, share: float, sessions: int, lasts_s: int = 2, window_s: int = 20) -> Strikes:
    return Strikes(
        seed=seed,
        share=share,
        sessions=sessions,
        from_ns=10 * S,
        until_ns=(10 + window_s) * S,
        lasts_ns=lasts_s * S,
    )


@given(st.integers(0, 1 << 40), st.floats(0, 1), st.integers(1, 300))
def test_the_share_is_exact_and_at_least_one(seed: int, share: float, sessions: int) -> None:
    made = strikes(seed=seed, share=share, sessions=sessions)
    struck = sum(made.at_ns(session) is not None for session in range(sessions))
    assert struck == (0 if share == 0 else max(1, round(share * sessions)))


@given(st.integers(0, 1 << 40), st.integers(0, 1000))
def test_a_strike_lies_whole_in_its_window(seed: int, session: int) -> None:
    at_ns = strikes(seed=seed, share=1.0, sessions=10).at_ns(session)
    assert at_ns is not None
    assert 10 * S <= at_ns <= 28 * S


def test_it_replays_and_another_seed_is_another() -> None:
    def who(seed: int) -> list[int | None]:
        made = strikes(seed=seed, share=0.2, sessions=100)
        return [made.at_ns(session) for session in range(100)]

    assert who(1) == who(1) != who(2)


def test_those_beyond_the_level_are_drawn_by_the_same_share() -> None:
    made = strikes(share=0.1, sessions=1000)
    assert sum(made.at_ns(session) is not None for session in range(1000, 11_000)) == pytest.approx(
        1000, rel=0.2
    )


def test_a_strike_as_long_as_its_window_begins_with_it() -> None:
    made = strikes(share=1.0, sessions=5, lasts_s=20, window_s=20)
    assert {made.at_ns(session) for session in range(5)} == {10 * S}
