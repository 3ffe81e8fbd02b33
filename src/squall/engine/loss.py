"""What a worker that died leaves behind: every message that it owed gets an outcome, every connection an end.

By the rules for a dead worker:

- a message without an outcome in its last report is **unknown**;
- one due after that report and before the loss was noticed is **unknown** too, and counts as sent;
- one due later, until its session's planned end or the end of the run, is **not sent**, by squall;
- a connection open in the last report was **dropped** by the tester; an attempt still pending has failed.

The corrections come as snapshots of that worker, so that whoever adds reports up needs to know nothing of it.
Its sessions are the `started` lowest of its own that the plan has; of those that come and go by themselves, they
are those that the plan had here at the last report, each until the end of the visit that it was on. What nobody can
know any more is shared out: of which type such messages would have been, by weight; at which place, where most of
the worker's open connections were. A message to a room counts for each other member of it, all of them taken for
joined. The messages of a Poisson schedule are counted one by one up to `COUNTED_MAX`, and beyond that taken from the
mean rate. Of a sequential session, whose messages nobody planned, those count that
are due without any reply.

Pure. What happened between the last report and the death, and left no trace, it does not know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from squall.engine.agenda import Agenda
from squall.engine.base import PhaseOrder
from squall.engine.orders import moves_of
from squall.profiles.quotas import exact_quotas
from squall.profiles.schedule import Arrivals, arrivals_of
from squall.profiles.seating import Seating
from squall.profiles.share import PopulationSplit
from squall.profiles.visits import Visits
from squall.record.outcomes import Trouble
from squall.record.snapshots import ConnectionCell, Event, MessageCell, Snapshot, WorkerSample
from squall.scenario.models import Scenario

__all__ = ["COUNTED_MAX", "Account", "DueCounts"]

COUNTED_MAX: Final = 1_000_000
"""Due times that are looked at one by one."""

_NS: Final = 1_000_000_000


class Account:
    """What a worker has told so far, added up: what it owes, holds and tries."""

    def __init__(self, worker: int) -> None:
        self.worker = worker
        self.at_ns = 0
        self.index = -1
        self.started = 0
        self.final = False
        self._owed: dict[tuple[int, int, int, int], int] = defaultdict(int)
        self._intended: dict[int, int] = defaultdict(int)
        self._open: dict[tuple[int, int], int] = defaultdict(int)
        self._pending: dict[tuple[int, str], int] = defaultdict(int)
        self._entry_points: list[str] = []

    def add(self, snapshot: Snapshot) -> None:
        """Take a report in."""
        self.at_ns, self.index = snapshot.at_ns, snapshot.index
        self.started = snapshot.sample.started
        self.final = snapshot.final
        self._entry_points += [place.entry_point for place in snapshot.places]
        for cell in snapshot.messages:
            key = (cell.population, cell.phase, cell.type, cell.place)
            self._owed[key] += cell.sent - cell.delivered - cell.lost - cell.unknown
            self._intended[cell.population] += cell.intended
        for each in snapshot.connections:
            self._open[each.population, each.place] += each.established - each.closed - each.dropped
            # An attempt is booked where no node is known yet; the entry point is what both have in common.
            entry_point = self._entry_points[each.place]
            self._pending[each.population, entry_point] += each.attempted - each.established - each.failed

    def lost(
        self, event: Event, *, due_until_ns: int, due: DueCounts, orders: Sequence[PhaseOrder]
    ) -> Snapshot:
        """What its loss means for all that it had in hand: `event` says what became of it, and when noticed.

        Messages due before `due_until_ns` count as sent: until then nobody knew, or until all was stopped.
        """
        noticed_ns = event.at_ns
        cells = [
            MessageCell(population=key[0], phase=key[1], type=key[2], place=key[3], unknown=owed)
            for key, owed in sorted(self._owed.items())
            if owed > 0
        ]
        for population, phase, kind, count in self._due(self.at_ns, due_until_ns, due, orders):
            self._intended[population] += count
            cells.append(
                MessageCell(
                    population=population,
                    phase=phase,
                    type=kind,
                    place=self._main_place(population),
                    intended=count,
                    unknown=count,
                )
            )
        ended = self._ended_connections(_phase_at(orders, noticed_ns), event.kind)
        return self._snapshot(noticed_ns, cells, ended, [event])

    def not_sent(
        self, noticed_ns: int, until_ns: int, *, due: DueCounts, orders: Sequence[PhaseOrder]
    ) -> Snapshot | None:
        """The messages that it could not send any more, until the end of sending; None without any."""
        cells = [
            MessageCell(
                population=population,
                phase=phase,
                type=kind,
                place=self._main_place(population),
                intended=count,
                not_sent_squall=count,
            )
            for population, phase, kind, count in self._due(noticed_ns, until_ns, due, orders)
        ]
        return self._snapshot(until_ns, cells, [], []) if cells else None

    def _due(
        self, from_ns: int, until_ns: int, due: DueCounts, orders: Sequence[PhaseOrder]
    ) -> Iterator[tuple[int, int, int, int]]:
        """Population, phase, type and number of the messages due in [from, until)."""
        left = {
            population: due.messages_max(population, self.worker, self.started) - self._intended[population]
            for population in due.counted_populations
        }
        for (population, phase), count in due.of(
            self.worker, self.started, from_ns, until_ns, orders
        ).items():
            possible = max(0, min(count, left.get(population, count)))
            if population in left:
                left[population] -= possible
            for kind, share in enumerate(exact_quotas(due.type_weights(population), possible)):
                if share:
                    yield population, phase, kind, share

    def _main_place(self, population: int) -> int:
        places = [(-count, place) for (owner, place), count in self._open.items() if owner == population]
        return min(places)[1] if places else 0

    def _ended_connections(self, phase: int, kind: str) -> list[ConnectionCell]:
        cells = []
        for (population, place), count in sorted(self._open.items()):
            if count > 0:
                trouble = Trouble("open", kind, "tester")
                cells.append(
                    ConnectionCell(
                        population=population,
                        phase=phase,
                        place=place,
                        dropped=count,
                        abandoned=count,
                        troubles=[(trouble, count)],
                    )
                )
        for (population, entry_point), count in sorted(self._pending.items()):
            if count > 0:
                trouble = Trouble("connect", kind, "tester")
                cells.append(
                    ConnectionCell(
                        population=population,
                        phase=phase,
                        place=self._entry_points.index(entry_point),
                        failed=count,
                        troubles=[(trouble, count)],
                    )
                )
        return cells

    def _snapshot(
        self, at_ns: int, messages: list[MessageCell], connections: list[ConnectionCell], events: list[Event]
    ) -> Snapshot:
        self.index = max(self.index + 1, at_ns // _NS)
        self.final = True
        return Snapshot(
            index=self.index,
            at_ns=at_ns,
            sample=WorkerSample(worker=self.worker, started=self.started),
            messages=messages,
            connections=connections,
            events=events,
            final=True,
        )


@dataclass
class DueCounts:
    """How many messages of a worker's sessions become due, from the scenario alone."""

    scenario: Scenario
    workers: int

    def __post_init__(self) -> None:
        from squall.engine.setup import (
            population_seed,
            visits_of,
        )  # with it comes the whole engine: only after a loss

        populations = self.scenario.populations
        self.counted_populations = [
            index for index, each in enumerate(populations) if each.traffic.messages_per_session is not None
        ]
        self._split = PopulationSplit([each.weight for each in populations])
        self._visits = [visits_of(self.scenario, index) for index in range(len(populations))]
        self._seatings: dict[int, Seating] = {}
        self._arrivals: list[Arrivals | None] = []
        for index, each in enumerate(populations):
            seed = population_seed(self.scenario.seed, index)
            silent = each.rate_hz == 0
            self._arrivals.append(None if silent else arrivals_of(each.traffic, seed))

    def type_weights(self, population: int) -> list[float]:
        """The weights of a population's message types."""
        return list(self.scenario.populations[population].traffic.type_weights)

    def messages_max(self, population: int, worker: int, started: int) -> int:
        """How many messages, or pairs of message and member, the sessions of a counted population intend in all."""
        each = self.scenario.populations[population].traffic.messages_per_session or 0
        return each * sum(
            self._receivers(population, session, worker, started)
            for session in self._sessions(worker, started)
            if self._split.population_of(session) == population
        )

    def of(
        self, worker: int, started: int, from_ns: int, until_ns: int, orders: Sequence[PhaseOrder]
    ) -> dict[tuple[int, int], int]:
        """The number due in [from, until) by population and phase."""
        found: dict[tuple[int, int], int] = defaultdict(int)
        leaves = self._leaves(worker, from_ns, orders)
        visiting = self._visits_at(worker, from_ns, orders) if any(self._visits) else {}
        arrive = self.scenario.stay_s is not None
        budget = COUNTED_MAX
        for session in sorted(visiting) if arrive else self._sessions(worker, started):
            population, index = self._split.place_of(session)
            schedule = self._arrivals[population]
            if schedule is None:
                continue
            comes_and_goes = self._visits[population] is not None
            leave_ns = visiting.get(session, from_ns) if comes_and_goes else leaves.get(session, until_ns)
            until = min(until_ns, leave_ns)
            for phase, since, to in self._sending(population, from_ns, until, orders):
                count = self._count(population, schedule, index, since, to, counted=budget > 0)
                budget -= count
                found[population, phase] += count * self._receivers(population, session, worker, started)
        return {key: count for key, count in sorted(found.items()) if count}

    def _receivers(self, population: int, session: int, worker: int, started: int) -> int:
        """For how many places a message of a session counts: one, or each other member of its room."""
        size = self.scenario.populations[population].exchange.members
        if size == 1:
            return 1
        if worker not in self._seatings:
            self._seatings[worker] = Seating(self._split, worker, self.workers)
        return self._seatings[worker].members(session, size, max(started, session // self.workers + 1)) - 1

    def _sessions(self, worker: int, started: int) -> range:
        return range(worker, worker + started * self.workers, self.workers)

    def _leaves(self, worker: int, from_ns: int, orders: Sequence[PhaseOrder]) -> dict[int, int]:
        """When each session of a worker is planned to leave, the first time from `from_ns` on.

        One that has left before, and has not come again, leaves at `from_ns`: nothing of it is due any more.
        """
        leaves: dict[int, int] = {}
        for order in orders:
            for at_ns, session, opens in moves_of(order, worker, self.workers):
                if at_ns >= from_ns and not opens:
                    leaves.setdefault(session, at_ns)
                elif at_ns < from_ns and opens:
                    leaves.pop(session, None)
                elif at_ns < from_ns:
                    leaves[session] = from_ns
        return leaves

    def _visits_at(self, worker: int, at_ns: int, orders: Sequence[PhaseOrder]) -> dict[int, int]:
        """The sessions of a worker that are on a visit at a time, each with when it is to leave."""

        def visits_and_index(session: int) -> tuple[Visits, int] | None:
            population, index = self._split.place_of(session)
            visits = self._visits[population]
            return None if visits is None else (visits, index)

        agenda = Agenda(worker, self.workers, visits_and_index, self.scenario.stay_s)
        for order in orders:
            agenda.begin(order)
        while agenda.take(at_ns) is not None:
            pass
        return agenda.leaves_ns()

    def _sending(
        self, population: int, from_ns: int, until_ns: int, orders: Sequence[PhaseOrder]
    ) -> Iterator[tuple[int, int, int]]:
        """The parts of [from, until) in which a population sends, each with its phase."""
        during_ramp = self.scenario.populations[population].traffic.during_ramp
        for number, order in enumerate(orders):
            last = number + 1 == len(orders)
            end_ns = until_ns if last else min(until_ns, orders[number + 1].phase.start_ns)
            since_ns = max(from_ns, order.phase.start_ns) if number else from_ns
            sends = order.sends and (during_ramp or order.phase.kind != "ramp_up")
            if sends and since_ns < end_ns:
                yield order.phase.id, since_ns, end_ns

    def _count(
        self, population: int, schedule: Arrivals, index: int, from_ns: int, until_ns: int, *, counted: bool
    ) -> int:
        traffic = self.scenario.populations[population].traffic
        if counted or traffic.arrival == "uniform":
            return schedule.count_due(index, from_ns, until_ns)
        return round((until_ns - from_ns) / _NS * traffic.mean_rate)


def _phase_at(orders: Sequence[PhaseOrder], at_ns: int) -> int:
    """The id of the phase in which a time lies; the first one's for times before it."""
    begun = [order.phase.id for order in orders if order.phase.start_ns <= at_ns]
    return begun[-1] if begun else orders[0].phase.id
