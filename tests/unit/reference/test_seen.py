"""What has come is known as long as there is room, and what is forgotten counts as new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squall.reference.seen import Recent, SeenNumbers


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=150))
def test_it_agrees_with_a_set_while_there_is_room(added: list[tuple[str, int]]) -> None:
    seen, plain = SeenNumbers(), set()
    for stream, number in added:
        assert seen.add(stream, number) is ((stream, number) not in plain)
        plain.add((stream, number))


@given(st.lists(st.integers(0, 60), max_size=150), st.integers(0, 3))
def test_without_room_no_new_message_is_taken_for_an_old_one(added: list[int], gaps: int) -> None:
    seen = SeenNumbers(gaps_max=gaps)
    plain: set[int] = set()
    for number in added:
        is_new = seen.add("a", number)
        assert is_new or number in plain
        plain.add(number)


def test_the_oldest_gap_is_forgotten_first() -> None:
    seen = SeenNumbers(gaps_max=2)
    for number in (1, 3, 5):  # 0, 2 and 4 are missing; there is room for two gaps
        assert seen.add("a", number)
    assert seen.add("a", 0)
    assert seen.add("a", 0), "it can no longer be told"
    assert not seen.add("a", 1)
    assert [seen.add("a", number) for number in (2, 2, 4, 4)] == [True, False, True, False]


def test_a_jump_costs_nothing() -> None:
    seen = SeenNumbers()
    assert seen.add("a", 4_000_000_000)
    assert seen.add("a", 3)
    assert not seen.add("a", 3)


def test_the_stream_that_was_silent_longest_is_forgotten() -> None:
    seen = SeenNumbers(streams_max=2)
    seen.add("a", 0)
    seen.add("b", 0)
    assert not seen.add("a", 0)
    seen.add("c", 0)
    assert not seen.add("a", 0)
    assert seen.add("b", 0)


def test_the_last_names_are_known() -> None:
    recent = Recent(2)
    assert [recent.add(name) for name in ("x", "y", "x", "z", "x")] == [True, True, False, True, True]
    assert "z" in recent
    assert "y" not in recent
