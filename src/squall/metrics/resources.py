"""The watched machines, added up: of each source, phase and figure how much it was on average and at most.

The rule: bounded, whatever the length of the run, and the same from a record read back. A sample belongs to
the phase in which most of the time since its source's sample before lies, and weighs as much as that time; so
the look at a phase's end is of that phase, and a mean is one over time. What a look could not measure is in
no figure, and is counted as missed.

**The target** may be several sources (the nodes of a cluster). Where one figure is asked for, its mean is the
highest mean of a source, its peak the highest peak: the fullest node is the one that matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from squall.metrics.phases import phase_at
from squall.record.resources import ResourceSample, Role, figures_of
from squall.record.run import Phase

__all__ = ["FIGURES_MAX", "Gauge", "Highest", "Resources", "Shares", "SourceTotals", "Utilization"]

FIGURES_MAX: Final = 200
"""Figures of one source that are kept; further names that a command or an endpoint makes up are left out."""

_SOURCES_MAX: Final = 64


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """Of what the target may use: 1.0 is all of it. None is not measured."""

    memory: float | None = None
    cpu: float | None = None


class Utilization(msgspec.Struct, frozen=True, kw_only=True):
    """The target's resources over a stretch of the run."""

    average: Shares = Shares()
    peak: Shares = Shares()


@dataclass(slots=True)
class Gauge:
    """One figure of one source over a stretch of the run."""

    count: int = 0
    """Looks that measured it."""
    missed: int = 0
    """Looks that could not."""
    last: float | None = None
    least: float | None = None
    most: float | None = None
    total: float = 0.0
    """The plain sum: of a figure that counts since the look before, how many there were."""
    weighed: float = 0.0
    weight_ns: int = 0

    def add(self, value: float, weight_ns: int) -> None:
        """Take one look."""
        self.count += 1
        self.last = value
        self.least = value if self.least is None else min(self.least, value)
        self.most = value if self.most is None else max(self.most, value)
        self.total += value
        self.weighed += value * weight_ns
        self.weight_ns += weight_ns

    def append(self, later: Gauge) -> None:
        """Take a later stretch as well."""
        if later.count:
            self.last = later.last
        for value in (later.least, later.most):
            if value is not None:
                self.least = value if self.least is None else min(self.least, value)
                self.most = value if self.most is None else max(self.most, value)
        self.count += later.count
        self.total += later.total
        self.weighed += later.weighed
        self.weight_ns += later.weight_ns

    @property
    def mean(self) -> float | None:
        """On average over time; None where it was never measured."""
        return self.weighed / self.weight_ns if self.weight_ns else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Highest:
    """One figure of several sources: of each aggregate the highest that a source has; looks of all."""

    last: float | None
    least: float | None
    most: float | None
    mean: float | None
    count: int
    missed: int


@dataclass(slots=True)
class SourceTotals:
    """One source over the whole run, and by phase. `phases` has None for looks before the first phase."""

    source: str
    role: Role
    latest: ResourceSample
    looks: dict[int | None, int] = field(default_factory=dict)
    problems: int = 0
    last_problem: str = ""
    phases: dict[int | None, dict[str, Gauge]] = field(default_factory=dict)

    def add(self, sample: ResourceSample, phase: int | None, weight_ns: int) -> None:
        """Take one look."""
        self.latest = sample
        self.looks[phase] = self.looks.get(phase, 0) + 1
        if sample.problem:
            self.problems += 1
            self.last_problem = sample.problem
        gauges = self.phases.setdefault(phase, {})
        for name, value in figures_of(sample).items():
            if name not in gauges:
                if len(gauges) >= FIGURES_MAX:
                    continue
                gauges[name] = Gauge()
            gauges[name].add(value, weight_ns)

    def gauge(self, figure: str, phases: frozenset[int] | None = None) -> Gauge | None:
        """One figure over some phases, or the whole run (None); None where it was never measured there."""
        gauge, looks = Gauge(), 0
        for phase, gauges in self.phases.items():
            if phases is not None and phase not in phases:
                continue
            looks += self.looks[phase]
            if figure in gauges:
                gauge.append(gauges[figure])
        gauge.missed = looks - gauge.count
        return gauge if gauge.count else None

    def names(self) -> list[str]:
        """The figures that were measured, in the order in which they came."""
        return list(dict.fromkeys(name for gauges in self.phases.values() for name in gauges))


class Resources:
    """Every source of a run so far."""

    def __init__(self) -> None:
        self.sources: dict[str, SourceTotals] = {}

    def add(self, sample: ResourceSample, phases: Iterable[Phase]) -> None:
        """Take one look at one source; `phases` are those that have begun."""
        known = self.sources.get(sample.source)
        if known is None:
            if len(self.sources) >= _SOURCES_MAX:
                return
            known = self.sources[sample.source] = SourceTotals(sample.source, sample.role, sample)
        since_ns = min(known.latest.at_ns, sample.at_ns)
        phase = phase_at(phases, (since_ns + sample.at_ns + 1) // 2)
        known.add(sample, None if phase is None else phase.id, max(1, sample.at_ns - since_ns))

    def latest(self, source: str) -> ResourceSample | None:
        """The last look at a source; None where there was none."""
        known = self.sources.get(source)
        return None if known is None else known.latest

    def of_role(self, role: Role, source: str | None = None) -> Iterator[SourceTotals]:
        """The sources of a role, or the one of that name if it has that role."""
        return (
            each
            for each in self.sources.values()
            if each.role == role and (source is None or each.source == source)
        )

    def highest(
        self, figure: str, *, role: Role, source: str | None = None, phases: frozenset[int] | None = None
    ) -> Highest | None:
        """A figure over the sources of a role; None where it was not measured."""
        found = [gauge for each in self.of_role(role, source) if (gauge := each.gauge(figure, phases))]
        if not found:
            return None
        return Highest(
            last=_most(each.last for each in found),
            least=_most(each.least for each in found),
            most=_most(each.most for each in found),
            mean=_most(each.mean for each in found),
            count=sum(each.count for each in found),
            missed=sum(each.missed for each in found),
        )

    def total(
        self, figure: str, *, role: Role, source: str | None = None, phases: frozenset[int] | None = None
    ) -> float | None:
        """A counted figure summed over looks and sources; None where it was not measured."""
        found = [gauge for each in self.of_role(role, source) if (gauge := each.gauge(figure, phases))]
        return sum(gauge.total for gauge in found) if found else None

    def utilization(self, phases: frozenset[int] | None = None) -> Utilization:
        """The target's shares over some phases, or the whole run."""
        memory = self.highest("memory_share", role="target", phases=phases)
        cpu = self.highest("cpu_share", role="target", phases=phases)
        return Utilization(
            average=Shares(
                memory=None if memory is None else memory.mean, cpu=None if cpu is None else cpu.mean
            ),
            peak=Shares(
                memory=None if memory is None else memory.most, cpu=None if cpu is None else cpu.most
            ),
        )


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
