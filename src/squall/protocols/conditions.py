"""What a message must be, as the scenario says it: declared, so that it can be checked before a run and cannot raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from squall.protocols.reading import MISSING, Heard, as_text, parsed_path
from squall.scenario.data import fill
from squall.scenario.exchanges import Condition

__all__ = ["Check", "checks_of", "meets_all", "meets_any"]

Check = Callable[[Heard], bool]


def checks_of(conditions: Sequence[Condition], row: Mapping[str, str]) -> tuple[Check, ...]:
    """Conditions for a session with this row of the data."""
    return tuple(_check_of(condition, row) for condition in conditions)


def meets_all(heard: Heard, checks: Sequence[Check]) -> bool:
    """Whether a message meets each of them."""
    return all(check(heard) for check in checks)


def meets_any(heard: Heard, checks: Sequence[Check]) -> bool:
    """Whether a message meets one of them."""
    return any(check(heard) for check in checks)


def _check_of(condition: Condition, row: Mapping[str, str]) -> Check:
    path = None if condition.field is None else parsed_path(condition.field)

    def found_in(heard: Heard) -> Any:
        return heard.text if path is None else heard.field(path)

    if condition.exists is not None:
        wanted = condition.exists
        return lambda heard: (found_in(heard) is not MISSING) is wanted
    if condition.matches is not None:
        expression = re.compile(condition.matches)
        return lambda heard: (
            (value := found_in(heard)) is not MISSING and expression.search(as_text(value)) is not None
        )
    expected = fill(condition.equals, row) if isinstance(condition.equals, str) else condition.equals
    return lambda heard: _same(found_in(heard), expected)


def _same(value: Any, expected: str | float | bool | None) -> bool:
    """Equal as JSON has it: true is not 1, and 1 is 1.0."""
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    return bool(value == expected)
