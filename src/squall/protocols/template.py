"""Fills in what a session says: its columns of the data once, what squall makes for each message.

In a mapping, which is sent as JSON, values are escaped as JSON wants it, and a value that is nothing but `{seq}`,
`{session}`, `{now_ms}` or `{attempt}` becomes a number. In a text everything goes in as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from squall.scenario.data import pieces
from squall.scenario.templates import GENERATED, Template

__all__ = ["Filled", "filled_with"]

_NUMBER_ALONE: Final = re.compile(r'"\{(seq|session|now_ms|attempt)\}"(?!:)')


class Filled:
    """A template with the columns of one session filled in. Holds secrets: it shows nothing of itself."""

    __slots__ = ("_names", "_texts")

    def __init__(self, texts: tuple[str, ...], names: tuple[str, ...]) -> None:
        self._texts = texts
        self._names = names

    def __repr__(self) -> str:
        return "<Filled>"

    def text(self, values: Mapping[str, object]) -> str:
        """The message, with what squall makes for it."""
        if not self._names:
            return self._texts[0]
        found: list[str] = []
        for text, name in zip(self._texts, self._names, strict=False):
            found += (text, str(values[name]))
        found.append(self._texts[-1])
        return "".join(found)


def filled_with(template: Template, row: Mapping[str, str]) -> Filled:
    """A template for the session with this row of the data.

    Raises:
        KeyError: the row has no such column; the scenario's checks see to it that it has.
    """
    is_json = not isinstance(template, str)
    source = template if isinstance(template, str) else _json_of(template)
    texts, names = [""], []
    for before, name in pieces(source):
        texts[-1] += before
        if name in GENERATED:
            names.append(name)
            texts.append("")
        elif name:
            texts[-1] += json.dumps(row[name], ensure_ascii=False)[1:-1] if is_json else row[name]
    return Filled(tuple(texts), tuple(names))


def _json_of(template: Mapping[str, object]) -> str:
    """The JSON of a mapping, its places still in it."""
    text = json.dumps(template, ensure_ascii=False, separators=(",", ":"))
    return _NUMBER_ALONE.sub(r"{\1}", text)
