"""A room's account, kept the slow way: it remembers every publish, every copy and every end, and judges at the end of all.

The reference for squall's fan-out ledger. It shares no code with it, and forgets nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["NaiveRoom", "Pair"]


@dataclass
class Pair:
    """One message, and one member that is owed it."""

    label: int
    broken: bool = False
    """One of the two connections died since the publish."""
    came_again: bool = False
    """The member's did: what comes after that comes on a later connection."""
    outcome: str = ""


@dataclass
class NaiveRoom:
    """Who is joined, and what became of each owed pair."""

    joined: set[int] = field(default_factory=set)
    sent: Counter[int] = field(default_factory=Counter)
    pairs: dict[tuple[int, int, int], Pair] = field(default_factory=dict)
    """By publisher, number and member."""
    seen: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """By publisher and member, the numbers of which a first copy counted, in order."""
    effects: list[tuple[int, tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    """Member, effect and cause, of each first copy that named one."""
    arrivals: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By member, the messages of which a first copy counted, in order."""
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Events and outcomes by the label of the message."""

    def publish(self, publisher: int, label: int) -> None:
        for member in self.joined - {publisher}:
            self.pairs[publisher, self.sent[publisher], member] = Pair(label)
            self.counts["owed", label] += 1
        self.sent[publisher] += 1

    def breaks(self, who: int) -> None:
        self.joined.discard(who)
        for (publisher, _, member), pair in self.pairs.items():
            pair.broken |= who in {publisher, member}
            pair.came_again |= who == member

    def settle(self, who: int, *, lived: bool) -> None:
        """It has left, or died for good; what it has published may come all the same in the second case."""
        self.joined.discard(who)
        for (publisher, _, member), pair in self.pairs.items():
            pair.broken |= who == publisher and not lived
            if (who == member or (who == publisher and lived)) and not pair.outcome:
                pair.outcome = "lost" if lived and not pair.broken else "unknown"
                self.counts[pair.outcome, pair.label] += 1

    def arrive(self, publisher: int, number: int, member: int, cause: tuple[int, int] | None = None) -> str:
        pair = self.pairs.get((publisher, number, member))
        if pair is None:
            return "not owed"
        if pair.outcome in {"lost", "unknown"}:
            return "undecided"
        if pair.outcome:
            self.counts["duplicated", pair.label] += 1
            return "duplicate"
        pair.outcome = "delivered"
        self.counts["delivered", pair.label] += 1
        self.counts["recovered", pair.label] += pair.came_again
        self.arrivals.setdefault(member, []).append((publisher, number))
        if cause is not None:
            self.effects.append((member, (publisher, number), cause))
        before = self.seen.setdefault((publisher, member), [])
        before.append(number)
        if number < max(before):
            self.counts["reordered", pair.label] += 1
            return "reordered"
        return "first"

    def causality(self) -> tuple[int, int]:
        """How many causal pairs there were, and violations."""
        pairs = violations = 0
        for member, effect, cause in self.effects:
            came = self.arrivals[member]
            if cause in came:
                pairs += 1
                violations += came.index(effect) < came.index(cause)
        return pairs, violations
