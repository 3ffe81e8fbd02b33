"""One stream's account, kept the slow way: it remembers everything and works each figure out from its definition.

The reference for squall's ledger. It shares no code with it, and forgets only what a definition says is forgotten.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Naive"]

RUNS_REMEMBERED = 64


@dataclass
class Naive:
    """Every message and every arrival of one stream, and what follows from them by definition.

    `window`: how many missing messages are remembered before the oldest are given up.
    """

    window: int
    labels: list[int] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    label: int = -1
    epoch: int = 0
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    """(number, time) of each distinct message that counted as an arrival, in order."""
    evicted: set[int] = field(default_factory=set)
    settled: int = 0
    """Numbers below were settled: what had not come never counts any more."""
    given_up: set[int] = field(default_factory=set)
    """What was settled without having come."""
    acknowledged: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    """What was settled as lost."""

    def send(self) -> int:
        self.labels.append(self.label)
        self.epochs.append(self.epoch)
        return len(self.labels) - 1

    def owed(self) -> list[int]:
        here = {number for number, _ in self.arrivals}
        return [n for n in range(self.settled, len(self.labels)) if n not in here and n not in self.evicted]

    def arrive(self, number: int, now_ns: int) -> tuple[str, int, int]:
        """The kind of the arrival; of a reordered one its extent and late time too."""
        if number >= len(self.labels):
            return "foreign", 0, 0
        owed = number in self.owed()
        if number in self.evicted | self.given_up or number < self.known_from():
            return "undecided", 0, 0
        if not owed:
            return "duplicate", 0, 0
        overtakers = [(place, at_ns) for place, (other, at_ns) in enumerate(self.arrivals) if other > number]
        place = len(self.arrivals)
        self.arrivals.append((number, now_ns))
        self._evict()
        if not overtakers:
            return "first", 0, 0
        return "reordered", place - overtakers[0][0], now_ns - overtakers[0][1]

    def known_from(self) -> int:
        """Of numbers below nobody remembers any more which had come: that is known by runs, and the oldest are forgotten."""
        missed = sorted(self.evicted | self.given_up)
        ends = [number + 1 for number in missed if number + 1 not in missed]
        return ends[-RUNS_REMEMBERED - 1] if len(ends) > RUNS_REMEMBERED else 0

    def _evict(self) -> None:
        highest = max(number for number, _ in self.arrivals)
        missing = [number for number in self.owed() if number < highest]
        if len(missing) > self.window:
            self.evicted.update(missing[: len(missing) - self.window])

    def acknowledge(self, number: int) -> None:
        """It is lost if it never comes, whatever becomes of its connection."""
        if number in self.owed():
            self.acknowledged.add(number)

    def settle(self, lived: bool) -> Counter[tuple[int, int, bool, bool]]:
        """(number, label, unknown, acknowledged) of everything owed."""
        ends: Counter[tuple[int, int, bool, bool]] = Counter()
        for number in self.owed():
            acknowledged = number in self.acknowledged
            unknown = not acknowledged and (not lived or self.epochs[number] != self.epoch)
            ends[number, self.labels[number], unknown, acknowledged] += 1
            if not unknown:
                self.lost.add(number)
            self.given_up.add(number)
        self.settled = len(self.labels)
        return ends

    def waits(self) -> dict[int, int]:
        """How long each arrival that was before a predecessor would have been held back by an in-order receiver."""
        found = {}
        for place, (number, at_ns) in enumerate(self.arrivals):
            later = [other_ns for other, other_ns in self.arrivals[place:] if other < number]
            if later:
                found[number] = max(later) - at_ns
        return found

    def gaps(self) -> list[list[int]]:
        """Maximal runs of lost numbers with a later arrival behind them."""
        highest = max((number for number, _ in self.arrivals), default=-1)
        runs: list[list[int]] = []
        for number in sorted(self.lost):
            if runs and runs[-1][-1] == number - 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        return [run for run in runs if run[-1] < highest]
