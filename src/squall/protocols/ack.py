"""Sends messages of the service's own kind, and reads which of them the service acknowledges.

An acknowledgement names its message as a reply names its request, and the attempt where it repeats `{attempt}`. It
says no more: there is nothing in it to be right or wrong. When a message is sent again is not decided here.
"""

from __future__ import annotations

from squall.protocols.base import FOREIGN, Acknowledged, Event, Frame, Seat, Surroundings, UnknownAck
from squall.protocols.conditions import checks_of, meets_any
from squall.protocols.ids import UNKNOWN_ID, Ids
from squall.protocols.reading import MISSING, Heard, as_text, parsed_path
from squall.scenario.exchanges import AckExchange

__all__ = ["AckTalk"]


class AckTalk:
    """See the module.

    Raises:
        ValueError: the exchange sends squall's envelope, which needs no talk.
    """

    def __init__(self, exchange: AckExchange, seat: Seat, around: Surroundings) -> None:
        if exchange.send is None or exchange.ack is None:
            raise ValueError("squall's envelope needs no talk")
        self._ids = Ids(exchange.send, exchange.ack, seat, around)
        self._attempt = None if exchange.attempt is None else parsed_path(exchange.attempt)
        self._foreign = checks_of(exchange.foreign, seat.row)

    def begin(self) -> None:
        """The stream goes on: what was sent before may still be acknowledged."""

    def message(self, sequence: int, type_index: int, at_ns: int, attempt: int = 1) -> str:
        """See the base; with which attempt to send it this is."""
        return self._ids.message(sequence, type_index, at_ns, attempt)

    def read(self, frame: Frame) -> Event:
        """See the base."""
        heard = Heard(frame)
        if meets_any(heard, self._foreign):
            return FOREIGN
        named = self._ids.named_in(heard)
        if isinstance(named, int):
            return Acknowledged(named, self._attempt_in(heard))
        return UnknownAck() if named == UNKNOWN_ID else named

    def _attempt_in(self, heard: Heard) -> int:
        """The attempt that an acknowledgement names; 0 where it names none."""
        if self._attempt is None:
            return 0
        value = heard.field(self._attempt)
        said = "" if value is MISSING else as_text(value)
        return int(said) if said.isascii() and said.isdecimal() and len(said) <= 2 else 0
