"""A row of characters for figures over time: ▁▂▃▄▅▆▇█, the newest at the right. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

__all__ = ["sparkline"]

_BARS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The values from nothing to the greatest of them, in exactly this many characters.

    Where there are more values than characters, each character has the greatest of its own, so that no spike is
    lost; where there are fewer, the row begins later. What was not measured is blank.
    """
    if width <= 0:
        return ""
    cells = _greatest(values, width)
    top = max((value for value in cells if value is not None), default=0.0)
    return "".join(_bar(value, top) for value in cells).rjust(width)


def _greatest(values: Sequence[float | None], width: int) -> list[float | None]:
    count = len(values)
    if count <= width:
        return list(values)
    ends = [count * place // width for place in range(width + 1)]
    groups = ([value for value in values[start:end] if value is not None] for start, end in pairwise(ends))
    return [max(group, default=None) for group in groups]


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return " "
    if top <= 0 or value <= 0:
        return _BARS[0]
    return _BARS[min(len(_BARS) - 1, int(value / top * len(_BARS)))]
