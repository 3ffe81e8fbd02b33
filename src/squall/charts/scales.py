"""Where on an axis a figure stands, and at which figures the axis is marked.

The rule: a scale maps its range to 0 … 1, and its ticks are figures that people count in: 1, 2, 5 and their
tens; seconds, quarters and tens of minutes; nines. It knows no pixel.

On a scale of **nines** a share q of 0 to 1 stands at -log10(1 - q): from 90 % to 99 % is as far as from 99 %
to 99.9 %. So the tail of a distribution has as much room as its body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from squall.charts.quantities import Unit, clock, quantity

__all__ = ["Kind", "Scale", "Tick", "nines", "value_scale", "x_scale"]

Kind = Literal["linear", "log", "nines"]

_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_SHARES: Final = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999, 0.9999999)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: its place from 0 to 1, and its words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis: what is at its ends, how it runs, and its ticks."""

    kind: Kind
    start: float
    end: float
    ticks: tuple[Tick, ...]

    def places(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where figures stand, from 0 to 1 within the range; NaN stays NaN."""
        start, end = _ends(self.kind, self.start, self.end)
        return (_straight(self.kind, values, self.start) - start) / ((end - start) or 1.0)

    def place(self, value: float) -> float:
        """Where one figure stands."""
        return float(self.places(np.array([value]))[0])


def x_scale(start: float, end: float, unit: Unit, kind: Kind = "linear", marks: int = 6) -> Scale:
    """An axis from exactly `start` to `end`."""
    if end <= start:
        end = start + 1
    if kind == "nines":
        inside = [share for share in _SHARES if start <= share <= end]
        ticks = [(share, quantity(share, "quantile")) for share in inside]
    elif kind == "log":
        ticks = [(value, quantity(value, unit)) for value in _decades(start, end)]
    elif unit == "s":
        step = _time_step(end - start, marks)
        ticks = [(value, clock(value, step)) for value in _multiples(start, end, step)]
    else:
        step = _step(end - start, marks)
        ticks = [(value, quantity(value, unit)) for value in _multiples(start, end, step)]
    bare = Scale(kind, start, end, ())
    return Scale(kind, start, end, tuple(Tick(bare.place(value), text) for value, text in ticks))


def value_scale(least: float, greatest: float, unit: Unit, kind: Kind = "linear", marks: int = 5) -> Scale:
    """An axis of figures, from zero (or the decade below, if logarithmic) to the next tick above."""
    if kind == "log" and greatest > 0:
        low = least if least > 0 else greatest / 1000
        start, end = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(greatest * 1.0001))
        return x_scale(start, end, unit, "log")
    start, end = min(0.0, least), max(0.0, greatest)
    if end <= start:
        start, end = 0.0, 1.0
    step = _step(end - start, marks)
    if unit == "count":
        step = max(1.0, step)
    low, high = math.floor(start / step + 1e-9) * step, math.ceil(end / step - 1e-9) * step
    # Rounding may leave a tick a hair short of what was measured, which is to lie on its axis.
    return x_scale(min(low, start), max(high, end), unit, marks=marks + 1)


def nines(share: float) -> float:
    """The position of a share on a scale of nines."""
    return -math.log10(max(1 - share, 1e-12))


def _straight(kind: Kind, values: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    if kind == "log":
        return np.log10(np.maximum(values, start))
    if kind == "nines":
        return -np.log10(np.maximum(1 - values, 1e-12))
    return values


def _ends(kind: Kind, start: float, end: float) -> tuple[float, float]:
    if kind == "log":
        return math.log10(start), math.log10(end)
    return (nines(start), nines(end)) if kind == "nines" else (start, end)


def _step(span: float, marks: int) -> float:
    """The least of 1, 2, 5 times a power of ten that makes at most that many steps."""
    raw = span / max(1, marks)
    tens = 10.0 ** math.floor(math.log10(raw))
    return next(tens * each for each in (1, 2, 5, 10) if tens * each >= raw * (1 - 1e-9))


def _time_step(span_s: float, marks: int) -> float:
    raw = span_s / marks
    if raw <= 1:
        return max(0.001, _step(span_s, marks))
    return next((step for step in _STEPS_S if step >= raw), math.ceil(raw / 86400) * 86400)


def _multiples(start: float, end: float, step: float) -> list[float]:
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _decades(start: float, end: float) -> list[float]:
    first, last = math.ceil(math.log10(start) - 1e-9), math.floor(math.log10(end) + 1e-9)
    apart = 1 + (last - first) // 6
    return [10.0**power for power in range(first, last + 1, apart)]
