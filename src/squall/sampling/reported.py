"""Figures that somebody else measured, under names of ours or of the user's: checked, and made into a sample.

The rule: nothing is believed that cannot be: a figure is a number, finite and not below zero, a share at most 1
(and a little, for those that divide by their own clock). The first that is not is said, and left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from squall.record.resources import COUNTED, FIGURES

__all__ = ["CUSTOM_MAX", "fields_of"]

CUSTOM_MAX: Final = 100
"""Figures under names of the user's own that are kept of one look."""

_SHARE_MAX: Final = 1.05
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def fields_of(reported: Mapping[str, object]) -> tuple[dict[str, Any], str]:
    """The fields of a sample, and what is wrong with the first figure that is not believed.

    `tcp_states` may be a mapping of numbers; None stands for what was not measured.
    """
    fields: dict[str, Any] = {}
    custom: dict[str, float] = {}
    problem = ""
    for name, value in reported.items():
        if value is None:
            continue
        if name == "tcp_states" and isinstance(value, Mapping):
            states = {
                str(state): _number(count) for state, count in value.items() if _NAME.fullmatch(str(state))
            }
            fields[name] = {state: int(count) for state, count in states.items() if count is not None}
            continue
        wrong = _wrong(name, value)
        number = _number(value)
        if wrong or number is None:
            problem = problem or wrong
        elif name in COUNTED:
            fields[name] = round(number)
        elif name in FIGURES:
            fields[name] = number
        elif len(custom) < CUSTOM_MAX:
            custom[name] = number
        else:
            problem = problem or f"more than {CUSTOM_MAX} figures with names of their own"
    if custom:
        fields["custom"] = custom
    return fields, problem


def _wrong(name: str, value: object) -> str:
    if _NAME.fullmatch(name) is None:
        return "a figure's name is not made of letters, digits and _"
    number = _number(value)
    if number is None:
        return f"{name} is no number that can be measured"
    if name.endswith("_share") and name in FIGURES and number > _SHARE_MAX:
        return f"{name} is {number:g}, and a share is at most 1: divide by 100 what is in per cent"
    return ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None
