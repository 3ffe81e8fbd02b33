"""Sends a request of the service's own kind, matches the reply to it, judges what it says.

A reply belongs to the message whose id it repeats (see `ids`). What is no reply is foreign where it is declared, else
unexpected. A reply that fails a condition or the user's check is wrong: it delivers nothing, and a good one may still
come.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from squall.errors import UserCodeError
from squall.protocols.base import FOREIGN, Answered, Event, Frame, Seat, Surroundings, Unexpected, Wrong
from squall.protocols.conditions import checks_of, meets_any
from squall.protocols.ids import Ids
from squall.protocols.reading import MISSING, Heard
from squall.scenario.exchanges import RequestExchange

__all__ = ["RequestTalk"]


class RequestTalk:
    """See the module."""

    def __init__(self, exchange: RequestExchange, seat: Seat, around: Surroundings) -> None:
        self._seat = seat
        self._around = around
        self._ids = Ids(exchange.send, exchange.reply, seat, around)
        self._foreign = checks_of(exchange.foreign, seat.row)
        tests = checks_of(exchange.correct, seat.row)
        names = [f"wrong_{each.field or 'text'}" for each in exchange.correct]
        self._correct = tuple(zip(names, tests, strict=True))
        self._check_name = exchange.check or ""

    def begin(self) -> None:
        """The stream goes on: replies to what was asked before may still come."""

    def message(self, sequence: int, type_index: int, at_ns: int) -> str:
        """See the base."""
        return self._ids.message(sequence, type_index, at_ns)

    def read(self, frame: Frame) -> Event:
        """See the base."""
        heard = Heard(frame)
        if meets_any(heard, self._foreign):
            return FOREIGN
        sequence = self._ids.named_in(heard)
        if isinstance(sequence, Unexpected):
            return sequence
        for name, test in self._correct:
            if not test(heard):
                return Wrong(sequence, name)
        if self._around.check is not None and not self._passes(heard, sequence):
            return Wrong(sequence, "wrong_by_check")
        return Answered(sequence)

    def _passes(self, heard: Heard, sequence: int) -> bool:
        """Whether the user's function finds the reply correct.

        Raises:
            UserCodeError: it raised. Its words are not shown: they may quote a reply, or the data.
        """
        reply = heard.text if heard.document is MISSING else heard.document
        request: Mapping[str, Any] = {
            **self._seat.row,
            "id": self._ids.id_of(sequence),
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
