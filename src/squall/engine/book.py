"""The books of a worker: its phases, its places, and all tallies, emptied into cells at each report.

A tallies object is found by (population, phase, place) and by the label that ledgers keep. Those of past phases in
which nothing happens any more are set aside, so that a report costs what the present phases cost.
"""

from __future__ import annotations

from bisect import bisect_right

from squall.engine.base import PhaseOrder
from squall.engine.tally import NEVER_NS, Tallies
from squall.record.snapshots import ConnectionCell, MessageCell, Place

__all__ = ["PLACES_MAX", "Book"]

PLACES_MAX = 64
"""Places a worker tells apart; what comes after is booked under a last one named "other"."""

_SET_ASIDE_AFTER_NS = 60_000_000_000


class Book:
    """See the module.

    Args:
        max_latencies_ns: for each population, the maximum latency of each type, `NEVER_NS` where it has none.
        sends_in_ramp: for each population, whether it sends before the hold.
    """

    def __init__(self, max_latencies_ns: list[list[int]], sends_in_ramp: list[bool]) -> None:
        self._max_latencies_ns = max_latencies_ns
        self._sends_in_ramp = sends_in_ramp
        self._orders: list[PhaseOrder] = []
        self._starts: list[int] = []
        self._by_key: dict[tuple[int, int, int], Tallies] = {}
        self._by_label: list[Tallies] = []
        self._active: dict[int, Tallies] = {}
        self._places: dict[tuple[str, str], int] = {}
        self._told = 0
        self.outstanding = 0
        """Messages sent and not settled, as of the last report: kept by the cells, as to ask 10,000 streams is a pause."""

    def begin(self, order: PhaseOrder) -> None:
        """A phase follows the last one; it may start later than now."""
        previous = self._orders[-1].phase.id if self._orders else None
        self._orders.append(order)
        self._starts.append(order.phase.start_ns)
        for tallies in self._by_label:
            if tallies.phase == previous:
                tallies.until_ns = order.phase.start_ns

    def retune(self, max_latencies_ns: list[list[int]]) -> None:
        """From the next phase on there are other types; only as long as nothing was sent."""
        self._max_latencies_ns = max_latencies_ns

    def order_at(self, at_ns: int) -> PhaseOrder:
        """The phase in which a time lies; the first one for times before it."""
        return self._orders[max(0, bisect_right(self._starts, at_ns) - 1)]

    def place(self, entry_point: str, node: str) -> int:
        """The index of a place."""
        key = (entry_point, node)
        if key not in self._places and len(self._places) >= PLACES_MAX - 1:
            key = ("other", "other")
        return self._places.setdefault(key, len(self._places))

    def at(self, population: int, at_ns: int, place: int) -> Tallies:
        """The tallies of a population and place in the phase in which a time lies."""
        index = max(0, bisect_right(self._starts, at_ns) - 1)
        order = self._orders[index]
        key = (population, order.phase.id, place)
        tallies = self._by_key.get(key)
        if tallies is None:
            ramping = order.phase.kind == "ramp_up"
            tallies = Tallies(
                len(self._by_label),
                *key,
                max_latencies_ns=self._max_latencies_ns[population],
                sends=order.sends and (self._sends_in_ramp[population] or not ramping),
            )
            tallies.until_ns = self._starts[index + 1] if index + 1 < len(self._starts) else NEVER_NS
            self._by_key[key] = tallies
            self._by_label.append(tallies)
        self._active[tallies.label] = tallies
        return tallies

    def labelled(self, label: int) -> Tallies:
        """The tallies that a ledger knows by this label."""
        tallies = self._by_label[label]
        self._active[label] = tallies
        return tallies

    def take(self, now_ns: int) -> tuple[list[MessageCell], list[ConnectionCell], list[Place]]:
        """All cells since the last call in which something happened, and the places not told before."""
        messages: list[MessageCell] = []
        connections: list[ConnectionCell] = []
        for tallies in list(self._active.values()):
            cells, connection = tallies.take()
            messages += cells
            self.outstanding += sum(cell.sent - cell.delivered - cell.lost - cell.unknown for cell in cells)
            if connection is not None:
                connections.append(connection)
            elif not cells and tallies.until_ns + _SET_ASIDE_AFTER_NS < now_ns:
                del self._active[tallies.label]
        new = [Place(*key) for key in list(self._places)[self._told :]]
        self._told = len(self._places)
        return messages, connections, new
