"""What a template may say: text or JSON with `{column}` places from the data, and values that squall makes.

The rule: a template holds what its author wrote, which may be a secret, so nothing here quotes one. Filling it
in is `squall.protocols.template`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from squall.scenario.data import columns

__all__ = [
    "CONDITIONS",
    "GENERATED",
    "GENERATED_ONCE",
    "TEMPLATED",
    "WRITTEN_OUT",
    "Template",
    "columns_of",
    "generated_in",
    "texts_of",
]

Template = str | dict[str, Any]
"""Text as it is sent, or a mapping that is sent as JSON."""

GENERATED: Final = ("id", "seq", "type", "session", "now_ms", "attempt")
"""What squall fills in: the message's id, its number and type, its session's number, the time in ms since 1970, and
which attempt to send it this is, from 1."""

GENERATED_ONCE: Final = ("session", "now_ms")
"""Those that are known before there is a message."""

WRITTEN_OUT: Final = ("send", "join")
"""The settings of an exchange or of an opening's step that are sent, with data filled in."""

CONDITIONS: Final = ("correct", "foreign", "expect", "refuse", "joined", "refused")
"""Those that are lists of conditions; data is filled in there, too."""

TEMPLATED: Final = WRITTEN_OUT + CONDITIONS


def texts_of(template: Any) -> Iterator[str]:
    """Every text in a template, keys included; nothing of what is neither text nor made of it."""
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from texts_of(key)
            yield from texts_of(value)
    elif isinstance(template, (list, tuple)):
        for value in template:
            yield from texts_of(value)


def columns_of(template: Any) -> set[str]:
    """The columns of the data that a template names."""
    return _named_in(template) - set(GENERATED)


def generated_in(template: Any) -> set[str]:
    """The values that squall makes for a template."""
    return _named_in(template) & set(GENERATED)


def _named_in(template: Any) -> set[str]:
    return {name for text in texts_of(template) for name in columns(text)}
