"""Which behaviour serves which path, with the bugs that were asked for around it.

One behaviour serves all connections of a path. The bugs of a node count over all of its paths. It knows no
connection.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Sequence

from squall.reference.behaviours import Behaviour, Echo, Wire
from squall.reference.bugs import Strikes
from squall.reference.counters import Tally
from squall.reference.delivery_bugs import Budget, with_arrival_bugs, with_delivery_bugs
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender

__all__ = ["Paths"]


class Paths:
    """The behaviours of a node."""

    def __init__(self, tally: Tally, strikes: Sequence[Strikes], loop: AbstractEventLoop) -> None:
        self._sender = Sender(tally)
        self._strikes = tuple(strikes)
        self._loop = loop
        self._budget = Budget()
        self._echo = self._echo_behaviour()

    def behaviour(self, path: str) -> Behaviour:  # noqa: ARG002 - an echo on any path
        """What serves a connection to this path."""
        return self._echo

    def _echo_behaviour(self) -> Behaviour:
        neighbours: Neighbours[Wire] = Neighbours()
        outlet = with_delivery_bugs(self._sender, self._strikes, self._loop, self._budget, neighbours.after)
        return with_arrival_bugs(Echo(neighbours, outlet.deliver), self._strikes)
