"""Mistakes in a scenario: how validators report several at once, and how they are shown together.

The rule: whoever reads the message mends the file once. So a validator collects instead of stopping at the
first mistake, and nothing here, nor in any message, quotes a value that may be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = ["Mistake", "Mistakes", "Path", "did_you_mean", "path_text"]

Path = tuple[str | int, ...]
"""Where a setting is: keys, and numbers for the items of lists."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_METRIC_KEY = re.compile(r"[A-Za-z0-9_{}:., -]{1,128}")


@dataclass(frozen=True)
class Mistake:
    """One thing to mend: where in the scenario, and what is wrong."""

    path: Path
    message: str


class Mistakes:
    """What is wrong with one value: collected by a validator, raised together."""

    def __init__(self) -> None:
        self._found: list[InitErrorDetails] = []

    def add(self, message: str, *within: str | int) -> None:
        """One more; `within` leads from the value that is validated to what is wrong in it."""
        error = PydanticCustomError("mistake", "{message}", {"message": message})
        self._found.append(InitErrorDetails(type=error, loc=within, input=None))

    def adopt(self, error: ValidationError) -> None:
        """All that an inner validation found, kept as it is but for its input."""
        for detail in error.errors(include_url=False, include_input=False):
            context: dict[str, Any] = {**detail.get("ctx", {}), "message": detail["msg"]}
            kept = PydanticCustomError(detail["type"], "{message}", context)
            self._found.append(InitErrorDetails(type=kept, loc=detail["loc"], input=None))

    def raise_any(self) -> None:
        """Nothing, if nothing was found.

        Raises:
            ValidationError: with all that was found; pydantic puts the value's own path before each.
        """
        if self._found:
            raise ValidationError.from_exception_data("scenario", self._found, hide_input=True)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean "load"?` where a known name is close, whatever its case, else nothing."""
    names = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return f'; did you mean "{names[close[0]]}"?' if close else ""


def path_text(path: Path) -> str:
    """The path as people write it: `populations[1].traffic.payload[0].size`.

    A key that could not be a setting's or a header's name is cut where it stops looking like one: a secret
    may have slipped into it.
    """
    text = ""
    for place, part in enumerate(path):
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{_shown_key(part, path[:place])}"
    return text


def _shown_key(key: str, parents: Path) -> str:
    allowed = _METRIC_KEY if parents == ("thresholds",) else _PLAIN_KEY
    match = allowed.match(key)
    return key if match and match[0] == key else f"{match[0] if match else ''}…"
