"""Reads a message: its JSON, once and only if asked for, a field of it by its path, its text.

The rule: whatever came, reading it raises nothing: what is not there is `MISSING`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from squall.protocols.base import Frame

__all__ = ["MISSING", "Heard", "as_text", "parsed_path"]


class _Missing:
    """Stands for what is not there; null is."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_UNREAD: Final = _Missing()


class Heard:
    """One message that came."""

    __slots__ = ("_document", "frame")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._document: Any = _UNREAD

    @property
    def document(self) -> Any:
        """Its JSON; `MISSING` where it is none."""
        if self._document is _UNREAD:
            try:
                self._document = msgspec.json.decode(self.frame.payload)
            except (ValueError, RecursionError):
                self._document = MISSING
        return self._document

    @property
    def text(self) -> str:
        """All of its text, with a replacement character for what is no UTF-8."""
        return self.frame.payload.decode(errors="replace")

    def field(self, path: tuple[str, ...]) -> Any:
        """What stands at a path of its JSON."""
        found = self.document
        for part in path:
            if isinstance(found, dict):
                found = found.get(part, MISSING)
            elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            else:
                return MISSING
        return found


def parsed_path(path: str) -> tuple[str, ...]:
    """A field's path as the scenario writes it, `data.user.0.name`, in its parts."""
    return tuple(path.split("."))


def as_text(value: Any) -> str:
    """A value of JSON as text: text as it is, anything else as JSON writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
