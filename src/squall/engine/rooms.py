"""The rooms of one population in this process: who is in which, and what their sessions share.

A room is there as long as one of its members may still come again: a session that has gone is kept until then, so that
it goes on with its stream when the plan has it anew, and what comes of it late is known for what it is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from squall.delivery import fanout
from squall.engine.room_session import Pair
from squall.engine.session import GONE

if TYPE_CHECKING:
    from squall.engine.room_session import RoomSession
    from squall.profiles.seating import Seating

__all__ = ["Room", "Rooms"]


class Room:
    """What the members of a room share.

    Args:
        name: what the service is told to join.
        size: members when it is full.
        answers: the share of their messages that name a cause.
        answer_seed: what says which.
        orders: whether order is kept account of.
        drain_ns: how long a message may be under way.
    """

    def __init__(
        self,
        name: str,
        size: int,
        answers: float,
        answer_seed: int,
        *,
        orders: bool = True,
        drain_ns: int = 0,
    ) -> None:
        self.name = name
        self.ledger = fanout.Room(fanout.window_of(size), partial(Pair, orders=orders))
        self.sessions: dict[int, RoomSession] = {}
        self.answers = answers
        self.answer_seed = answer_seed
        self.drain_ns = drain_ns


class Rooms:
    """See the module.

    Args:
        prefix: what the names of the rooms begin with; no other run's do.
        size: members of a full room.
        answers: the share of their messages that name a cause.
        seed: the population's.
        seating: who is in which.
        orders: whether order is kept account of.
        drain_ns: how long a message may be under way.
    """

    def __init__(
        self,
        prefix: str,
        size: int,
        answers: float,
        seed: int,
        seating: Seating,
        *,
        orders: bool,
        drain_ns: int,
    ) -> None:
        self._prefix = prefix
        self._size = size
        self._answers = answers
        self._seed = seed
        self._seating = seating
        self._orders = orders
        self._drain_ns = drain_ns
        self._rooms: dict[int, Room] = {}

    def name_of(self, session: int) -> str:
        """What the service is told to join."""
        return f"{self._prefix}-{self._seating.room(session, self._size)}"

    def room_of(self, session: int) -> Room:
        """The room of the session with this number, new or not."""
        number = self._seating.room(session, self._size)
        if number not in self._rooms:
            name = self.name_of(session)
            self._rooms[number] = Room(
                name, self._size, self._answers, self._seed, orders=self._orders, drain_ns=self._drain_ns
            )
        return self._rooms[number]

    def forget(self, session: int) -> None:
        """Nothing more comes of a session for now; the room is forgotten with its last one."""
        number = self._seating.room(session, self._size)
        room = self._rooms.get(number)
        if room is not None and all(each.state == GONE for each in room.sessions.values()):
            del self._rooms[number]
