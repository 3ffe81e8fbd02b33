"""Sends a request of the service's own kind, matches the reply to it, judges what it says.

A reply belongs to the message whose `{id}` it repeats: run, session and number, so that a reply meant for another
session is known for what it is. A template without `{id}` is matched by `{seq}`, the number alone, and then it is not.
What is no reply is foreign where it is declared, else unexpected. A reply that fails a condition or the user's check
is wrong: it delivers nothing, and a good one may still come.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from typing import Any, Final

from squall.errors import UserCodeError
from squall.protocols.base import FOREIGN, Answered, Event, Frame, Seat, Surroundings, Unexpected, Wrong
from squall.protocols.conditions import checks_of, meets_any
from squall.protocols.reading import MISSING, Heard, as_text, parsed_path
from squall.protocols.template import filled_with
from squall.scenario.exchanges import RequestExchange
from squall.scenario.templates import generated_in

__all__ = ["RequestTalk"]

_NS_PER_MS: Final = 1_000_000


class RequestTalk:
    """See the module."""

    def __init__(self, exchange: RequestExchange, seat: Seat, around: Surroundings) -> None:
        self._seat = seat
        self._around = around
        self._send = filled_with(exchange.send, seat.row)
        self._has_id = "id" in generated_in(exchange.send)
        self._prefix = f"{around.run_number:08x}-{seat.session}-"
        self._field = None if exchange.reply.field is None else parsed_path(exchange.reply.field)
        self._pattern = None if exchange.reply.pattern is None else re.compile(exchange.reply.pattern)
        self._foreign = checks_of(exchange.foreign, seat.row)
        tests = checks_of(exchange.correct, seat.row)
        names = [f"wrong_{each.field or 'text'}" for each in exchange.correct]
        self._correct = tuple(zip(names, tests, strict=True))
        self._check_name = exchange.check or ""
        self._next = 0

    def begin(self) -> None:
        """The stream goes on: replies to what was asked before may still come."""

    def message(self, sequence: int, type_index: int, at_ns: int) -> str:
        """See the base."""
        self._next = max(self._next, sequence + 1)
        return self._send.text(
            {
                "id": f"{self._prefix}{sequence}",
                "seq": sequence,
                "type": self._around.types[type_index],
                "session": self._seat.session,
                "now_ms": (self._around.started_wall_ns + at_ns) // _NS_PER_MS,
            }
        )

    def read(self, frame: Frame) -> Event:
        """See the base."""
        heard = Heard(frame)
        if meets_any(heard, self._foreign):
            return FOREIGN
        key = self._key_of(heard)
        if isinstance(key, Unexpected):
            return key
        sequence = self._sequence_of(key)
        if isinstance(sequence, Unexpected):
            return sequence
        for name, test in self._correct:
            if not test(heard):
                return Wrong(sequence, name)
        if self._around.check is not None and not self._passes(heard, sequence):
            return Wrong(sequence, "wrong_by_check")
        return Answered(sequence)

    def _key_of(self, heard: Heard) -> str | Unexpected:
        """What a reply repeats of its request, as text."""
        if self._pattern is not None:
            found = self._pattern.search(heard.text)
            return Unexpected("pattern_not_found") if found is None or found[1] is None else found[1]
        value = heard.field(self._field or ())
        if value is MISSING:
            return Unexpected("not_json" if heard.document is MISSING else "reply_field_missing")
        return as_text(value)

    def _sequence_of(self, key: str) -> int | Unexpected:
        """The number of the message that a reply answers."""
        if self._has_id and not key.startswith(self._prefix):
            ours = re.fullmatch(r"[0-9a-f]{8}-\d+-\d+", key) is not None
            return Unexpected("reply_to_another_session" if ours else "unknown_id")
        number = key[len(self._prefix) :] if self._has_id else key
        if not (number.isascii() and number.isdecimal() and len(number) <= 18 and int(number) < self._next):
            return Unexpected("unknown_id")
        return int(number)

    def _passes(self, heard: Heard, sequence: int) -> bool:
        """Whether the user's function finds the reply correct.

        Raises:
            UserCodeError: it raised. Its words are not shown: they may quote a reply, or the data.
        """
        reply = heard.text if heard.document is MISSING else heard.document
        request: Mapping[str, Any] = {
            **self._seat.row,
            "id": f"{self._prefix}{sequence}",
            "seq": sequence,
            "session": self._seat.session,
        }
        check = self._around.check
        try:
            return check is None or bool(check(reply, request))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            frames = traceback.extract_tb(error.__traceback__)
            row = f", data row {self._seat.index + 1}" if self._seat.row else ""
            raise UserCodeError(
                f"exchange.check {self._check_name}: {type(error).__name__} at line {frames[-1].lineno}"
                f" for the reply to message {sequence} of session {self._seat.session}{row}",
                hint="its own words are not shown: they may quote what a data file or the service says",
            ) from None
