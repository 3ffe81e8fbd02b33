"""The rooms of a worker: who shares one, what it is called, and how long it is kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from squall.engine.room_session import Pair
from squall.engine.rooms import Room, Rooms
from squall.engine.session import GONE, IDLE
from squall.profiles.seating import Seating
from squall.profiles.share import PopulationSplit


def rooms_of(*, worker: int = 0, workers: int = 1, orders: bool = True) -> Rooms:
    return Rooms("run", 2, 0.5, 7, Seating(PopulationSplit([1]), worker, workers), orders=orders, drain_ns=5)


def member(state: int) -> Any:
    return SimpleNamespace(state=state)


def test_sessions_share_a_room_by_their_numbers_and_its_name_is_the_runs() -> None:
    rooms = rooms_of(worker=1, workers=3)
    assert rooms.room_of(1) is rooms.room_of(4)
    assert rooms.room_of(7) is not rooms.room_of(4)
    assert [rooms.name_of(session) for session in (1, 4, 7)] == ["run-1", "run-1", "run-4"]
    assert rooms.room_of(7).name == "run-4"
    assert rooms.room_of(7).drain_ns == 5


def test_a_room_is_kept_until_the_last_one_has_gone() -> None:
    rooms = rooms_of()
    room = rooms.room_of(0)
    room.sessions.update({0: member(GONE), 1: member(IDLE)})
    rooms.forget(0)
    assert rooms.room_of(1) is room
    room.sessions[1] = member(GONE)
    rooms.forget(1)
    assert rooms.room_of(0) is not room
    rooms.forget(2)  # of a room that never was


def test_its_accounts_know_whether_order_is_asked_for() -> None:
    for orders in (True, False):
        room = Room("a", 2, 0.0, 1, orders=orders)
        room.ledger.join(0)
        room.ledger.join(1)
        (account,) = room.ledger.member(0).accounts_to.values()
        assert isinstance(account, Pair)
        assert bool(account.stream.orders) is orders
        assert account.stream.window == 4096


def test_of_what_is_owed_the_time_of_its_publish_is_known() -> None:
    room = Room("a", 2, 0.0, 1)
    room.ledger.join(0)
    room.ledger.join(1)
    (pair,) = room.ledger.member(0).accounts_to.values()
    assert isinstance(pair, Pair)
    pair.publish(1)
    pair.times.note(0, 77, pair.stream)
    assert [pair.sent_at(number) for number in (0, 5)] == [77, -1]
