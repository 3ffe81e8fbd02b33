"""What all connections of the proxy share: the faults, the log, the clock, the room that is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from squall.proxy.envelopes import EnvelopeReader
from squall.proxy.log import FaultLog
from squall.proxy.table import FaultTable

__all__ = ["Hub", "Room"]

_ROOM_MAX: Final = 1 << 30


class Room:
    """How many bytes all connections together may hold back."""

    def __init__(self, most: int = _ROOM_MAX) -> None:
        self.used = 0
        self._most = most

    def __call__(self, size: int) -> bool:
        """Take so many bytes if there are, or give some back (negative); whether it was granted."""
        if size > 0 and self.used + size > self._most:
            return False
        self.used += size
        return True

    def note(self, size: int) -> None:
        """So many bytes are held at any rate: whoever sent them is told to wait."""
        self.used += size

    @property
    def is_scarce(self) -> bool:
        """More than half of it is used."""
        return self.used > self._most // 2


@dataclass(slots=True)
class Hub:
    """The one of a proxy."""

    table: FaultTable
    log: FaultLog
    now_ns: Callable[[], int]
    loop: asyncio.AbstractEventLoop
    room: Room = field(default_factory=Room)
    envelopes: EnvelopeReader = field(default_factory=EnvelopeReader)
