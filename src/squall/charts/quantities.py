"""Figures on a chart as people read them: with their unit, and three significant digits at most.

The rule: a chart knows its figures in base units (`Unit`), and only here do they become text. A position on a
time axis is written as a clock writes it, to the second or finer where the axis is.
"""

from __future__ import annotations

from typing import Final, Literal

from squall.units import significant

__all__ = ["Unit", "clock", "quantity"]

Unit = Literal["count", "ms", "s", "bytes", "bytes/s", "/s", "share", "cores", "quantile"]
"""What a figure counts; `quantile` is a share of all values of a distribution."""

_LARGE: Final = (("G", 1e9), ("M", 1e6))
_BYTES: Final = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def quantity(value: float, unit: Unit) -> str:
    """One figure with its unit: "12.3 ms", "1.5 s", "10,000", "48.2 MB", "85 %"."""
    if unit == "ms":
        return _milliseconds(value)
    if unit == "s":
        return clock(value)
    if unit in ("bytes", "bytes/s"):
        return _scaled(value, _BYTES, "B") + unit.removeprefix("bytes")
    if unit in ("share", "quantile"):
        # Near all of it, what is missing is what matters.
        return f"{significant(value * 100, 3 if value < 0.999 else 7)} %"
    text = _scaled(value, _LARGE, "") if abs(value) >= 999_500 else significant(value, _digits(value))
    return f"{text.rstrip()}{'/s' if unit == '/s' else ' cores' if unit == 'cores' else ''}"


def clock(at_s: float, grain_s: float = 1.0) -> str:
    """A time since the start: "0:07", "12:30", "1:00:00"; with a part of a second where the grain is finer."""
    sign, at_s = ("-", -at_s) if at_s < 0 else ("", at_s)
    digits = 0 if grain_s >= 1 else 1 if grain_s >= 0.1 else 3
    whole = round(at_s, digits)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(int(minutes), 60)
    second = f"{seconds:0{3 + digits if digits else 2}.{digits}f}"
    return f"{sign}{hours}:{minutes:02d}:{second}" if hours else f"{sign}{minutes}:{second}"


def _milliseconds(value_ms: float) -> str:
    size = abs(value_ms)
    if size >= 119_500:
        return f"{significant(value_ms / 60_000)} min"
    if size >= 999.5:
        return f"{significant(value_ms / 1000)} s"
    if 0 < size < 0.09995:
        return f"{significant(value_ms * 1000)} µs"
    return f"{significant(value_ms)} ms"


def _scaled(value: float, scales: tuple[tuple[str, float], ...], base: str) -> str:
    for name, size in scales:
        if abs(value) >= 0.9995 * size:
            return f"{significant(value / size)} {name}"
    return f"{significant(value)} {base}"


def _digits(value: float) -> int:
    """Whole numbers below a million are written out: 10,500 connections are not 10,500 by chance."""
    return 6 if float(value).is_integer() else 3
