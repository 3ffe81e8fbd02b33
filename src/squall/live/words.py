"""How the views write times, rates and events. A dash stands for what was not measured."""

from __future__ import annotations

from typing import Final

from squall.record.outcomes import Trouble
from squall.record.snapshots import Event

__all__ = ["DASH", "clock", "event", "milliseconds", "per_second", "trouble"]

DASH: Final = "–"
_EVENT_LENGTH_MAX: Final = 200


def clock(at_ns: int) -> str:
    """A time of the run: 0:00:07."""
    minutes, seconds = divmod(at_ns // 1_000_000_000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def milliseconds(value_ms: float | None) -> str:
    """A latency in ms without its unit, as a column wants it: 0.41, 12.3, 1,234."""
    if value_ms is None:
        return DASH
    if value_ms >= 99.95:
        return f"{value_ms:,.0f}"
    return f"{value_ms:.1f}" if value_ms >= 9.995 else f"{value_ms:.2f}"


def per_second(value_hz: float | None) -> str:
    """A rate: 10,012/s; below ten a second with one decimal."""
    if value_hz is None:
        return DASH
    return f"{value_hz:,.0f}/s" if value_hz >= 9.95 or value_hz == round(value_hz) else f"{value_hz:.1f}/s"


def trouble(found: Trouble) -> str:
    """What went wrong, where, and whose doing it was: upgrade status 403 (target)."""
    return f"{found.step} {found.kind.replace('_', ' ')} ({found.blame})"


def event(happened: Event) -> str:
    """An event as one line, cut where it is very long."""
    text = " ".join(happened.text.split())
    text = text if len(text) <= _EVENT_LENGTH_MAX else f"{text[: _EVENT_LENGTH_MAX - 1]}…"
    return f"{clock(happened.at_ns)} {happened.kind.replace('_', ' ')}: {text}"
