"""A stage of the proxy with its log kept, and faults that are on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from squall.proxy.frames import FrameCursor
from squall.proxy.hub import Room
from squall.proxy.message import Message
from squall.proxy.messages import Stage
from squall.proxy.table import Placed
from squall.record.fault_log import Deed
from squall.scenario.faults import FaultKind

__all__ = ["MASK", "S", "Tried", "placed"]

S = 1_000_000_000
MASK = b"\x11\x22\x33\x44"


def placed(fault: FaultKind, seed: int = 1) -> Placed:
    """The fault, on."""
    made = Placed(fault, seed, 0)
    made.is_on = True
    return made


@dataclass
class Tried:
    """A stage in one direction, fed by hand."""

    up: bool = True
    about: int = 2
    room: Room = field(default_factory=Room)
    told: list[tuple[str, Deed, int | None, str]] = field(default_factory=list)
    """Fault, deed, frame and note of each entry."""

    def __post_init__(self) -> None:
        self.cursor = FrameCursor()
        self.stage = Stage(self.about, self.up, self.cursor, self._tell, self.room)

    def _tell(
        self, fault: Placed, what: Deed, _now: int, frame: int | None, _message: Message | None, note: str
    ) -> None:
        self.told.append((fault.name, what, frame, note))

    def feed(self, data: bytes, faults: list[Placed], at_s: float = 0) -> bytes:
        return b"".join(self.stage.feed(data, round(at_s * S), faults))

    def due(self, at_s: float) -> bytes:
        return b"".join(self.stage.due(round(at_s * S)))

    @property
    def deeds(self) -> Counter[str]:
        return Counter(what for _, what, _, _ in self.told)
