"""Adds up the reports of all workers on one second of the run into one interval. Pure: no clock, no I/O.

**When.** An interval is made as soon as every live worker has reported on its second or a later one, or once
one of the others is `BEHIND_MAX_S` seconds further. What comes later than that is added to the next interval
that is made, so that nothing is lost and nothing counted twice; an interval without a report of every live
worker on its very second is not `complete`.

**What.** Cells with the same key are added field by field, their histograms bucket by bucket; the result is
the same for any order in which workers report, and however sessions are dealt to workers. Each worker numbers
its places by itself, and tells each once; here they get the run's numbers. Past `PLACES_MAX` places, further
ones share the place ("other", "other"), and an event says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np

from squall.metrics.buckets import BUCKETS
from squall.metrics.histogram import add_each, encode
from squall.metrics.streams import SendingTroubles, WorstStreams
from squall.record.cell_fields import (
    CONNECTION_SUMS,
    CONNECTION_TIMES,
    COUNTED_BY_WORD,
    MESSAGE_MAXIMA,
    MESSAGE_SUMS,
    MESSAGE_TIMES,
    STANDS_FOR,
)
from squall.record.outcomes import Trouble
from squall.record.snapshots import (
    CheckCell,
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    Snapshot,
    SparseHistogram,
    WorkerSample,
)
from squall.record.streams import SentSecond, StreamTrouble

__all__ = ["BEHIND_MAX_S", "OTHER", "PLACES_MAX", "Merger", "add_connections", "add_messages"]

BEHIND_MAX_S: Final = 3
PLACES_MAX: Final = 64
OTHER: Final = Place("other", "other")
_SECOND_NS: Final = 1_000_000_000

Cell = TypeVar("Cell", MessageCell, ConnectionCell)


class Merger:
    """The reports that are not yet in an interval, and the numbers of the run's places.

    Args:
        workers: those that will report.
        planned: the level that the plan has at a time of the run. Where sessions come and go by themselves, what
            the workers' plans have is added up instead, of one that died what it had in its last report.
    """

    def __init__(self, workers: Iterable[int], planned: Callable[[int], int]) -> None:
        self._planned = planned
        self._reached = dict.fromkeys(workers, -1)
        self._live = set(self._reached)
        self._held = dict.fromkeys(self._reached, 0)
        self._wanted: dict[int, int] = {}
        self._waiting: dict[int, list[Snapshot]] = defaultdict(list)
        self._late: list[Snapshot] = []
        self._made = -1
        self._tables: dict[int, list[Place]] = defaultdict(list)
        self._places: dict[Place, int] = {}

    def add(self, snapshot: Snapshot) -> list[Interval]:
        """Take a report; the intervals that it completes, in order."""
        worker = snapshot.sample.worker
        self._tables[worker] += snapshot.places
        self._reached[worker] = max(self._reached[worker], snapshot.index)
        if snapshot.final:
            self._live.discard(worker)
        if snapshot.index <= self._made:
            self._late.append(snapshot)
        else:
            self._waiting[snapshot.index].append(snapshot)
        return self._make_ready()

    def gone(self, worker: int) -> list[Interval]:
        """Nothing more will come of a worker; the intervals that only waited for it."""
        self._live.discard(worker)
        return self._make_ready()

    def finish(self) -> list[Interval]:
        """All that is still waiting; what came too late makes an interval of its own."""
        self._live.clear()
        made = self._make_ready()
        if self._late:
            made.append(self._make(self._made + 1))
        return made

    def place(self, worker: int, number: int) -> Place:
        """The place to which a worker gave a number."""
        return self._tables[worker][number]

    def _make_ready(self) -> list[Interval]:
        made = []
        furthest = max(self._reached.values(), default=-1)
        while self._waiting:
            index = min(self._waiting)
            behind = any(self._reached[worker] < index for worker in self._live)
            if behind and furthest - index < BEHIND_MAX_S:
                break
            made.append(self._make(index))
        return made

    def _make(self, index: int) -> Interval:
        own = self._waiting.pop(index, [])
        # Sorted by second, stable within a worker: a level said later counts, whatever the order of arrival.
        snapshots = sorted(self._late + own, key=lambda each: (each.sample.worker, each.index))
        self._late = []
        self._made = index
        for snapshot in snapshots:
            self._held[snapshot.sample.worker] = snapshot.sample.held
            if snapshot.sample.wanted is not None:
                self._wanted[snapshot.sample.worker] = snapshot.sample.wanted
        at_ns = _end_of(index, own or snapshots)
        places, events = self._number_places(snapshots, at_ns)
        for snapshot in snapshots:
            events += snapshot.events
        return Interval(
            index=index,
            at_ns=at_ns,
            held=sum(self._held.values()),
            planned=sum(self._wanted.values()) if self._wanted else self._planned(at_ns),
            workers=_samples(snapshots),
            messages=self._cells(((each.sample.worker, each.messages) for each in snapshots), add_messages),
            connections=self._cells(
                ((each.sample.worker, each.connections) for each in snapshots), add_connections
            ),
            places=places,
            events=sorted(events, key=_event_order),
            events_dropped=sum(snapshot.events_dropped for snapshot in snapshots),
            complete=self._live <= {snapshot.sample.worker for snapshot in own},
            checks=_add_checks(cell for snapshot in snapshots for cell in snapshot.checks),
            streams=_worst(trouble for snapshot in snapshots for trouble in snapshot.streams),
            seconds=_add_seconds(second for snapshot in snapshots for second in snapshot.seconds),
            late=sorted(message for snapshot in snapshots for message in snapshot.late),
        )

    def _number_places(self, snapshots: list[Snapshot], at_ns: int) -> tuple[list[Place], list[Event]]:
        """Give numbers to the places that are new, in an order that no worker's haste changes."""
        found = {place for each in snapshots for place in each.places} - self._places.keys()
        new: list[Place] = []
        events: list[Event] = []
        for place in sorted(found, key=lambda each: (each.entry_point, each.node)):
            if len(self._places) < PLACES_MAX:
                new.append(place)
            elif OTHER not in self._places:
                new.append(OTHER)
                text = (
                    f"more than {PLACES_MAX} places: further entry points and nodes are counted as one, other"
                )
                events.append(Event(at_ns=at_ns, kind="places_full", text=text))
            else:
                continue
            self._places[new[-1]] = len(self._places)
        return new, events

    def _run_place(self, worker: int, number: int) -> int:
        place = self._tables[worker][number]
        return self._places[place] if place in self._places else self._places[OTHER]

    def _cells(
        self, reported: Iterable[tuple[int, list[Cell]]], add: Callable[[Sequence[Cell]], Cell]
    ) -> list[Cell]:
        groups: dict[tuple[int, ...], list[Cell]] = defaultdict(list)
        for worker, cells in reported:
            for cell in cells:
                place = self._run_place(worker, cell.place)
                kind = cell.type if isinstance(cell, MessageCell) else 0
                groups[cell.population, cell.phase, kind, place].append(
                    cell if cell.place == place else msgspec.structs.replace(cell, place=place)
                )
        return [add(groups[key]) for key in sorted(groups)]


def add_messages(cells: Sequence[MessageCell]) -> MessageCell:
    """The cells of one key as one; there is at least one."""
    if len(cells) == 1:
        return cells[0]
    found = {name: sum(getattr(cell, name) for cell in cells) for name in MESSAGE_SUMS}
    found |= {name: max(getattr(cell, name) for cell in cells) for name in MESSAGE_MAXIMA}
    return msgspec.structs.replace(cells[0], **found, **_histograms(cells, MESSAGE_TIMES))


def add_connections(cells: Sequence[ConnectionCell]) -> ConnectionCell:
    """The cells of one key as one; there is at least one."""
    if len(cells) == 1:
        return cells[0]
    codes: dict[int, int] = defaultdict(int)
    troubles: dict[Trouble, int] = defaultdict(int)
    by_word = {name: Counter[str]() for name in COUNTED_BY_WORD}
    for cell in cells:
        for name, counted in by_word.items():
            counted.update(getattr(cell, name))
        for code, count in cell.close_codes.items():
            codes[code] += count
        for trouble, count in cell.troubles:
            troubles[trouble] += count
    return msgspec.structs.replace(
        cells[0],
        **{name: sum(getattr(cell, name) for cell in cells) for name in CONNECTION_SUMS},
        **_histograms(cells, CONNECTION_TIMES),
        close_codes=dict(sorted(codes.items())),
        troubles=sorted(troubles.items(), key=lambda each: (each[0].step, each[0].kind, each[0].blame)),
        **{name: dict(sorted(counted.items())) for name, counted in by_word.items()},
    )


def _add_checks(cells: Iterable[CheckCell]) -> list[CheckCell]:
    """The cells of all workers, one for each window."""
    groups: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    for cell in cells:
        key, counts = (cell.phase, cell.index), msgspec.structs.astuple(cell)[2:]
        groups[key].append(counts)
    return [
        CheckCell(*key, *(sum(each) for each in zip(*groups[key], strict=True))) for key in sorted(groups)
    ]


def _worst(streams: Iterable[StreamTrouble]) -> list[StreamTrouble]:
    worst = WorstStreams()
    for trouble in streams:
        worst.add(trouble)
    return worst.all


def _add_seconds(seconds: Iterable[SentSecond]) -> list[SentSecond]:
    troubles = SendingTroubles()
    for second in seconds:
        troubles.add(second)
    return troubles.all


def _histograms(cells: Sequence[Cell], times: Iterable[str]) -> dict[str, SparseHistogram | None]:
    found = {name: _added([getattr(cell, name) for cell in cells]) for name in times}
    for name, other in STANDS_FOR.items():
        if other in found and any(getattr(cell, name) is not None for cell in cells):
            # A cell without it has the same values in the other one, and they count here too.
            found[name] = _added([getattr(cell, name) or getattr(cell, other) for cell in cells])
    return found


def _added(histograms: Sequence[SparseHistogram | None]) -> SparseHistogram | None:
    present = [each for each in histograms if each is not None]
    if len(present) < 2:
        return present[0] if present else None
    counts = np.zeros(BUCKETS, dtype=np.int64)
    return SparseHistogram(*add_each(present, counts), encode(counts))


def _samples(snapshots: list[Snapshot]) -> list[WorkerSample]:
    """One sample a worker: its last one, with the worst of what lasts a moment."""
    found: dict[int, WorkerSample] = {}
    for snapshot in snapshots:
        sample = snapshot.sample
        before = found.get(sample.worker)
        if before is not None:
            longer = max(before, sample, key=lambda each: each.silence_ns)
            sample = msgspec.structs.replace(
                sample,
                loop_lag_max_ns=max(before.loop_lag_max_ns, sample.loop_lag_max_ns),
                silence_ns=longer.silence_ns,
                silence_start_ns=longer.silence_start_ns,
                absent_ns=before.absent_ns + sample.absent_ns,
            )
        found[sample.worker] = sample
    return [found[worker] for worker in sorted(found)]


def _end_of(index: int, snapshots: list[Snapshot]) -> int:
    """When a second ended: as the most punctual of its reports has it."""
    nominal_ns = (index + 1) * _SECOND_NS
    return min((abs(each.at_ns - nominal_ns), each.at_ns) for each in snapshots)[1]


def _event_order(event: Event) -> tuple[int, int, int, str, str]:
    return event.at_ns, event.worker, event.stream, event.kind, event.text
