"""The connections of a run, to look at while it lasts: `ConnectionManager`.

What it shows are the figures of the workers' last reports, one a second, so it is at most about a second behind
(`age_s` says how much). It looks and never touches: how many connections there are to be is the plan's to say.
Before the first report everything is *not measured*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from squall.metrics.totals import Selection, Totals

__all__ = ["ConnectionManager", "ConnectionStates", "PlaceConnections"]

_NS: Final = 1_000_000_000


class Running(Protocol):
    """What there is to look at."""

    @property
    def totals(self) -> Totals:
        """All that has been reported so far."""

    def now_ns(self) -> int:
        """The time of the run."""


class ConnectionStates(msgspec.Struct, frozen=True, kw_only=True):
    """Connections by what became of them. attempted = pending + failed + open + closed + dropped."""

    attempted: int
    pending: int
    """Under way: not yet upgraded, not yet failed."""
    failed: int
    open: int
    closed: int
    """As planned, by squall."""
    dropped: int
    """By anyone else."""


class PlaceConnections(msgspec.Struct, frozen=True, kw_only=True):
    """Connections of one entry point and the node that answered there. Failed attempts have no node."""

    entry_point: str
    node: str
    open: int
    failed: int
    closed: int
    dropped: int


class ConnectionManager:
    """See the module. `run` gives the run, and None as long as there is none."""

    def __init__(self, run: Callable[[], Running | None]) -> None:
        self._run = run

    @property
    def age_s(self) -> float | None:
        """How old the figures are, in seconds; None before the first report."""
        run = self._reporting()
        return None if run is None else max(0.0, (run.now_ns() - run.totals.last_at_ns) / _NS)

    @property
    def held(self) -> int | None:
        """Upgraded and not closed, over all workers."""
        run = self._reporting()
        return None if run is None else run.totals.level().last

    @property
    def planned(self) -> int | None:
        """How many were to be held at the time of the last report."""
        run = self._reporting()
        return None if run is None else run.totals.recent[-1].planned

    @property
    def peak(self) -> int | None:
        """The most that were held at the end of a second."""
        run = self._reporting()
        return None if run is None else run.totals.level().most

    @property
    def by_state(self) -> ConnectionStates | None:
        """All of the run."""
        run = self._reporting()
        if run is None:
            return None
        found = run.totals.connections()
        return ConnectionStates(
            attempted=found.attempted,
            pending=found.pending,
            failed=found.failed,
            open=found.open,
            closed=found.closed,
            dropped=found.dropped,
        )

    @property
    def by_place(self) -> tuple[PlaceConnections, ...] | None:
        """All that were held or failed, by entry point and node, in the order in which these were first seen."""
        run = self._reporting()
        if run is None:
            return None
        found = []
        for place in dict.fromkeys(run.totals.places):
            there = run.totals.connections(Selection(entry_point=place.entry_point, node=place.node))
            if not there.established + there.failed:
                continue  # attempts are under way, and nobody knows yet which node will answer
            found.append(
                PlaceConnections(
                    entry_point=place.entry_point,
                    node=place.node,
                    open=there.open,
                    failed=there.failed,
                    closed=there.closed,
                    dropped=there.dropped,
                )
            )
        return tuple(found)

    def _reporting(self) -> Running | None:
        run = self._run()
        return run if run is not None and run.totals.recent else None

    def __repr__(self) -> str:
        held = "nothing reported yet" if self.held is None else f"{self.held:,} held"
        return f"<ConnectionManager: {held}>"
