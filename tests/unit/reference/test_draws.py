"""Draws are pure functions of their numbers, and evenly spread."""

from __future__ import annotations

from squall.reference.draws import drawn, share


def test_the_same_numbers_draw_the_same_and_others_do_not() -> None:
    assert drawn(1, 2) == drawn(1, 2) == 13608149317741381227
    assert len({drawn(), drawn(0), drawn(0, 0), drawn(1, 2), drawn(2, 1), drawn(1), drawn(2**64 - 1)}) == 7


def test_shares_are_spread_evenly_from_0_to_below_1() -> None:
    shares = [share(7, number) for number in range(20_000)]
    assert 0 <= min(shares) < 0.001
    assert 0.999 < max(shares) < 1
    for tenth in range(10):
        assert abs(sum(tenth <= each * 10 < tenth + 1 for each in shares) - 2000) < 4 * (2000 * 0.9) ** 0.5
