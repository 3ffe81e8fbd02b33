"""Rooms: what a member says goes to all others. Relay: rooms of exactly two.

    {"join": "NAME"}   is answered    {"joined": "NAME", "members": N}, N with the newcomer
                       or, full,      {"refused": "NAME"}

That text joins a connection that is in no room; before it, messages go to nobody. Afterwards every message is
handed on as it came. A member to which more than `UNSENT_BYTES_MAX` wait to be written is cut: it does not read, and
the others must not pay for it. A room is gone with its last member.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from picows import WSMsgType

from squall.reference.behaviours import Attended, Taking, Wire, is_writable
from squall.reference.neighbours import Neighbours

__all__ = ["UNSENT_BYTES_MAX", "Rooms"]

UNSENT_BYTES_MAX: Final = 16 * 1024 * 1024

_JOIN_BYTES_MAX: Final = 1024


class Rooms(Attended):
    """All rooms of a path.

    Args:
        neighbours: the open connections.
        answer: takes the answers to joins.
        size_max: how many may be in a room; None: any number.
    """

    __slots__ = ("_answer", "_members", "_room_of", "_size_max", "_speaker", "deliver")

    deliver: Taking
    """Takes what goes to a member. It is given after the making, since it may ask `after` in turn."""

    def __init__(self, neighbours: Neighbours[Wire], answer: Taking, size_max: int | None = None) -> None:
        super().__init__(neighbours)
        self._answer = answer
        self._size_max = size_max
        self._members: dict[str, list[Wire]] = {}
        self._room_of: dict[Wire, str] = {}
        self._speaker: Wire | None = None

    def on_message(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Hand it to the others of the room, or join one."""
        room = self._room_of.get(wire)
        if room is None:
            self._join(wire, opcode, payload)
            return
        self._speaker = wire
        for member in self._members[room]:
            if member is wire or not is_writable(member):
                continue
            if member.underlying_transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
                member.disconnect(False)
            else:
                self.deliver(member, opcode, payload)
        self._speaker = None

    def on_closed(self, wire: Wire) -> None:
        """It leaves."""
        super().on_closed(wire)
        room = self._room_of.pop(wire, None)
        if room is not None:
            self._members[room].remove(wire)
            if not self._members[room]:
                del self._members[room]

    def after(self, wire: Wire) -> Iterator[Wire]:
        """Who else could get what is meant for this one: its room but for the speaker, then all others."""
        room = self._members.get(self._room_of.get(wire, ""), [])
        if wire in room:
            at = room.index(wire)
            yield from (member for member in room[at + 1 :] + room[:at] if member is not self._speaker)
        yield from (other for other in self._neighbours.after(wire) if other not in room)

    def _join(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        name = _name_to_join(opcode, payload)
        if name is None:
            return
        members = self._members.get(name, [])
        if self._size_max is not None and len(members) >= self._size_max:
            answer: dict[str, object] = {"refused": name}
        else:
            members.append(wire)
            self._members[name] = members
            self._room_of[wire] = name
            answer = {"joined": name, "members": len(members)}
        self._answer(wire, WSMsgType.TEXT, memoryview(json.dumps(answer).encode()))


def _name_to_join(opcode: WSMsgType, payload: memoryview) -> str | None:
    """The name, where the message is a join and nothing else."""
    if opcode is not WSMsgType.TEXT or len(payload) > _JOIN_BYTES_MAX:
        return None
    try:
        found = json.loads(bytes(payload))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.keys() != {"join"} or not isinstance(found["join"], str):
        return None
    return found["join"]
