"""How the views write times, rates and events. A dash stands for what was not measured."""

from __future__ import annotations

from typing import Final

from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event
from squall.record.stability import StabilityCheck
from squall.reports.figures import NOT_MEASURED, megabytes, percent
from squall.units import format_count, significant

__all__ = ["DASH", "check_words", "clock", "event", "milliseconds", "per_second", "resource_words", "trouble"]

DASH: Final = "–"
_EVENT_LENGTH_MAX: Final = 200
_CUSTOM_MAX: Final = 3


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


def resource_words(sample: ResourceSample) -> str:
    """One look at a watched machine: what was measured of it, or why nothing was."""
    parts: list[str] = []
    if sample.cpu_share is not None:
        cores = f" ({significant(sample.cpu_cores)} cores)" if sample.cpu_cores is not None else ""
        parts.append(f"cpu {percent(sample.cpu_share)}{cores}")
    elif sample.cpu_cores is not None:
        parts.append(f"cpu {significant(sample.cpu_cores)} cores")
    if sample.cpu_thread_max_cores is not None:
        parts.append(f"busiest thread {percent(sample.cpu_thread_max_cores)}")
    if sample.cpu_throttled_share:
        parts.append(f"throttled {percent(sample.cpu_throttled_share)}")
    if sample.memory_share is not None or sample.memory_bytes is not None:
        share = "" if sample.memory_share is None else f" {percent(sample.memory_share)}"
        size = "" if sample.memory_bytes is None else f" {megabytes(sample.memory_bytes)}"
        parts.append(f"memory{share}{size}")
    if sample.descriptors is not None:
        parts.append(f"descriptors {format_count(sample.descriptors)}")
    if sample.accept_queue:
        parts.append(f"accept queue {format_count(sample.accept_queue)}")
    if sample.accept_overflows:
        parts.append(f"accept overflows {format_count(sample.accept_overflows)}")
    parts += [f"{name} {significant(value)}" for name, value in list(sample.custom.items())[:_CUSTOM_MAX]]
    return "  ".join([*parts, sample.problem] if sample.problem else parts) or NOT_MEASURED


def check_words(check: StabilityCheck) -> str:
    """Why a stability check did not pass."""
    found = (
        ("drops", check.drop_share, check.drop_tolerance),
        ("slow connections", check.spike_share, check.spike_tolerance),
        ("undelivered", check.failure_share, check.failure_tolerance),
    )
    over = [
        f"{name} {percent(share)} (at most {percent(tolerance)})"
        for name, share, tolerance in found
        if share is not None and share > tolerance
    ]
    return f"{clock(check.start_ns)} to {clock(check.end_ns)}: {', '.join(over) or 'within its tolerances'}"


def event(happened: Event) -> str:
    """An event as one line, cut where it is very long."""
    text = " ".join(happened.text.split())
    text = text if len(text) <= _EVENT_LENGTH_MAX else f"{text[: _EVENT_LENGTH_MAX - 1]}…"
    return f"{clock(happened.at_ns)} {happened.kind.replace('_', ' ')}: {text}"
