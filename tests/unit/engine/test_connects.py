"""The queue of connects: each at its time, once, and those that try again in turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squall.engine.connects import Connects
from squall.profiles.backoff import Turns


def taken(connects: Connects, now: int) -> list[int]:
    found = []
    while (session := connects.take(now)) is not None:
        found.append(session)
    return found


def test_each_connects_at_its_time() -> None:
    connects = Connects(None)
    for session, at in ((5, 30), (6, 10), (7, 20)):
        connects.add(session, at)
    assert connects.next_ns == 10
    assert taken(connects, 9) == []
    assert taken(connects, 20) == [6, 7]
    assert taken(connects, 100) == [5]
    assert connects.next_ns is None


def test_a_session_has_one_place_the_latest() -> None:
    connects = Connects(None)
    connects.add(5, 10)
    connects.add(5, 50, again=True)
    assert taken(connects, 40) == []
    assert taken(connects, 50) == [5]
    connects.add(5, 60)
    connects.forget(5)
    assert taken(connects, 100) == []


def test_first_tries_wait_for_no_turn() -> None:
    connects = Connects(Turns(1e9 / 100, 0, 1))  # a turn each 100 ns
    connects.take(0)
    for session in range(3):
        connects.add(session, 10)
    assert taken(connects, 10) == [0, 1, 2]


def test_tries_again_take_turns_in_the_order_of_their_times() -> None:
    connects = Connects(Turns(1e9 / 100, 0, 1))
    for session in (9, 8, 7):
        connects.add(session, 110 - session, again=True)
    assert taken(connects, 105) == [9]  # the turns of 0 and 100 are one: what was missed is gone
    assert connects.next_ns == 200
    assert taken(connects, 199) == []
    assert taken(connects, 200) == [8]
    assert taken(connects, 300) == [7]


def test_one_that_waits_for_its_turn_may_be_wanted_elsewhere_or_nowhere() -> None:
    connects = Connects(Turns(1e9 / 100, 0, 1))
    for session in (1, 2, 3, 4):
        connects.add(session, 10, again=True)
    assert taken(connects, 10) == [1]
    connects.forget(2)
    connects.add(3, 150)  # its next visit begins
    assert taken(connects, 150) == [3, 4]
    connects.clear()
    assert connects.next_ns is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1000), st.booleans()), max_size=40),
    st.integers(1, 3),
)
def test_everyone_connects_once_and_not_too_soon(added: list[tuple[int, int, bool]], workers: int) -> None:
    connects = Connects(Turns(1e9 / 50, workers - 1, workers))
    latest = {}
    for session, at, again in added:
        connects.add(session, at, again=again)
        latest[session] = at
    found: dict[int, int] = {}
    while (now := connects.next_ns) is not None:
        for session in taken(connects, now):
            assert session not in found
            found[session] = now
    assert found.keys() == latest.keys()
    assert all(found[session] >= latest[session] for session in found)
