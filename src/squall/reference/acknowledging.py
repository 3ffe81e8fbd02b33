"""Acknowledged send: each good message is acknowledged; with delivery, it is delivered back once as well.

A message is one with a good envelope, told by run, stream and sequence; or, for JSON services, a text that is a JSON
object with an `id` (a text or a number), acknowledged as `{"ack": id}`, with its `attempt` where it has one. A retry
is acknowledged again, and not delivered again as long as `seen` remembers it. Anything else gets no answer.

The bugs of its own: `lose` (as if the message had not come), `ack-then-lose`, `ack-never`. The last two count
messages and not their retries, and a message that is never acknowledged stays so at its retries.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

from picows import WSMsgType

from squall.reference.behaviours import Attended, Taking, Wire
from squall.reference.bugs import Strikes, find
from squall.reference.envelope import acknowledgement, read
from squall.reference.neighbours import Neighbours
from squall.reference.seen import Recent, SeenNumbers

__all__ = ["Acknowledging"]

_JSON_BEGINS: Final = ord("{")


class _Message(NamedTuple):
    """Which it is, and what acknowledges it. `number` is None where `name` is its whole id."""

    name: Hashable
    number: int | None
    acknowledgement: bytes


class Acknowledging(Attended):
    """See the module.

    Args:
        neighbours: the open connections.
        acknowledge: takes the acknowledgements.
        deliver: takes each message once; None: nothing is delivered.
        strikes: the bugs of the node.
    """

    __slots__ = (
        "_ack_never",
        "_ack_then_lose",
        "_acknowledge",
        "_deliver",
        "_lose",
        "_names",
        "_never",
        "_numbers",
    )

    def __init__(
        self,
        neighbours: Neighbours[Wire],
        acknowledge: Taking,
        deliver: Taking | None,
        strikes: Sequence[Strikes],
    ) -> None:
        super().__init__(neighbours)
        self._acknowledge = acknowledge
        self._deliver = deliver
        self._lose = find("lose", strikes)
        self._ack_never = find("ack-never", strikes)
        self._ack_then_lose = find("ack-then-lose", strikes)
        self._numbers = SeenNumbers()
        self._names = Recent()
        self._never = Recent()

    def on_message(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Acknowledge it, and deliver it if it is new."""
        message = _message(opcode, payload)
        if message is None or _is_struck(self._lose):
            return
        is_new = self._is_new(message)
        is_dropped = is_new and _is_struck(self._ack_then_lose)
        if not self._is_muted(message, is_new=is_new):
            self._acknowledge(wire, opcode, memoryview(message.acknowledgement))
        if self._deliver is not None and is_new and not is_dropped:
            self._deliver(wire, opcode, payload)

    def _is_muted(self, message: _Message, *, is_new: bool) -> bool:
        if self._ack_never is None:
            return False
        whole_name = (message.name, message.number)
        if is_new and self._ack_never.next():
            self._never.add(whole_name)
        return whole_name in self._never

    def _is_new(self, message: _Message) -> bool:
        if message.number is None:
            return self._names.add(message.name)
        return self._numbers.add(message.name, message.number)


def _is_struck(strikes: Strikes | None) -> bool:
    return strikes is not None and strikes.next()


def _message(opcode: WSMsgType, payload: memoryview) -> _Message | None:
    """The message, if it is one that can be acknowledged: an acknowledgement is none."""
    if opcode is WSMsgType.TEXT and payload and payload[0] == _JSON_BEGINS:
        return _json_message(payload)
    envelope = read(opcode, payload)
    if envelope is None or envelope.is_acknowledgement:
        return None
    return _Message((envelope.run, envelope.stream), envelope.sequence, acknowledgement(envelope))


def _json_message(payload: memoryview) -> _Message | None:
    try:
        found: dict[str, Any] = json.loads(bytes(payload))
    except (ValueError, RecursionError):
        return None
    name = found.get("id")
    if not isinstance(name, str | int | float) or isinstance(name, bool):
        return None
    answer = {"ack": name} | ({"attempt": found["attempt"]} if "attempt" in found else {})
    return _Message(name, None, json.dumps(answer).encode())
