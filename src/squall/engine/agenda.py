"""What a worker's sessions are to do, in order of time: come, rest and leave, as the plan has it.

A session **comes** when its visit begins and **leaves** when the plan has no more of it. Between two visits it
**rests**: it leaves too, and comes again. Without visits, sessions stay as long as the level has them. Where the
plan fixes a level, a session that rests comes again; where it fixes arrivals per second, each session has one
visit, and new numbers come.

Everything follows from the scenario, the phases and the seed; each worker works out its own sessions, and the
number of workers changes nothing about who comes when. It holds what is ahead of the sessions that are here, and
of a phase its changes of level: however long a run is, no more. Pure; times are nanoseconds of the run.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from squall.engine.base import PhaseOrder, Steer
from squall.engine.orders import moves_of, profile_of
from squall.engine.tally import NEVER_NS
from squall.profiles.influx import Influx
from squall.profiles.visits import Visits

__all__ = ["Agenda", "Step"]

What = Literal["come", "rest", "leave"]
VisitsOf = Callable[[int], tuple[Visits, int] | None]
"""The visits of a session, and its index in its population; None where it stays."""


class Step(NamedTuple):
    """One thing to do. `leave_ns`: of one that comes, when it is to go."""

    at_ns: int
    session: int
    what: What
    leave_ns: int = NEVER_NS


class _Stay(NamedTuple):
    """A session that the plan has: the number of its visit, whether it is here, and when that changes."""

    visit: int
    here: bool
    until_ns: int


class Agenda:
    """The steps of one worker.

    Args:
        worker: whose.
        workers: of how many.
        visits_of: how long sessions stay.
        stay_s: where arrivals are fixed, how long a session stays on average; None where the level is.
    """

    def __init__(self, worker: int, workers: int, visits_of: VisitsOf, stay_s: float | None = None) -> None:
        self._worker, self._workers = worker, workers
        self._visits_of = visits_of
        self._stay_s = stay_s
        self._moves: deque[tuple[int, int, bool]] = deque()
        self._closes: dict[int, int] = {}
        self._influxes: list[tuple[int, Influx]] = []
        self._arriving = worker
        self._arrival_ns: int | None = None
        self._stays: dict[int, _Stay] = {}
        self._turns: list[tuple[int, int]] = []  # a heap of (time, session)
        self.here = 0
        """How many sessions the plan has here."""

    def begin(self, order: PhaseOrder) -> list[tuple[int, int]]:
        """A phase follows. The sessions that are here and leave with it, each with its time."""
        if self._stay_s is not None:
            self._begin_influx(order, self._stay_s)
            return []
        moves = moves_of(order, self._worker, self._workers)
        self._moves.extend(moves)
        closing = [(session, at_ns) for at_ns, session, opens in moves if not opens]
        self._closes.update(closing)
        return closing

    def steer(self, turn: Steer) -> list[int]:
        """What is left of the present phase takes longer from a time on, or does not come any more.

        The sessions that have come beyond the level where it stops: they leave.
        """
        if turn.stretch is not None:
            stretch = turn.stretch
            self._moves = deque(
                (_stretched(at_ns, turn.at_ns, stretch), number, opens)
                for at_ns, number, opens in self._moves
            )
            return []
        self._moves = deque(move for move in self._moves if move[0] <= turn.at_ns)
        beyond = sorted(session for session in self._stays if session >= turn.level)
        self._moves.extend((turn.at_ns, session, False) for session in beyond)
        return beyond

    def _begin_influx(self, order: PhaseOrder, stay_s: float) -> None:
        start_ns, before = order.phase.start_ns, 0.0
        if self._influxes:
            last_ns, last = self._influxes[-1]
            before = last.arrived((start_ns - last_ns) / 1e9)
        self._influxes.append((start_ns, Influx(profile_of(order).levels, stay_s, before)))
        self._arrival_ns = None

    @property
    def has_moves(self) -> bool:
        """Whether a change of level is still ahead."""
        return bool(self._moves)

    @property
    def next_ns(self) -> int | None:
        """When the next step is to be made; None where none is known."""
        times = [self._moves[0][0]] if self._moves else []
        if self._turns:
            times.append(self._turns[0][0])
        if self._influxes and (arrival_ns := self._next_arrival_ns()) is not None:
            times.append(arrival_ns)
        return min(times, default=None)

    def take(self, now_ns: int) -> Step | None:
        """The next step, if its time has come."""
        while (at_ns := self.next_ns) is not None and at_ns <= now_ns:
            if self._moves and self._moves[0][0] == at_ns:
                _, session, opens = self._moves.popleft()
                return self._come(at_ns, session, 0) if opens else self._leave(at_ns, session)
            if self._turns and self._turns[0][0] == at_ns:
                _, session = heapq.heappop(self._turns)
                stay = self._stays.get(session)
                if stay is None or stay.until_ns != at_ns:
                    continue  # it has left, or come anew, since this was noted
                return self._turn(at_ns, session, stay)
            session, self._arriving = self._arriving, self._arriving + self._workers
            self._arrival_ns = None
            return self._come(at_ns, session, 0)
        return None

    def leaves_ns(self) -> dict[int, int]:
        """The sessions that the plan has here, each with when it is to go."""
        return {
            session: min(stay.until_ns, self._closes.get(session, NEVER_NS))
            for session, stay in self._stays.items()
            if stay.here
        }

    def clear(self) -> None:
        """Nothing more is planned."""
        self._moves.clear()
        self._influxes.clear()
        self._turns.clear()

    def _next_arrival_ns(self) -> int | None:
        """When the next own session arrives; None where no phase so far brings it."""
        if self._arrival_ns is None:
            self._arrival_ns = self._found_arrival_ns()
        return self._arrival_ns

    def _found_arrival_ns(self) -> int | None:
        while True:
            start_ns, influx = self._influxes[0]
            offset_s = influx.offset_s(self._arriving)
            is_last = len(self._influxes) == 1
            if offset_s is not None:
                at_ns = start_ns + round(offset_s * 1e9)
                if is_last or at_ns < self._influxes[1][0]:
                    return at_ns
            if is_last:
                return None
            del self._influxes[0]

    def _come(self, at_ns: int, session: int, visit: int) -> Step:
        found = self._visits_of(session)
        until_ns = NEVER_NS
        if found is not None:
            visits, index = found
            until_ns = at_ns + visits.length_ns(index, visit)
            heapq.heappush(self._turns, (until_ns, session))
        self._stays[session] = _Stay(visit, True, until_ns)
        self.here += 1
        return Step(at_ns, session, "come", min(until_ns, self._closes.get(session, NEVER_NS)))

    def _turn(self, at_ns: int, session: int, stay: _Stay) -> Step:
        """A visit is over, or the time between two."""
        if not stay.here:
            return self._come(at_ns, session, stay.visit + 1)
        self.here -= 1
        found = self._visits_of(session)
        if self._stay_s is not None or found is None:
            del self._stays[session]
            return Step(at_ns, session, "leave")
        visits, index = found
        until_ns = at_ns + visits.think_ns(index, stay.visit)
        self._stays[session] = _Stay(stay.visit, False, until_ns)
        heapq.heappush(self._turns, (until_ns, session))
        return Step(at_ns, session, "rest")

    def _leave(self, at_ns: int, session: int) -> Step:
        stay = self._stays.pop(session, None)
        self._closes.pop(session, None)
        self.here -= stay is not None and stay.here
        return Step(at_ns, session, "leave")


def _stretched(at_ns: int, since_ns: int, stretch: float) -> int:
    """When something planned for a time happens where all after another time takes `stretch` times as long."""
    return at_ns if at_ns <= since_ns else since_ns + round((at_ns - since_ns) * stretch)
