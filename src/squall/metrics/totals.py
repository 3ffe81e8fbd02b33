"""The whole run, added up as it goes: what every verdict and every summary is computed from.

The rule: totals are merged from intervals and never stored, and they are bounded. There is one cell for
each (population, phase, type, place) that occurred, however many seconds the run has; of the seconds
themselves only the last 600 are kept, and of all before them what `squall.metrics.windows` keeps. Fed with
the intervals of a record, they are what they were during the run.

The whole run lasts from its start to its last interval. A phase lasts from its start to its end, or to the
last interval where it has not ended.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from squall.metrics.alerts import AlertTotals
from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.metrics.distribution import Distribution
from squall.metrics.outages import Outages
from squall.metrics.phases import phase_at, ramps
from squall.metrics.ramp_checks import RampChecks
from squall.metrics.recovery import Recoveries
from squall.metrics.resources import Resources
from squall.metrics.stability import CheckTotals
from squall.metrics.streams import SendingTroubles, WorstStreams
from squall.metrics.windows import Level, Pace
from squall.record.reconciliation import Reconciliation
from squall.record.resources import ResourceSample
from squall.record.run import Phase
from squall.record.snapshots import ConnectionCell, Event, Interval, MessageCell, Place, WorkerSample
from squall.scenario.models import Tracking

__all__ = [
    "EVERYTHING",
    "FORCED",
    "FORCED_KEPT",
    "RECENT_SECONDS",
    "WORKER_KILLED",
    "WORKER_LOST",
    "Second",
    "Selection",
    "Totals",
]

RECENT_SECONDS: Final = 600
WORKER_LOST: Final = "worker_lost"
"""The kind of event that says that a worker died."""
WORKER_KILLED: Final = "killed"
"""The kind of event that says that squall ended a worker at once, as it was asked to."""
FORCED: Final = "forced"
"""The kind of event that says that a planned close was not answered by a close frame, and how it ended."""
FORCED_KEPT: Final = 500
"""Such events that are kept; the cells have how many there were."""

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which cells: those that match all that is given. `phases` are ids, `phase` is a name."""

    population: str | None = None
    type: str | None = None
    phase: str | None = None
    phases: frozenset[int] | None = None
    entry_point: str | None = None
    node: str | None = None
    code: int | None = None
    step: str | None = None
    kind: str | None = None
    blame: str | None = None
    source: str | None = None
    figure: str | None = None


EVERYTHING: Final = Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One interval in figures: changes since the one before, except `held` and `planned`. None: no
    response."""

    index: int
    at_ns: int
    held: int
    planned: int
    attempted: int
    established: int
    failed: int
    dropped: int
    closed: int
    intended: int
    sent: int
    not_sent: int
    delivered: int
    lost: int
    unknown: int
    response_p50_ns: int | None
    response_p95_ns: int | None
    response_p99_ns: int | None
    response_max_ns: int | None
    response_mean_ns: float | None


class Totals:
    """A run so far.

    Args:
        populations: their names, in the order of their numbers.
        types: each population's message types, in the order of their numbers.
        tracking: what was kept account of; what was not is not measured.
        unseen: the populations of which nobody sees what the service delivers: it acknowledges, and that is all.
        acknowledged: the populations whose messages are acknowledged, each with who does it: service or client.
        unconfirmed: the populations whose sessions are not shown whether what they send arrives.
    """

    def __init__(
        self,
        populations: Sequence[str],
        types: Sequence[Sequence[str]],
        tracking: Tracking = Tracking(),
        unseen: Collection[str] = (),
        acknowledged: Mapping[str, str] = MappingProxyType({}),
        unconfirmed: Collection[str] = (),
    ) -> None:
        self.tracking = tracking
        self.unseen = frozenset(unseen)
        self.acknowledged = dict(acknowledged)
        self.unconfirmed = frozenset(unconfirmed)
        self.populations = tuple(populations)
        self.types = tuple(tuple(names) for names in types)
        self.phases: dict[int, Phase] = {}
        self.places: list[Place] = []
        self.recent: deque[Second] = deque(maxlen=RECENT_SECONDS)
        self.events: Counter[str] = Counter()
        self.forced: list[Event] = []
        self.workers: dict[int, WorkerSample] = {}
        self.workers_lost: set[int] = set()
        self.seconds = 0
        self.incomplete_seconds = 0
        self.since_ns = 0
        self.last_at_ns = 0
        self.sending_from_ns: int | None = None
        self.sending_to_ns: int | None = None
        self.rss_max_bytes = 0
        self.loop_lag_max_ns = 0
        self.silence_max_ns = 0
        self.silence_start_ns = 0
        self.checks = CheckTotals()
        self.alerts = AlertTotals()
        self.outages = Outages()
        self.resources = Resources()
        """The watched machines."""
        self.ramp_checks = RampChecks()
        self.sending_troubles = SendingTroubles()
        self.late_messages: list[tuple[int, int]] = []
        """Those that the workers told by stream and number."""
        self.recoveries = Recoveries()
        self.streams = WorstStreams()
        self.reconciliation: Reconciliation | None = None
        """What the faults of the run explain; known once it is over."""
        self._level = Level()
        self._levels: dict[int, Level] = {}
        self._paces: dict[int, Pace] = {}
        self._messages: dict[tuple[int, int, int, int], MessageTotals] = {}
        self._connections: dict[tuple[int, int, int], ConnectionTotals] = {}

    def is_seen(self, selection: Selection) -> bool:
        """Whether somebody sees what the service delivers of these messages."""
        if selection.population is not None:
            return selection.population not in self.unseen
        return not self.unseen

    def from_here(self, phase: Phase) -> Totals:
        """Empty totals for what comes from now on, in a phase that has begun."""
        later = Totals(
            self.populations, self.types, self.tracking, self.unseen, self.acknowledged, self.unconfirmed
        )
        later.places = list(self.places)
        later.since_ns = later.last_at_ns = self.last_at_ns
        later.note(phase)
        return later

    def note(self, phase: Phase) -> None:
        """Take a phase as it begins, and again with its end."""
        self.phases[phase.id] = phase

    def add(self, interval: Interval) -> None:
        """Add one second of the run."""
        since_ns = self.last_at_ns
        length_ns = max(0, interval.at_ns - since_ns)
        self.seconds += 1
        self.incomplete_seconds += not interval.complete
        self.last_at_ns = max(since_ns, interval.at_ns)
        self.places += interval.places
        second = self._add_messages(interval.messages)
        self._add_connections(interval.connections)
        self.outages.add(interval)
        self._add_level(interval, length_ns)
        self.ramp_checks.add(interval, ramps(self.phases.values()))
        self._add_workers(interval)
        for trouble in interval.streams:
            self.streams.add(trouble)
        for sent in interval.seconds:
            self.sending_troubles.add(sent)
        self.late_messages += interval.late
        phase = phase_at(self.phases.values(), since_ns)
        held = phase is not None and phase.kind == "sustained"
        self.recoveries.add(since_ns, self.last_at_ns, self._done(interval), second.response, held=held)
        if second.sent > 0:
            self.sending_from_ns = since_ns if self.sending_from_ns is None else self.sending_from_ns
            self.sending_to_ns = self.last_at_ns
        self.recent.append(_second(interval, second))

    def happened(self, event: Event) -> None:
        """Take an event that no worker told; before the second in which it lies."""
        self.alerts.add(event)
        self.recoveries.happened(event)

    def sampled(self, sample: ResourceSample) -> None:
        """Take one look at a watched machine."""
        self.resources.add(sample, self.phases.values())

    def messages(self, selection: Selection = EVERYTHING) -> MessageTotals:
        """The messages of all cells that a selection picks, added up."""
        total = MessageTotals()
        phases = self.phase_ids(selection)
        for (population, phase, kind, place), cell in self._messages.items():
            if (
                (phases is None or phase in phases)
                and self._is_population(population, selection)
                and selection.type in (None, self.types[population][kind])
                and self._is_place(place, selection)
            ):
                total.merge(cell)
        return total

    def connections(self, selection: Selection = EVERYTHING) -> ConnectionTotals:
        """The connections of all cells that a selection picks, added up."""
        total = ConnectionTotals()
        phases = self.phase_ids(selection)
        for (population, phase, place), cell in self._connections.items():
            if (
                (phases is None or phase in phases)
                and self._is_population(population, selection)
                and self._is_place(place, selection)
            ):
                total.merge(cell)
        return total

    @property
    def message_cells(self) -> Mapping[tuple[int, int, int, int], MessageTotals]:
        """The cells by the numbers of population, phase, type and place, in the order in which they occurred."""
        return self._messages

    @property
    def connection_cells(self) -> Mapping[tuple[int, int, int], ConnectionTotals]:
        """The cells by the numbers of population, phase and place, in the order in which they occurred."""
        return self._connections

    def level(self, selection: Selection = EVERYTHING) -> Level:
        """The level held in the picked phases, or in the whole run."""
        phases = self.phase_ids(selection)
        if phases is None:
            return self._level
        level = Level()
        for phase in sorted(phases & self._levels.keys()):
            level.append(self._levels[phase])
        return level

    def peak_ns(self, selection: Selection = EVERYTHING, *, unlagged: bool = False) -> int | None:
        """peak_latency of the picked phases in nanoseconds, by response_time or without pacer_lag."""
        peaks = [
            (pace.unlagged_peak if unlagged else pace.response_peak).peak_ns
            for pace in self._picked_paces(selection)
        ]
        return max((peak for peak in peaks if peak is not None), default=None)

    def second_lags(self, selection: Selection = EVERYTHING) -> Distribution:
        """The p99 of pacer_lag of each second of the picked phases in which something was sent."""
        lags = Distribution()
        for pace in self._picked_paces(selection):
            lags.merge(pace.lags)
        return lags

    def length_s(self, selection: Selection = EVERYTHING) -> float:
        """How long the picked phases lasted, or the whole run, in seconds."""
        phases = self.phase_ids(selection)
        if phases is None:
            return (self.last_at_ns - self.since_ns) / _NS
        ends = {
            phase.id: self.last_at_ns if phase.end_ns is None else phase.end_ns
            for phase in self.phases.values()
            if phase.id in phases
        }
        starts = {phase: max(self.since_ns, self.phases[phase].start_ns) for phase in ends}
        return sum(max(0, end - starts[phase]) for phase, end in ends.items()) / _NS

    def phase_ids(self, selection: Selection) -> frozenset[int] | None:
        """The ids of the phases that are picked; None where all are."""
        if selection.phase is None:
            return selection.phases
        named = frozenset(phase.id for phase in self.phases.values() if phase.name == selection.phase)
        return named if selection.phases is None else named & selection.phases

    @property
    def events_complete(self) -> bool:
        """False where a worker died or was killed: what it saw after its last report is missing."""
        return not self.workers_lost and not self.events[WORKER_KILLED]

    def _add_messages(self, cells: Iterable[MessageCell]) -> MessageTotals:
        """Add a second's cells; the second as one."""
        by_phase: dict[int, MessageTotals] = {}
        for cell in cells:
            key = (cell.population, cell.phase, cell.type, cell.place)
            if key not in self._messages:
                self._messages[key] = MessageTotals()
            self._messages[key].add(cell)
            if cell.phase not in by_phase:
                by_phase[cell.phase] = MessageTotals()
            by_phase[cell.phase].add(cell)
        for phase, messages in by_phase.items():
            if phase not in self._paces:
                self._paces[phase] = Pace()
            self._paces[phase].add(messages)
        if len(by_phase) == 1:
            return next(iter(by_phase.values()))
        second = MessageTotals()
        for messages in by_phase.values():
            second.merge(messages)
        return second

    def _done(self, interval: Interval) -> int:
        """What was delivered in a second, or acknowledged where the exchange has that."""
        return sum(
            cell.acknowledged if self.populations[cell.population] in self.acknowledged else cell.delivered
            for cell in interval.messages
        )

    def _add_connections(self, cells: Iterable[ConnectionCell]) -> None:
        for cell in cells:
            key = (cell.population, cell.phase, cell.place)
            if key not in self._connections:
                self._connections[key] = ConnectionTotals()
            self._connections[key].add(cell)

    def _add_level(self, interval: Interval, length_ns: int) -> None:
        absent = sum(sample.absent for sample in interval.workers)
        absent_ns = sum(sample.absent_ns for sample in interval.workers)
        figures = {
            "held": interval.held,
            "planned": interval.planned,
            "length_ns": length_ns,
            "absent": absent,
        }
        self._level.add(**figures, absent_ns=absent_ns)
        phase = phase_at(self.phases.values(), interval.at_ns)
        if phase is not None:
            # Of a second in which it began, who was missing at the end stands for all of it: before, it was ramping.
            is_whole = interval.at_ns - length_ns >= phase.start_ns
            level = self._levels.setdefault(phase.id, Level())
            level.add(**figures, absent_ns=absent_ns if is_whole else absent * length_ns)

    def _add_workers(self, interval: Interval) -> None:
        for event in interval.events:
            self.events[event.kind] += 1
            if event.kind == FORCED and len(self.forced) < FORCED_KEPT:
                self.forced.append(event)
            if event.kind == WORKER_LOST:
                self.workers_lost.add(event.worker)
        for sample in interval.workers:
            self.workers[sample.worker] = sample
            self.loop_lag_max_ns = max(self.loop_lag_max_ns, sample.loop_lag_max_ns)
            if sample.silence_ns > self.silence_max_ns:
                self.silence_max_ns, self.silence_start_ns = sample.silence_ns, sample.silence_start_ns
        self.rss_max_bytes = max(self.rss_max_bytes, sum(each.rss_bytes for each in interval.workers))

    def _picked_paces(self, selection: Selection) -> list[Pace]:
        phases = self.phase_ids(selection)
        return [pace for phase, pace in self._paces.items() if phases is None or phase in phases]

    def _is_population(self, population: int, selection: Selection) -> bool:
        return selection.population in (None, self.populations[population])

    def _is_place(self, place: int, selection: Selection) -> bool:
        if selection.entry_point is None and selection.node is None:
            return True
        there = self.places[place]
        return selection.entry_point in (None, there.entry_point) and selection.node in (None, there.node)


def _second(interval: Interval, messages: MessageTotals) -> Second:
    response = messages.response
    p50_ns, p95_ns, p99_ns = response.quantiles_ns(0.50, 0.95, 0.99)
    return Second(
        index=interval.index,
        at_ns=interval.at_ns,
        held=interval.held,
        planned=interval.planned,
        attempted=sum(cell.attempted for cell in interval.connections),
        established=sum(cell.established for cell in interval.connections),
        failed=sum(cell.failed for cell in interval.connections),
        dropped=sum(cell.dropped for cell in interval.connections),
        closed=sum(cell.closed for cell in interval.connections),
        intended=messages.intended,
        sent=messages.sent,
        not_sent=messages.not_sent,
        delivered=messages.delivered,
        lost=messages.lost,
        unknown=messages.unknown,
        response_p50_ns=p50_ns,
        response_p95_ns=p95_ns,
        response_p99_ns=p99_ns,
        response_max_ns=response.max_ns if response.count else None,
        response_mean_ns=response.mean_ns,
    )
