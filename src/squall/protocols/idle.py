"""Holds a connection and says nothing: whatever comes was not asked for."""

from __future__ import annotations

from squall.protocols.base import Frame, Seat, Surroundings, Unexpected
from squall.scenario.exchanges import IdleExchange

__all__ = ["IdleTalk"]

_UNASKED = Unexpected("")


class IdleTalk:
    """See the module."""

    def __init__(self, exchange: IdleExchange, seat: Seat, around: Surroundings) -> None:
        del exchange, seat, around

    def begin(self) -> None:
        """Nothing is to be done."""

    def message(self, sequence: int, type_index: int, at_ns: int) -> str:
        """Nothing is ever sent."""
        raise NotImplementedError

    def read(self, frame: Frame) -> Unexpected:
        """See the base."""
        del frame
        return _UNASKED
