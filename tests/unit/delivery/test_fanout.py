"""The ledger of a room, compiled and from the source: who is owed what, and how each pair ends."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from both_forms import FORMS, module_in

FIRST, REORDERED, DUPLICATE, UNDECIDED, NOT_OWED = 0, 1, 2, 4, 5
LABEL = 3


@pytest.fixture(scope="session", params=FORMS)
def fanout(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.delivery.fanout")


def room_of(fanout: ModuleType, *joined: int) -> Any:
    room = fanout.Room(64)
    for number in joined:
        room.join(number)
    return room


def publish(room: Any, publisher: int, label: int = LABEL) -> tuple[int, list[int]]:
    """Publish; the message's number, and to whom it is owed."""
    member = room.member(publisher)
    for account in member.owed:
        account.publish(label)
    return member.stream.assign(), sorted(account.member for account in member.owed)


def arrive(room: Any, publisher: int, member: int, number: int, now_ns: int = 0) -> int:
    account = room.member(member).accounts_from[publisher]
    found: int = account.arrive(account.place_of(number), now_ns)
    return found


def settle(room: Any, number: int, *, lived: bool) -> list[tuple[int, list[tuple[int, int, int, bool]]]]:
    """Publisher and (first, end, label, unknown) of all that is owed when a member has left."""
    found = [(account.publisher, account.settle(both)) for account, both in room.ends(number, lived=lived)]
    return [(publisher, [each[:4] for each in ranges]) for publisher, ranges in found if ranges]


def test_a_message_is_owed_to_those_who_are_joined_at_the_publish(fanout: ModuleType) -> None:
    room = room_of(fanout, 1)
    assert publish(room, 1) == (0, [])
    room.join(2)
    assert publish(room, 1) == (1, [2])
    room.join(3)
    assert publish(room, 1) == (2, [2, 3])
    room.leave(2)
    assert publish(room, 1) == (3, [3])
    room.join(2)
    assert publish(room, 1) == (4, [2, 3])
    assert [arrive(room, 1, 2, number) for number in range(5)] == [NOT_OWED, FIRST, FIRST, NOT_OWED, FIRST]
    assert [arrive(room, 1, 3, number) for number in range(5)] == [NOT_OWED, NOT_OWED, FIRST, FIRST, FIRST]


def test_what_was_not_published_is_not_owed(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2)
    assert arrive(room, 1, 2, 0) == NOT_OWED
    publish(room, 1)
    assert arrive(room, 1, 2, 1) == NOT_OWED


def test_each_pair_has_its_own_order_and_copies(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2, 3)
    for _ in range(3):
        publish(room, 1)
    assert [arrive(room, 1, 2, number) for number in (0, 2, 1, 1)] == [FIRST, FIRST, REORDERED, DUPLICATE]
    assert [arrive(room, 1, 3, number) for number in (0, 1, 2)] == [FIRST] * 3


def test_a_gap_of_numbers_that_were_not_owed_is_no_gap(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2, 3)
    publish(room, 1)
    room.leave(2)
    publish(room, 1)
    room.join(2)
    publish(room, 1)
    assert [arrive(room, 1, 2, number) for number in (0, 2)] == [FIRST, FIRST]
    assert room.member(2).awaited() == 0
    assert settle(room, 2, lived=True) == []


def test_what_a_member_is_owed_when_it_leaves_after_its_drain_is_lost(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2, 3)
    for _ in range(3):
        publish(room, 1)
    arrive(room, 1, 2, 1)
    room.leave(2)
    assert room.member(2).awaited() == 2
    assert settle(room, 2, lived=True) == [(1, [(0, 1, LABEL, False), (2, 3, LABEL, False)])]
    assert room.member(2).awaited() == 0
    assert room.member(1).awaited() == 3  # of the third member


def test_what_a_publisher_owes_when_its_drain_is_over_is_lost_and_a_copy_after_that_is_neither(
    fanout: ModuleType,
) -> None:
    room = room_of(fanout, 1, 2)
    publish(room, 1)
    publish(room, 1)
    arrive(room, 1, 2, 0)
    assert settle(room, 1, lived=True) == [(1, [(1, 2, LABEL, False)])]
    assert arrive(room, 1, 2, 1) == UNDECIDED
    assert arrive(room, 1, 2, 0) == DUPLICATE


@pytest.mark.parametrize("who", [1, 2])
def test_what_a_dead_connection_took_along_is_unknown_and_not_awaited(fanout: ModuleType, who: int) -> None:
    room = room_of(fanout, 1, 2)
    for _ in range(3):
        publish(room, 1)
    arrive(room, 1, 2, 0)
    room.breaks(who)
    assert room.member(1).awaited() == room.member(2).awaited() == 0
    room.join(who)
    assert publish(room, 1) == (3, [3 - 1])
    account = room.member(2).accounts_from[1]
    assert arrive(room, 1, 2, 1) == FIRST  # it comes after all
    assert account.is_recovered(account.place_of(1)) == (who == 2)
    settled = settle(room, 2, lived=True)
    assert settled == [(1, [(2, 3, LABEL, True), (3, 4, LABEL, False)])]


def test_what_one_that_died_for_good_has_published_may_still_come(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2, 3)
    publish(room, 1)
    room.breaks(1)
    assert settle(room, 1, lived=False) == []
    assert room.member(2).awaited() == 0
    assert arrive(room, 1, 2, 0) == FIRST
    assert settle(room, 2, lived=True) == []
    assert settle(room, 3, lived=True) == [(1, [(0, 1, LABEL, True)])]


def test_labels_are_those_of_the_publish(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2)
    for label in (4, 4, 9):
        publish(room, 1, label)
    assert settle(room, 2, lived=False) == [(1, [(0, 2, 4, True), (2, 3, 9, True)])]


def test_who_is_down_is_here_and_who_has_left_is_not(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2, 3)
    room.member(4)
    assert room.here_besides(1) == 2
    room.breaks(2)
    room.leave(3)
    assert room.here_besides(1) == 1
    settle(room, 2, lived=False)
    assert room.here_besides(1) == 0


def test_what_is_missing_of_more_runs_than_are_kept_is_unknown(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2)
    given_up = []
    for _ in range(fanout.RUNS_KEPT + 5):
        publish(room, 1)
        publish(room, 1)
        room.breaks(2)
        publish(room, 1)  # owed to nobody
        given_up += [(account.publisher, [each[:4] for each in ranges]) for account, ranges in room.join(2)]
    assert given_up == [(1, [(3 * run, 3 * run + 2, LABEL, True)]) for run in range(5)]
    assert arrive(room, 1, 2, 0) == NOT_OWED
    assert [arrive(room, 1, 2, number) for number in (12, 15)] == [NOT_OWED, FIRST]


def test_a_room_that_has_no_window_left_says_what_it_forgets(fanout: ModuleType) -> None:
    room = fanout.Room(2)
    room.join(1)
    room.join(2)
    for _ in range(5):
        publish(room, 1)
    account = room.member(2).accounts_from[1]
    assert arrive(room, 1, 2, 4) == FIRST
    assert account.take_evicted() == [(0, 2, LABEL, True, False)]
    assert [arrive(room, 1, 2, number) for number in (0, 2, 4)] == [UNDECIDED, REORDERED, DUPLICATE]
    assert [account.has_come(place) for place in range(6)] == [False, False, True, False, True, False]


def test_the_windows_of_all_accounts_to_one_member_are_no_larger_than_that_of_a_stream(
    fanout: ModuleType,
) -> None:
    assert [fanout.window_of(members) for members in (2, 3, 5, 65)] == [4096, 2048, 1024, 64]
    assert fanout.window_of(1000) == fanout.WINDOW_MIN


def test_order_and_gaps_are_told_in_the_publishers_numbers(fanout: ModuleType) -> None:
    room = room_of(fanout, 1, 2)
    publish(room, 1)
    room.leave(2)
    publish(room, 1)  # owed to nobody
    room.join(2)
    for label in (LABEL, LABEL, LABEL, 8, 8):
        publish(room, 1, label)
    account = room.member(2).accounts_from[1]
    for number, now_ns in ((2, 10), (6, 20), (0, 50)):
        arrive(room, 1, 2, number, now_ns)
    assert list(account.came_after(0)) == [6, 2]
    assert account.take_waits() == [(2, 40, True), (6, 30, True)]
    assert account.take_unmeasured() == []
    assert [account.label_of(number) for number in (0, 4, 5)] == [LABEL, LABEL, 8]
    assert settle(room, 2, lived=True) == [(1, [(3, 5, LABEL, False), (5, 6, 8, False)])]
    assert account.take_gaps() == [(3, 5, LABEL, True), (5, 6, 8, False)]
