"""Counts and clocks what comes unasked.

With a `sequence` field, numbers are followed for each connection, and for each value of `key` on it, anew after a
reconnect; without one nobody can tell what is missing. With a time stamp a message has a *delay*: from the sender's
stamp to its arrival, by two clocks, so that it holds what they differ by. A negative delay is told as it is.
"""

from __future__ import annotations

import math
from typing import Any, Final

from squall.protocols.base import FOREIGN, Foreign, Frame, Pushed, Seat, Surroundings
from squall.protocols.conditions import checks_of, meets_any
from squall.protocols.reading import MISSING, Heard, as_text, parsed_path
from squall.protocols.sequence import Change, Track
from squall.scenario.exchanges import PushExchange

__all__ = ["KEYS_MAX", "PushTalk"]

KEYS_MAX: Final = 1_000
"""Sequences that are followed on one connection; messages of further ones are counted without."""

_UNITS_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DELAY_MAX_NS: Final = 1 << 62
_COUNTED: Final = Pushed()


class PushTalk:
    """See the module."""

    def __init__(self, exchange: PushExchange, seat: Seat, around: Surroundings) -> None:
        self._sequence = None if exchange.sequence is None else parsed_path(exchange.sequence)
        self._key = None if exchange.key is None else parsed_path(exchange.key)
        self._stamp = None if exchange.stamp is None else parsed_path(exchange.stamp.field)
        self._unit_ns = 1 if exchange.stamp is None else _UNITS_NS[exchange.stamp.unit]
        self._foreign = checks_of(exchange.foreign, seat.row)
        self._started_wall_ns = around.started_wall_ns
        self._tracks: dict[str, Track] = {}

    def begin(self) -> None:
        """A new connection: its sequences begin anew."""
        self._tracks.clear()

    def message(self, sequence: int, type_index: int, at_ns: int) -> str:
        """Nothing is ever sent."""
        raise NotImplementedError

    def read(self, frame: Frame) -> Pushed | Foreign:
        """See the base."""
        heard = Heard(frame)
        if self._foreign and meets_any(heard, self._foreign):
            return FOREIGN
        if self._sequence is None and self._stamp is None:
            return _COUNTED
        if heard.document is MISSING:
            return Pushed(misfits=("not_json",))
        misfits: list[str] = []
        change = None if self._sequence is None else self._follow(heard, misfits)
        delay_ns = None if self._stamp is None else self._delay_ns(heard, misfits)
        return Pushed(
            sequenced=change is not None,
            missing=0 if change is None else change.missing,
            gaps=0 if change is None else change.gaps,
            duplicated=change is not None and change.duplicated,
            reordered=change is not None and change.reordered,
            delay_ns=delay_ns,
            misfits=tuple(misfits),
        )

    def _follow(self, heard: Heard, misfits: list[str]) -> Change | None:
        """What its number says; None where it has none."""
        number = _whole(heard.field(self._sequence or ()))
        if number is None:
            misfits.append("sequence_missing")
            return None
        key = ""
        if self._key is not None:
            value = heard.field(self._key)
            if value is MISSING:
                misfits.append("key_missing")
                return None
            key = as_text(value)
        track = self._tracks.get(key)
        if track is None:
            if len(self._tracks) >= KEYS_MAX:
                misfits.append("too_many_keys")
                return None
            track = self._tracks[key] = Track()
        change = track.arrive(number)
        if change.unknown:
            misfits.append("sequence_before_the_account")
        return change

    def _delay_ns(self, heard: Heard, misfits: list[str]) -> int | None:
        stamp = _number(heard.field(self._stamp or ()))
        if stamp is None:
            misfits.append("stamp_missing")
            return None
        delay_ns = self._started_wall_ns + heard.frame.at_ns - round(stamp * self._unit_ns)
        if abs(delay_ns) >= _DELAY_MAX_NS:
            misfits.append("stamp_unreadable")
            return None
        return delay_ns


def _number(value: Any) -> int | float | None:
    """A number, or text that is one."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if is_number else None


def _whole(value: Any) -> int | None:
    """A whole number, or text that is one."""
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None
