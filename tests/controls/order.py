"""What the order of arrival at one receiver says of one stream: lists and sets, by the definitions, nothing kept short.

An arrival here is the first good copy of a message: each message stands once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Arrived", "Overtaken", "gaps", "gone_back", "overtaken", "waits_ns"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message's first good copy: its number, when it came, what it is, and its place among all that came.

    `intended_ns` is the time that stands in it.
    """

    sequence: int
    at_ns: int
    type: int
    type_sequence: int
    intended_ns: int = 0
    place: int = 0


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A reordered message (RFC 4737, section 3): its extent in messages (4.2) and late time (4.3)."""

    arrived: Arrived
    extent: int
    late_ns: int


def overtaken(arrivals: Sequence[Arrived]) -> list[Overtaken]:
    """Those that came behind one with a higher number."""
    found = []
    for place, arrived in enumerate(arrivals):
        before = [at for at, other in enumerate(arrivals[:place]) if other.sequence > arrived.sequence]
        if before:
            overtaker = arrivals[before[0]]
            found.append(Overtaken(arrived, place - before[0], arrived.at_ns - overtaker.at_ns))
    return found


def waits_ns(arrivals: Sequence[Arrived]) -> list[tuple[Arrived, int]]:
    """Those that a receiver which hands out in order must hold back for a predecessor, and how long."""
    found = []
    for place, arrived in enumerate(arrivals):
        awaited = [other.at_ns for other in arrivals[place + 1 :] if other.sequence < arrived.sequence]
        if awaited:
            found.append((arrived, max(awaited) - arrived.at_ns))
    return found


def gone_back(arrivals: Sequence[Arrived]) -> list[Arrived]:
    """Those whose time lies before that of one which came before them."""
    return [
        arrived
        for place, arrived in enumerate(arrivals)
        if any(other.intended_ns > arrived.intended_ns for other in arrivals[:place])
    ]


def gaps(lost: Iterable[int], arrivals: Sequence[Arrived]) -> list[range]:
    """The maximal runs of numbers lost that have a later number's arrival behind them."""
    highest = max((arrived.sequence for arrived in arrivals), default=-1)
    runs: list[range] = []
    for number in sorted(number for number in lost if number < highest):
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs
