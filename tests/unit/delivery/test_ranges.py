"""Numbers in rows: as a set has them, in as few ranges as can be."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from squall.delivery.ranges import Ranges

NUMBERS = st.integers(0, 30)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "take_from"]), NUMBERS, st.integers(1, 6)), max_size=30)


def rows(numbers: set[int]) -> list[tuple[int, int]]:
    """A set as maximal runs."""
    firsts = sorted(n for n in numbers if n - 1 not in numbers)
    ends = sorted(n + 1 for n in numbers if n + 1 not in numbers)
    return list(zip(firsts, ends, strict=True))


@settings(deadline=None)
@given(STEPS)
def test_it_is_a_set(steps: list[tuple[str, int, int]]) -> None:
    ranges, plain = Ranges(), set[int]()
    for what, number, more in steps:
        if what == "add":
            ranges.add(number, number + more)
            plain |= set(range(number, number + more))
        else:
            taken = {n for n in plain if n >= number}
            assert ranges.take_from(number) == rows(taken)
            plain -= taken
        assert list(ranges) == rows(plain)
