"""Who comes after whom, whoever came and went."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squall.reference.neighbours import Neighbours


def test_after_each_comes_the_next_round_to_the_one_before() -> None:
    neighbours: Neighbours[str] = Neighbours()
    for name in "abcd":
        neighbours.add(name)
    assert list(neighbours.after("c")) == ["d", "a", "b"]
    neighbours.remove("d")
    assert list(neighbours.after("c")) == ["a", "b"]
    assert len(neighbours) == 3


def test_one_alone_and_one_that_is_gone_have_no_neighbours() -> None:
    neighbours: Neighbours[str] = Neighbours()
    neighbours.add("a")
    assert list(neighbours.after("a")) == []
    assert list(neighbours.after("b")) == []


@given(st.lists(st.integers(0, 9), max_size=60))
def test_it_agrees_with_a_plain_list(toggled: list[int]) -> None:
    neighbours: Neighbours[int] = Neighbours()
    plain: list[int] = []
    for member in toggled:
        if member in plain:
            plain.remove(member)
            neighbours.remove(member)
        else:
            plain.append(member)
            neighbours.add(member)
        for at, each in enumerate(plain):
            assert list(neighbours.after(each)) == plain[at + 1 :] + plain[:at]
