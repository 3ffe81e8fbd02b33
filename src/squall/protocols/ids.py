"""The ids of one session's messages: what fills a template's places, and which message an answer names.

`{id}` is run, session and number, so that an answer meant for another session is known for what it is. A template
without it is told by `{seq}`, the number alone, and then it is not.
"""

from __future__ import annotations

import re
from typing import Final

from squall.protocols.base import Seat, Surroundings, Unexpected
from squall.protocols.reading import MISSING, Heard, as_text, parsed_path
from squall.protocols.template import filled_with
from squall.scenario.exchanges import ReplyKey
from squall.scenario.templates import Template, generated_in

__all__ = ["UNKNOWN_ID", "Ids"]

UNKNOWN_ID: Final = Unexpected("unknown_id")
"""An answer names a message that was never sent."""

_NS_PER_MS: Final = 1_000_000
_DIGITS_MAX: Final = 18


class Ids:
    """See the module. Holds what the template holds, which may be secret."""

    def __init__(self, send: Template, key: ReplyKey, seat: Seat, around: Surroundings) -> None:
        self._seat = seat
        self._around = around
        self._send = filled_with(send, seat.row)
        self._has_id = "id" in generated_in(send)
        self._prefix = f"{around.run_number:08x}-{seat.session}-"
        self._field = None if key.field is None else parsed_path(key.field)
        self._pattern = None if key.pattern is None else re.compile(key.pattern)
        self._next = 0

    def id_of(self, sequence: int) -> str:
        """What `{id}` becomes in the message with this number."""
        return f"{self._prefix}{sequence}"

    def message(self, sequence: int, type_index: int, at_ns: int, attempt: int = 1) -> str:
        """The template, filled in."""
        self._next = max(self._next, sequence + 1)
        return self._send.text(
            {
                "id": self.id_of(sequence),
                "seq": sequence,
                "type": self._around.types[type_index],
                "session": self._seat.session,
                "now_ms": (self._around.started_wall_ns + at_ns) // _NS_PER_MS,
                "attempt": attempt,
            }
        )

    def named_in(self, heard: Heard) -> int | Unexpected:
        """The number of the message that an answer names."""
        key = self._key_of(heard)
        return key if isinstance(key, Unexpected) else self._sequence_of(key)

    def _key_of(self, heard: Heard) -> str | Unexpected:
        """What an answer repeats of its message, as text."""
        if self._pattern is not None:
            found = self._pattern.search(heard.text)
            return Unexpected("pattern_not_found") if found is None or found[1] is None else found[1]
        value = heard.field(self._field or ())
        if value is MISSING:
            return Unexpected("not_json" if heard.document is MISSING else "reply_field_missing")
        return as_text(value)

    def _sequence_of(self, key: str) -> int | Unexpected:
        if self._has_id and not key.startswith(self._prefix):
            ours = re.fullmatch(r"[0-9a-f]{8}-\d+-\d+", key) is not None
            return Unexpected("reply_to_another_session") if ours else UNKNOWN_ID
        number = key[len(self._prefix) :] if self._has_id else key
        if not (number.isascii() and number.isdecimal() and len(number) <= _DIGITS_MAX):
            return UNKNOWN_ID
        return int(number) if int(number) < self._next else UNKNOWN_ID
