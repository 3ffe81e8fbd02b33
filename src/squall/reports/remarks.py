"""What stands out in a run, in sentences: when it was, what was seen, and what that is held against."""

from __future__ import annotations

from squall.charts.quantities import Unit, clock, quantity
from squall.metrics.moments import UNENDED, Moment
from squall.reports.figures import count, duration, milliseconds, percent

__all__ = ["remark", "when"]

_NAMES = {"memory_bytes": "memory", "descriptors": "open descriptors", "threads": "threads"}


def when(start_s: float, end_s: float | None = None) -> str:
    """A time of the run, or a stretch of it: 1:30, 1:30–1:42."""
    start = clock(start_s)
    end = start if end_s is None else clock(end_s)
    return start if start == end else f"{start}–{end}"


def remark(moment: Moment) -> str:
    """One sentence on one moment."""
    if moment.kind == "silence" and moment.what == UNENDED:
        return (
            f"Silence: from {clock(moment.start_s)} on nothing arrived on any connection until the load ended,"
            f" {milliseconds(moment.figure)} later (usually at most {milliseconds(moment.usual)})."
        )
    if moment.kind == "silence":
        return (
            f"Silence: for {milliseconds(moment.figure)}, from {clock(moment.start_s, 0.001)}, nothing arrived"
            f" on any connection of a worker (usually at most {milliseconds(moment.usual)})."
        )
    if moment.kind == "slow":
        return (
            f"Slow answers: p99 of the response time rose to {milliseconds(moment.figure)},"
            f" from the usual {milliseconds(moment.usual)}."
        )
    if moment.kind == "slow_place":
        return (
            f"A slow place: {moment.what} has a median response time of {milliseconds(moment.figure)},"
            f" all other places together {milliseconds(moment.usual)}."
        )
    if moment.kind == "slow_spells":
        return _spells(moment)
    return _drops(moment) if moment.kind == "drops" else _growth(moment)


def _spells(moment: Moment) -> str:
    lasted = f"for {duration(moment.lasted_s)}"
    if moment.times > 1:
        lasted = f"{count(moment.times)} times, {lasted} in all"
    return (
        f"A place that was slow at times: the p99 of {moment.what} rose to {milliseconds(moment.figure)}, while that of"
        f" the other places was {milliseconds(moment.usual)}; {lasted}."
    )


def _drops(moment: Moment) -> str:
    of = f" of the {count(round(moment.usual))} held" if moment.usual else ""
    again = f"; {count(moment.again)} came back" if moment.again else ""
    if moment.back_s is None:
        return f"Drops: {count(round(moment.figure))}{of} connections ended that squall did not end{again}."
    after = duration(moment.back_s - moment.start_s)
    return (
        f"Drops: {count(round(moment.figure))}{of} connections ended that squall did not end{again};"
        f" as many as before were held again after {after}."
    )


def _growth(moment: Moment) -> str:
    source, _, name = moment.what.rpartition(":")
    unit: Unit = "bytes" if name == "memory_bytes" else "count"
    usual = moment.usual or 0.0
    more = percent(moment.figure / usual - 1) if usual else "more"
    took = moment.end_s - moment.start_s
    rate = quantity((moment.figure - usual) / took * 60, unit) if took else "not measured"
    return (
        f"Growth: {_NAMES[name]} of {source} went up in a straight line, from {quantity(round(usual), unit)} to"
        f" {quantity(round(moment.figure), unit)} (by {more}), {rate} a minute, while the load was held."
    )
