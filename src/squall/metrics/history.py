"""A run second by second, as far as pictures of it need: fed while it runs or from its record, with one result.

The rule: memory is bounded, whatever the length of the run (`timeline`). Beside the whole run, each *place*
(an entry point and the node that answered there) has its own series, the first `PLACES_MAX` of them; what
happened at others is added up as one. What is watched has a timeline for each source, as it is sampled when
its source sees fit. Of events the first `EVENTS_MAX` of a kind are kept; of stability checks the last `CHECKS_MAX`
that passed and as many that failed, and all are counted.

Names of the series of a second: levels `held planned outstanding blocked unsent_bytes generator_rss
loop_lag_ms pushes_missing` (numbers of pushes that were skipped and have not come since), rates by second of what
`squall.record.snapshots` counts (`attempted`, `sent`, …), `trouble:…` by kind, `close:…` by code; times `response lag
connect ping push_delay`. Those of a place begin with its number: `0:held`, `0:delivered`, `0:response`.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, compress
from operator import attrgetter
from typing import Any, Final

import msgspec

from squall.metrics.distribution import Distribution
from squall.metrics.timeline import POINTS_MAX, Point, Timeline
from squall.record.resources import FIGURES, ResourceSample
from squall.record.run import Phase, RunRecord
from squall.record.snapshots import (
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    SparseHistogram,
    WorkerSample,
)
from squall.record.stability import StabilityCheck

__all__ = ["CHECKS_MAX", "CONNECTION_COUNTS", "EVENTS_MAX", "PLACES_MAX", "History", "Source"]

EVENTS_MAX: Final = 200
CHECKS_MAX: Final = 300
PLACES_MAX: Final = 12
ANSWERS_MAX: Final = 64
"""Phases with distributions of their own."""
TROUBLES_MAX: Final = 16
"""Kinds of trouble with a series of their own; others are added up as `trouble:other`."""
CUSTOM_MAX: Final = 24
"""Figures of a source under names of the user's choice."""

_MESSAGE_FIELDS: Final = (
    "intended",
    "not_sent_target",
    "not_sent_squall",
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "late",
    "recovered",
    "corrupted_body",
    "acknowledged",
    "retried",
    "retries_sent",
    "gave_up",
    "acknowledged_lost",
    "duplicate_arrivals",
    "reordered_in_type",
    "gaps",
    "causal_violations",
)
CONNECTION_COUNTS: Final = (
    "attempted",
    "established",
    "failed",
    "closed",
    "dropped",
    "reconnected",
    "corrupted_header",
    "unexpected",
    "pushed",
    "push_sequenced",
    "push_missing",
    "messages_sent",
    "messages_received",
    "bytes_sent",
    "bytes_received",
    "ack_unexpected",
)
_OF_A_PLACE: Final = frozenset(
    (
        "intended",
        "not_sent_target",
        "not_sent_squall",
        "delivered",
        "lost",
        "established",
        "failed",
        "closed",
        "dropped",
        "reconnected",
    )
)
"""What is counted for each place by itself, too."""
_read_messages = attrgetter(*_MESSAGE_FIELDS)
_read_connections = attrgetter(*CONNECTION_COUNTS)
_CONNECT_TIMES: Final = ("connect", "ping", "push_delay")
_SUMMED_LEVELS: Final = {
    "outstanding": "outstanding",
    "blocked": "blocked",
    "unsent_bytes": "unsent_bytes",
    "rss_bytes": "generator_rss",
}
"""What all workers' samples add up to, and what that is called."""
_read_levels = attrgetter(*_SUMMED_LEVELS)
_LEVELS: Final = frozenset(
    (
        "held",
        "planned",
        "outstanding",
        "blocked",
        "unsent_bytes",
        "generator_rss",
        "loop_lag_ms",
        "generator_cpu",
        "pushes_missing",
    )
)
_NS: Final = 1_000_000_000


def _is_count(name: str) -> bool:
    return name.rpartition(":")[2] not in _LEVELS or name.startswith(("trouble:", "close:"))


class Source:
    """What is known of one watched machine: its role, its samples over time, and why some lacked something."""

    def __init__(self, name: str, role: str, points_max: int) -> None:
        self.name = name
        self.role = role
        self.timeline = Timeline(points_max, samples=True)
        self.problems: Counter[str] = Counter()
        self._last_ns: int | None = None

    def add(self, sample: ResourceSample) -> None:
        """Take a sample."""
        if sample.problem and (len(self.problems) < EVENTS_MAX or sample.problem in self.problems):
            self.problems[sample.problem] += 1
        length_ns = 0 if self._last_ns is None else max(0, sample.at_ns - self._last_ns)
        self._last_ns = sample.at_ns
        figures = {name: value for name in FIGURES if (value := getattr(sample, name)) is not None}
        for state, number in (sample.tcp_states or {}).items():
            figures[f"tcp:{state}"] = number
        for name, value in list(sample.custom.items())[:CUSTOM_MAX]:
            figures[f"custom:{name}"] = value
        self.timeline.add(Point(sample.at_ns, length_ns, figures))


class History:
    """A run so far, as series.

    Args:
        points_max: as many points each series has at most; the finer ones are merged, two by two.
    """

    def __init__(self, points_max: int = POINTS_MAX) -> None:
        self.run = Timeline(points_max, counted=_is_count)
        self.sources: dict[str, Source] = {}
        self.phases: list[Phase] = []
        self.events: list[Event] = []
        self.events_by_kind: Counter[str] = Counter()
        self.checks_seen: Counter[str] = Counter()
        """How many stability checks `passed` and how many `failed`."""
        self.places: list[Place] = []
        self.last_at_ns = 0
        self.answers: dict[int, dict[str, Distribution]] = {}
        """By phase (that in which a message was intended) its `response` and `service` times, whole."""
        self.incomplete_seconds = 0
        """Seconds in which a worker's report is missing."""
        self._points_max = points_max
        self._checks = {name: deque[StabilityCheck](maxlen=CHECKS_MAX) for name in ("passed", "failed")}
        self._troubles: set[str] = set()
        self._cpu: dict[int, int] = {}
        self._held: Counter[int] = Counter()
        self._pushes_missing: int | None = None

    @classmethod
    def of(cls, record: RunRecord, points_max: int = POINTS_MAX) -> History:
        """The history of a run that is over, or was killed."""
        history = cls(points_max)
        history.phases = list(record.phases)
        for event in record.events:
            history.happened(event)
        for sample in record.resources:
            history.sampled(sample)
        for check in record.checks:
            history.checked(check)
        for interval in record.intervals:
            history.accept(interval)
        return history

    def begin_phase(self, phase: Phase) -> None:
        """A phase begins, and the one before it is over."""
        if self.phases and self.phases[-1].end_ns is None:
            self.phases[-1] = msgspec.structs.replace(self.phases[-1], end_ns=phase.start_ns)
        self.phases.append(phase)

    def happened(self, event: Event) -> None:
        """Take one event."""
        self.events_by_kind[event.kind] += 1
        if self.events_by_kind[event.kind] <= EVENTS_MAX:
            self.events.append(event)

    def sampled(self, sample: ResourceSample) -> None:
        """Take one look at a watched machine."""
        if sample.source not in self.sources:
            self.sources[sample.source] = Source(sample.source, sample.role, self._points_max)
        self.sources[sample.source].add(sample)

    def checked(self, check: StabilityCheck) -> None:
        """Take one stability check."""
        outcome = "passed" if check.passed else "failed"
        self.checks_seen[outcome] += 1
        self._checks[outcome].append(check)

    @property
    def checks(self) -> list[StabilityCheck]:
        """The stability checks that are kept, in the order of time."""
        return sorted(chain.from_iterable(self._checks.values()), key=attrgetter("start_ns", "index"))

    def accept(self, interval: Interval) -> None:
        """Take one second."""
        length_ns = max(1, interval.at_ns - self.last_at_ns)
        self.last_at_ns = max(self.last_at_ns, interval.at_ns)
        self.incomplete_seconds += not interval.complete
        self.places += interval.places
        for event in interval.events:
            self.happened(event)
        counts = self._counts(interval)
        figures: dict[str, float] = {"held": interval.held, "planned": interval.planned, **counts}
        if "push_sequenced" in counts or self._pushes_missing is not None:
            self._pushes_missing = (self._pushes_missing or 0) + counts.get("push_missing", 0)
            figures["pushes_missing"] = self._pushes_missing
        for number in self.place_numbers:
            figures[f"{number}:held"] = self._held[number]
        figures.update(self._levels_of(interval.workers, length_ns / _NS))
        point = Point(interval.at_ns, length_ns, figures, self._times(interval))
        if interval.workers:
            quietest = max(interval.workers, key=attrgetter("silence_ns"))
            point.silence_ns, point.silence_start_ns = quietest.silence_ns, quietest.silence_start_ns
        self.run.add(point)

    def place_name(self, number: int) -> str:
        """What a place is called; the one after the last that has its own series stands for all others."""
        if number >= PLACES_MAX:
            return "all others"
        place = self.places[number]
        return f"{place.node} at {place.entry_point}" if place.node else place.entry_point

    @property
    def place_numbers(self) -> list[int]:
        """The numbers of the places that have series."""
        return list(range(min(len(self.places), PLACES_MAX + 1)))

    def answered(self, name: str, phases: frozenset[int]) -> Distribution:
        """All `response` or `service` times of the messages that were intended in these phases."""
        merged = Distribution()
        for phase in phases & self.answers.keys():
            merged.merge(self.answers[phase][name])
        return merged

    def _counts(self, interval: Interval) -> dict[str, int]:
        """What was counted in a second, of the whole run and of each place; what was not is not named."""
        counts: dict[str, int] = {}
        for names, read, cells in (
            (_MESSAGE_FIELDS, _read_messages, interval.messages),
            (CONNECTION_COUNTS, _read_connections, interval.connections),
        ):
            for place, sums in _by_place(cells, read):
                named = zip(names, _placed(place, names), sums, strict=True)
                for name, placed, count in compress(named, sums):  # most are zero
                    counts[name] = counts.get(name, 0) + count
                    if placed:
                        counts[placed] = count
        for intended, by_target, by_squall, not_sent, sent in map(_sent_names, (None, *self.place_numbers)):
            counts[not_sent] = counts.get(by_target, 0) + counts.get(by_squall, 0)
            counts[sent] = counts.get(intended, 0) - counts[not_sent]
        for cell in interval.connections:
            self._held[min(cell.place, PLACES_MAX)] += cell.established - cell.closed - cell.dropped
            for code, times in cell.close_codes.items():
                counts[f"close:{code}"] = counts.get(f"close:{code}", 0) + times
            for trouble, times in cell.troubles:
                words = self._trouble(f"{trouble.step} {trouble.kind.replace('_', ' ')} ({trouble.blame})")
                counts[words] = counts.get(words, 0) + times
        return {name: count for name, count in counts.items() if count}

    def _trouble(self, words: str) -> str:
        if words not in self._troubles and len(self._troubles) >= TROUBLES_MAX:
            return "trouble:other"
        self._troubles.add(words)
        return f"trouble:{words}"

    def _times(self, interval: Interval) -> dict[str, list[SparseHistogram]]:
        """The histograms of a second by the series that they are part of; those of the answers are kept whole, too."""
        found: dict[str, list[SparseHistogram]] = defaultdict(list)
        answers: dict[int, list[MessageCell]] = defaultdict(list)
        for cell in interval.messages:
            if cell.lag is not None:
                found["lag"].append(cell.lag)
            if cell.response is not None:
                found["response"].append(cell.response)
                if len(self.places) > 1:
                    found[f"{min(cell.place, PLACES_MAX)}:response"].append(cell.response)
            if cell.response is not None or cell.service is not None:
                answers[cell.phase].append(cell)
        for phase, cells in answers.items():
            self._add_answers(phase, cells)
        for name in _CONNECT_TIMES:
            times = [getattr(cell, name) for cell in interval.connections]
            found[name] += [each for each in times if each is not None]
        return found

    def _add_answers(self, phase: int, cells: Sequence[MessageCell]) -> None:
        if phase not in self.answers:
            if len(self.answers) == ANSWERS_MAX:
                return
            self.answers[phase] = {"response": Distribution(), "service": Distribution()}
        kept = self.answers[phase]
        kept["response"].add_each([cell.response for cell in cells if cell.response is not None])
        kept["service"].add_each([cell.service for cell in cells if cell.service is not None])

    def _levels_of(self, workers: Sequence[WorkerSample], seconds: float) -> dict[str, float]:
        """What the workers say of themselves, together."""
        if not workers:
            return {}
        sums = [sum(each) for each in zip(*map(_read_levels, workers), strict=True)]
        levels: dict[str, float] = dict(zip(_SUMMED_LEVELS.values(), sums, strict=True))
        levels["loop_lag_ms"] = max(each.loop_lag_max_ns for each in workers) / 1e6
        # A worker that died has a last sample of no processor time: what it used since the one before is not known.
        used_ns = [
            each.cpu_ns - self._cpu[each.worker]
            for each in workers
            if each.cpu_ns >= self._cpu.get(each.worker, each.cpu_ns + 1)
        ]
        if used_ns:
            levels["generator_cpu"] = sum(used_ns) / 1e9 / seconds
        self._cpu = {each.worker: each.cpu_ns for each in workers}
        return levels


def _by_place(
    cells: Sequence[MessageCell] | Sequence[ConnectionCell], read: Callable[[Any], tuple[int, ...]]
) -> Iterator[tuple[int, Sequence[int]]]:
    """What is read of each cell, added up for each place."""
    rows: dict[int, list[tuple[int, ...]]] = {}
    for cell in cells:
        rows.setdefault(min(cell.place, PLACES_MAX), []).append(read(cell))
    for place, found in rows.items():
        yield place, found[0] if len(found) == 1 else list(map(sum, zip(*found, strict=True)))


@cache
def _placed(place: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """What the counts are called that a place has by itself; "" for the others."""
    return tuple(f"{place}:{name}" if name in _OF_A_PLACE else "" for name in names)


@cache
def _sent_names(place: int | None) -> tuple[str, ...]:
    """What is called intended, not sent by whose doing, not sent and sent: of a place, or of the whole run."""
    prefix = "" if place is None else f"{place}:"
    names = ("intended", "not_sent_target", "not_sent_squall", "not_sent", "sent")
    return tuple(f"{prefix}{name}" for name in names)
