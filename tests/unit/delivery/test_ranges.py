"""Numbers in rows: as a set has them, in as few ranges as can be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from squall.delivery.ranges import Ranges

NUMBERS = st.integers(0, 30)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), NUMBERS, st.integers(1, 6)),
        st.tuples(st.sampled_from(["discard", "take_from", "drop_below"]), NUMBERS, st.just(0)),
    ),
    max_size=30,
)


def rows(numbers: set[int]) -> list[tuple[int, int]]:
    """A set as maximal runs."""
    firsts = sorted(n for n in numbers if n - 1 not in numbers)
    ends = sorted(n + 1 for n in numbers if n + 1 not in numbers)
    return list(zip(firsts, ends, strict=True))


@given(STEPS, NUMBERS, st.integers(0, 12))
def test_it_is_a_set(steps: list[tuple[str, int, int]], first: int, count: int) -> None:
    ranges, plain = Ranges(), set[int]()
    for what, number, more in steps:
        if what == "add":
            ranges.add(number, number + more)
            plain |= set(range(number, number + more))
        elif what == "discard":
            ranges.discard(number)
            plain.discard(number)
        elif what == "take_from":
            taken = {n for n in plain if n >= number}
            assert ranges.take_from(number) == rows(taken)
            plain -= taken
        else:
            ranges.drop_below(number)
            plain = {n for n in plain if n >= number}
        assert list(ranges) == rows(plain)
        assert len(ranges) == len(rows(plain))
    assert [n in ranges for n in range(40)] == [n in plain for n in range(40)]
    pieces = list(ranges.split(first, first + count))
    told = [(n, inside) for low, end, inside in pieces for n in range(low, end)]
    assert told == [(n, n in plain) for n in range(first, first + count)]
    assert all(one[2] != other[2] for one, other in pairwise(pieces))
