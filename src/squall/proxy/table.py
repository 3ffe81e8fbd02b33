"""The faults that are in force, by time, as they are given, changed and taken away while the proxy runs.

A fault counts its window from when it was given. One that is given again exactly as it is goes on undisturbed.
Draws are pure functions of the fault's seed and of what is drawn for. Time is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from squall.errors import ScenarioError
from squall.scenario.faults import FaultKind, read_faults
from squall.seeds import derive, unit_draw

__all__ = ["FaultTable", "Placed"]

_DIRECTIONS: Final = ("up", "down")


class Placed:
    """A fault with the times of its window and the seed of its draws."""

    __slots__ = ("begins_ns", "ends_ns", "fault", "is_on", "name", "seed", "struck")

    def __init__(self, fault: FaultKind, seed: int, now_ns: int) -> None:
        self.fault = fault
        self.name = fault.label
        self.seed = fault.seed if fault.seed is not None else derive(seed, self.name)
        self.begins_ns = now_ns + round(fault.at * 1e9)
        self.ends_ns = None if fault.lasts is None else self.begins_ns + round(fault.lasts * 1e9)
        self.is_on = False
        self.struck = 0
        """How often it has acted: messages, pings or connections."""

    @property
    def kind(self) -> str:
        """Its kind's name."""
        return str(getattr(self.fault, "kind", ""))

    def strikes(self, about: int, index: int) -> bool:
        """Whether draw `index` about a connection or one direction of it says so."""
        probability = self.fault.probability
        return probability >= 1 or unit_draw(self.seed, about, index) < probability

    def is_due(self, now_ns: int) -> bool:
        """Whether its window is open."""
        return self.begins_ns <= now_ns and (self.ends_ns is None or now_ns < self.ends_ns)


class FaultTable:
    """The list of faults, and those of them that are on.

    Args:
        seed: from which the seeds of faults come that have none.
        tell: told of each that begins (True) or ends.
    """

    def __init__(self, seed: int, tell: Callable[[Placed, bool], None]) -> None:
        self.placed: tuple[Placed, ...] = ()
        self.version = 0
        """Another number means that another set may be on."""
        self.of_connections: dict[str, tuple[Placed, ...]] = dict.fromkeys(_DIRECTIONS, ())
        """Those that are on and act on connections, by direction."""
        self.of_messages: dict[str, tuple[Placed, ...]] = dict.fromkeys(_DIRECTIONS, ())
        """Those that are on and act on messages or pings, by direction."""
        self.next_change_ns: int | None = None
        """When the set that is on changes by itself."""
        self._seed = seed
        self._tell = tell

    @property
    def faults(self) -> tuple[FaultKind, ...]:
        """All that are given, on or not."""
        return tuple(each.fault for each in self.placed)

    def replace(self, faults: Sequence[FaultKind], now_ns: int) -> None:
        """Have these faults and no others.

        Raises:
            ScenarioError: two are called alike, or there are too many.
        """
        wanted = read_faults(list(faults))
        kept = {each.fault: each for each in self.placed}
        self.placed = tuple(kept.get(fault) or Placed(fault, self._seed, now_ns) for fault in wanted)
        gone = [each for each in kept.values() if each not in self.placed]
        self._settle(now_ns, gone)

    def add(self, fault: FaultKind, now_ns: int) -> None:
        """One more, behind the others.

        Raises:
            ScenarioError: one is called so, or there are too many.
        """
        self.replace([*self.faults, fault], now_ns)

    def remove(self, name: str, now_ns: int) -> None:
        """Take one away.

        Raises:
            ScenarioError: none is called so.
        """
        left = [fault for fault in self.faults if fault.label != name]
        if len(left) == len(self.placed):
            names = ", ".join(each.name for each in self.placed) or "none"
            raise ScenarioError(f"no fault is called {name}", hint=f"there are {names}")
        self.replace(left, now_ns)

    def advance(self, now_ns: int) -> bool:
        """Begin and end what is due; whether anything was."""
        if self.next_change_ns is None or now_ns < self.next_change_ns:
            return False
        self._settle(now_ns, [])
        return True

    def _settle(self, now_ns: int, gone: Sequence[Placed]) -> None:
        """Find out what is on."""
        self.version += 1
        for each in gone:
            if each.is_on:
                self._turn(each, is_on=False)
        for each in self.placed:
            is_on = each.is_due(now_ns)
            if is_on is not each.is_on:
                self._turn(each, is_on=is_on)
        on = [each for each in self.placed if each.is_on]
        for direction in _DIRECTIONS:
            here = [each for each in on if direction in each.fault.directions]
            self.of_connections[direction] = tuple(e for e in here if e.fault.acts_on == "connection")
            self.of_messages[direction] = tuple(e for e in here if e.fault.acts_on != "connection")
        coming = [
            at for e in self.placed for at in (e.begins_ns, e.ends_ns) if at is not None and at > now_ns
        ]
        self.next_change_ns = min(coming, default=None)

    def _turn(self, each: Placed, *, is_on: bool) -> None:
        each.is_on = is_on
        self._tell(each, is_on)
