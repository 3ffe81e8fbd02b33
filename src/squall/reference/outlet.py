"""The way out: hands a message to a connection and counts it.

Everything that the service answers with goes through here, so that what is counted as sent was sent; bugs
stand in front of it. It does not know why something is sent.
"""

from __future__ import annotations

from typing import Protocol

from picows import WSMsgType

from squall.reference.behaviours import Wire
from squall.reference.counters import Tally

__all__ = ["Outlet", "Sender"]


class Outlet(Protocol):
    """Where a behaviour puts what is to reach a connection."""

    def deliver(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Deliver one message. The payload's memory is reused when this returns."""
        ...


class Sender:
    """Sends at once; the end of every chain."""

    __slots__ = ("_tally",)

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def deliver(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Send it."""
        wire.send(opcode, payload)
        tally = self._tally
        tally.messages_sent += 1
        tally.bytes_sent += len(payload)
