"""How figures are written for people: with their unit, and with no more digits than they are worth.

Digits are those of `squall.metrics.figures`. What was not measured says so; nothing here turns None into a number.
"""

from __future__ import annotations

from typing import Final

from squall.metrics import figures
from squall.units import significant

__all__ = [
    "NOT_MEASURED",
    "count",
    "duration",
    "megabytes",
    "milliseconds",
    "percent",
    "plain",
    "rate",
    "significant",
]

NOT_MEASURED: Final = "not measured"


def count(value: int | None) -> str:
    """A whole number of things: 10,000."""
    return NOT_MEASURED if value is None else f"{value:,}"


def milliseconds(value_ms: float | None) -> str:
    """A latency given in milliseconds: 0.412 ms, 12.3 ms, 1.23 s."""
    if value_ms is None:
        return NOT_MEASURED
    if abs(value_ms) < 999.5:
        return f"{significant(value_ms)} ms"
    return f"{significant(value_ms / 1000)} s"


def duration(value_s: float | None) -> str:
    """How long something lasted, given in seconds: 350 ms, 12.3 s, 2 min 5 s, 1 h 0 min."""
    if value_s is None:
        return NOT_MEASURED
    if value_s < 1:
        return milliseconds(value_s * 1000)
    if value_s < 59.95:
        return f"{significant(value_s)} s"
    seconds = round(value_s)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    minutes = round(value_s / 60)
    return f"{minutes // 60:,} h {minutes % 60} min"


def percent(share: float | None) -> str:
    """A share from 0 to 1: 12.5 %. Only all is 100 %, and only none is 0 %."""
    return NOT_MEASURED if share is None else figures.percent(share)


def rate(value_hz: float | None, what: str = "") -> str:
    """So many a second: 9,870 msg/s."""
    return NOT_MEASURED if value_hz is None else f"{significant(value_hz)} {what}/s"


def megabytes(value_bytes: float | None) -> str:
    """Memory or traffic in units of 10^6 bytes: 128 MB, 1.23 GB."""
    if value_bytes is None:
        return NOT_MEASURED
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value_bytes) >= 0.9995 * size:
            return f"{significant(value_bytes / size)} {unit}"
    return f"{round(value_bytes)} B"


def plain(value: float | None) -> str:
    """A figure whose unit is told elsewhere: whole numbers in full, and no 1 for 0.99996."""
    return NOT_MEASURED if value is None else figures.number(value)
