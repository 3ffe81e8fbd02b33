"""Which behaviour serves which path, with the bugs that were asked for around it.

    /ack           each good message is acknowledged
    /ack/echo      and delivered back, once however often it is sent
    /push/acked    each message is delivered back until it is acknowledged; ?timeout=MILLISECONDS&retries=COUNT
    /room          {"join": "NAME"}, then each message goes to all other members
    /relay         the same, in rooms of exactly two
    /priority      an echo that answers what it read in one go by priority
    anything else  an echo

One behaviour serves all connections of a path, but for pushes, which each have their own. The bugs of a node count
over all of its paths.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

from squall.reference.acknowledging import Acknowledging
from squall.reference.behaviours import Behaviour, Echo, Wire
from squall.reference.bugs import Strikes
from squall.reference.counters import Tally
from squall.reference.delivery_bugs import After, Budget, with_arrival_bugs, with_delivery_bugs
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Outlet, Sender
from squall.reference.priorities import PriorityEcho
from squall.reference.pushing import AckedPush, PushTiming
from squall.reference.rooms import Rooms

__all__ = ["Paths"]

_ROOMS_ONLY: Final = frozenset({"break-causality"})
_AT_ARRIVAL: Final = frozenset({"lose"})
"""Where messages are acknowledged, one that is lost gets neither: the behaviour decides when it arrives."""


class Paths:
    """The behaviours of a node. `seed` draws what is not a bug: the jitter of retries."""

    def __init__(self, tally: Tally, strikes: Sequence[Strikes], loop: AbstractEventLoop, seed: int) -> None:
        self._sender = Sender(tally)
        self._strikes = tuple(strikes)
        self._loop = loop
        self._seed = seed
        self._budget = Budget()
        self._push_neighbours: Neighbours[Wire] = Neighbours()
        self._push_outlet = self._outlet(self._push_neighbours.after)
        self._echo = self._bugged(self._made_echo())
        made = {
            "/ack": self._made_acknowledging(delivers=False),
            "/ack/echo": self._made_acknowledging(delivers=True),
            "/room": self._made_rooms(None),
            "/relay": self._made_rooms(2),
            "/priority": self._made_priorities(),
        }
        self._served = {path: self._bugged(behaviour) for path, behaviour in made.items()}

    def behaviour(self, path: str, query: str) -> Behaviour:
        """What serves a connection to this path.

        Raises:
            ValueError: the query asks for what there is not, with what there is.
        """
        if path != "/push/acked":
            return self._served.get(path, self._echo)
        timing = PushTiming.from_query(parse_qs(query, keep_blank_values=True))
        push = AckedPush(self._push_neighbours, self._push_outlet.deliver, self._loop, timing, self._seed)
        return self._bugged(push)

    def _bugged(self, behaviour: Behaviour) -> Behaviour:
        return with_arrival_bugs(behaviour, self._strikes)

    def _outlet(self, after: After, without: frozenset[str] = _ROOMS_ONLY) -> Outlet:
        """A way out, with all bugs but some in front."""
        strikes = [each for each in self._strikes if each.bug.name not in without]
        return with_delivery_bugs(self._sender, strikes, self._loop, self._budget, after)

    def _made_echo(self) -> Behaviour:
        neighbours: Neighbours[Wire] = Neighbours()
        return Echo(neighbours, self._outlet(neighbours.after).deliver)

    def _made_acknowledging(self, *, delivers: bool) -> Behaviour:
        """Where nothing is delivered, the bugs of deliveries strike at the acknowledgements."""
        neighbours: Neighbours[Wire] = Neighbours()
        deliver = self._outlet(neighbours.after, _ROOMS_ONLY | _AT_ARRIVAL).deliver
        if delivers:
            return Acknowledging(neighbours, self._sender.deliver, deliver, self._strikes)
        return Acknowledging(neighbours, deliver, None, self._strikes)

    def _made_rooms(self, size_max: int | None) -> Behaviour:
        rooms = Rooms(Neighbours(), self._sender.deliver, size_max)
        without: frozenset[str] = frozenset() if size_max is None else _ROOMS_ONLY
        rooms.deliver = self._outlet(rooms.after, without).deliver
        return rooms

    def _made_priorities(self) -> Behaviour:
        neighbours: Neighbours[Wire] = Neighbours()
        return PriorityEcho(neighbours, self._outlet(neighbours.after).deliver, self._loop, self._strikes)
