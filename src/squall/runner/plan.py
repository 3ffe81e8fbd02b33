"""What a run would do, known before it does anything: its phases and what they ask of the machine.

Pure, but that it looks for the rows and functions that a scenario names (`named`).

A run is ramp_up → warm_up (where one is asked for) → hold → ramp_down. A ramp up lasts until its level is
held, at the earliest when its profile ends, at the latest `settle_s` after that, so that what follows starts
on the level it is meant to have; durations here are those of a run in which that takes no time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from squall.delivery.fanout import window_of
from squall.engine.base import PhaseOrder, ProfileSpec
from squall.engine.machine import Machine
from squall.engine.orders import profile_of
from squall.engine.preflight import Demand, Destination, choose_workers
from squall.errors import PlanError
from squall.metrics.expressions import Bound, parse, problems
from squall.metrics.phases import WARM_UP, is_settled
from squall.profiles.base import Profile
from squall.profiles.share import PopulationSplit
from squall.record.run import Phase, PhaseKind
from squall.runner.fault_windows import check_faults
from squall.runner.named import check_functions, check_rows
from squall.runner.ramps import adaptive, held, lowered, spec_of
from squall.runner.rules import Rules, rules_of
from squall.runner.turnover import most_here, share_here
from squall.scenario.models import AdaptiveRamp, Population, Scenario, Stability, Target

__all__ = [
    "Plan",
    "PlannedPhase",
    "demand_of",
    "make_plan",
    "phases_after",
    "plan_phase",
    "sends_in",
    "settle_s",
    "split_of",
    "steered",
]

_SCHEME_PORTS: Final = {"ws": 80, "wss": 443}


@dataclass(frozen=True, kw_only=True)
class PlannedPhase:
    """A phase before it has begun. `before` is the level it takes over from, `spec` leads to its own."""

    name: str
    kind: PhaseKind
    spec: ProfileSpec
    before: int
    connect_rate_max_hz: float | None
    sends: bool = True
    stability: Stability | None = None
    """How its stability is checked; None where it is not."""
    rules: Rules | None = None
    """How it is steered, where it is an adaptive ramp."""
    hold_s: float = 0.0
    """How long the hold takes that begins with it; 0 where none begins."""

    @cached_property
    def profile(self) -> Profile:
        """The profile, under the cap on connects.

        Raises:
            PlanError: its parameters contradict each other.
        """
        try:
            return profile_of(self.order(0, 0, words=""))
        except ValueError as error:
            raise PlanError(f"{self.name}: {error}") from None

    @property
    def duration_s(self) -> float:
        """How long it takes, in seconds, if all goes well."""
        return self.profile.duration_s

    def order(self, phase_id: int, start_ns: int, *, words: str | None = None) -> PhaseOrder:
        """What the workers are told when it begins."""
        phase = Phase(
            id=phase_id,
            name=self.name,
            kind=self.kind,
            start_ns=start_ns,
            end_ns=None,
            level_start=self.before,
            level_end=self.spec.target,
            words=self.profile.describe() if words is None else words,
            adaptive=self.spec.kind == "adaptive",
        )
        return PhaseOrder(
            phase=phase,
            profile=self.spec,
            previous=self.before,
            connect_rate_max_hz=self.connect_rate_max_hz,
            sends=self.sends,
            retries=self.kind == "ramp_up",
            check_interval_ns=0 if self.stability is None else round(self.stability.check_interval * 1e9),
            spike_ns=0 if self.stability is None else round(self.stability.spike * 1e9),
            hold_ns=round(self.hold_s * 1e9),
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run before it has begun. Without phases: those come as somebody asks for them."""

    scenario: Scenario
    phases: tuple[PlannedPhase, ...]
    demand: Demand
    workers: int

    @property
    def duration_s(self) -> float:
        """How long all phases take, in seconds, if all goes well; drains and closes come on top."""
        return sum(phase.duration_s for phase in self.phases)

    @property
    def connections_peak(self) -> int:
        """The highest level; where arrivals are fixed, the one that they lead to on average."""
        return self.demand.connections if self.scenario.stay_s is None else self.scenario.level

    @property
    def messages_peak_hz(self) -> float:
        """Messages per second at the highest level."""
        return offered_hz(self.scenario, self.connections_peak)

    @cached_property
    def messages_total(self) -> int:
        """About how many messages become due, if every connection is made when it is planned."""
        total = sum(
            _messages(self, phase, index)
            for phase in self.phases
            for index in range(len(self.scenario.populations))
        )
        return round(min(total, self._messages_at_most))

    @property
    def _messages_at_most(self) -> float:
        """What message counts per session allow; infinite where a population has none."""
        counts = split_of(self.scenario).counts(self.connections_peak)
        return sum(
            count
            * (
                float("inf")
                if each.traffic.messages_per_session is None
                else each.traffic.messages_per_session
            )
            for count, each in zip(counts, self.scenario.populations, strict=True)
            if each.rate_hz and count
        )


def make_plan(scenario: Scenario, machine: Machine) -> Plan:
    """The plan of a scenario on a machine.

    Raises:
        PlanError: what is asked contradicts itself.
    """
    found = _threshold_problems(scenario)
    if found:
        raise PlanError("\n".join(["the thresholds have mistakes:", *(f"  - {each}" for each in found)]))
    check_faults(scenario, scenario.load.hold)
    phases = _phases(scenario)
    peak = max(phase.profile.needs(phase.before).connections_peak for phase in phases)
    check_functions(scenario)
    check_rows(scenario, _sessions_most(scenario, peak, sum(phase.duration_s for phase in phases)))
    demand = demand_of(scenario, most_here(scenario, peak))
    return Plan(scenario=scenario, phases=phases, demand=demand, workers=choose_workers(demand, machine))


def plan_phase(
    scenario: Scenario, name: str, kind: PhaseKind, spec: ProfileSpec, *, before: int
) -> PlannedPhase:
    """A phase that takes over from the level `before`, under the cap on connects where it makes any.

    Raises:
        PlanError: the profile's parameters contradict each other.
    """
    bare = PlannedPhase(
        name=name,
        kind=kind,
        spec=spec,
        before=before,
        connect_rate_max_hz=None,
        stability=scenario.stability if is_settled(kind, name) else None,
    )
    cap_hz = scenario.load.connect_rate_max
    if cap_hz is None or not bare.profile.moves(before).opens.any():
        return bare
    return replace(bare, connect_rate_max_hz=cap_hz)


def demand_of(scenario: Scenario, connections: int) -> Demand:
    """What a level of connections asks of the machine."""
    rooms = [
        (count * (each.exchange.members - 1), window_of(each.exchange.members))
        for count, each in zip(split_of(scenario).counts(connections), scenario.populations, strict=True)
    ]
    return Demand(
        connections=connections,
        accounts=sum(accounts for accounts, _ in rooms),
        missing_max=sum(accounts * window for accounts, window in rooms),
        destinations=_destinations(scenario.target),
        spread=scenario.target.policy in ("round_robin", "random"),
        source_addresses=scenario.target.source_addresses,
        send_buffer_total_max=scenario.engine.send_buffer_total_max,
        workers=scenario.engine.workers,
    )


def offered_hz(scenario: Scenario, connections: int) -> float:
    """Messages per second that become due while this many connections are held."""
    counts = split_of(scenario).counts(connections)
    return sum(
        count * share_here(population) * population.rate_hz
        for count, population in zip(counts, scenario.populations, strict=True)
    )


def settle_s(target: Target) -> float:
    """How long a ramp up may last beyond its profile: until an attempt begun at its end has had its time."""
    return target.connect_timeout + target.handshake_timeout


def _sessions_most(scenario: Scenario, peak: int, duration_s: float) -> int:
    """How many sessions there can be in all: where arrivals are fixed, each is another; their number varies."""
    arrivals_hz = scenario.load.arrivals
    if arrivals_hz is None:
        return peak
    arrived = arrivals_hz * duration_s
    return math.ceil(arrived + 4 * math.sqrt(arrived))


def sends_in(population: Population, phase: PlannedPhase) -> bool:
    """Whether the sessions of a population send in a phase."""
    ramping = phase.kind == "ramp_up" and not population.traffic.during_ramp
    return phase.sends and not ramping and population.rate_hz > 0


def split_of(scenario: Scenario) -> PopulationSplit:
    """Which session belongs to which population."""
    return PopulationSplit([population.weight for population in scenario.populations])


def _phases(scenario: Scenario) -> tuple[PlannedPhase, ...]:
    load = scenario.load
    level = scenario.level
    up = plan_phase(scenario, "ramp_up", "ramp_up", spec_of(load.ramp_up, before=0, to=level), before=0)
    if isinstance(load.ramp_up, AdaptiveRamp):
        up = steered(up, rules_of(load.ramp_up, scenario), scenario)
    return (up, *phases_after(scenario, level))


def phases_after(scenario: Scenario, level: int) -> tuple[PlannedPhase, ...]:
    """What follows a ramp up that led to this level, which an adaptive one finds out."""
    load = scenario.load
    phases: list[PlannedPhase] = []
    for name, duration_s in ((WARM_UP, load.warm_up), ("hold", load.hold - load.warm_up)):
        if duration_s > 0:
            planned = plan_phase(scenario, name, "sustained", held(level, duration_s), before=level)
            phases.append(planned if phases else replace(planned, hold_s=load.hold))
    ramp_down = load.ramp_down if level == load.connections else lowered(load.ramp_down, level)
    down = spec_of(ramp_down, before=level, to=0)
    return (*phases, plan_phase(scenario, "ramp_down", "ramp_down", down, before=level))


def _threshold_problems(scenario: Scenario) -> list[str]:
    """What is wrong with thresholds, those on response times of a ramp without messages among it."""
    found = problems(scenario.thresholds, scenario)
    if found:
        return found
    for threshold in scenario.thresholds:
        bound = parse(threshold.metric, threshold.threshold)
        in_ramp = bound.selection.phase == "ramp_up"
        if bound.metric.latency and in_ramp and not _answers_in_ramp(scenario, bound):
            found.append(
                f"{threshold.metric}: nothing is sent in the ramp (traffic.during_ramp: false);"
                " connect_time is ws_connecting{phase:ramp_up}"
            )
    return found


def steered(ramp: PlannedPhase, rules: Rules, scenario: Scenario) -> PlannedPhase:
    """A ramp that grows as fast as the target takes it.

    Raises:
        PlanError: a condition is on the response time of a ramp without messages, or the ramp falls.
    """
    if not ramp.profile.moves(ramp.before).opens.all():
        raise PlanError(f"{ramp.name}: a ramp that falls on its way is not adaptive")
    for each in (*rules.slow_when, *rules.stop_when):
        if (
            each.bound is not None
            and each.bound.metric.latency
            and not _answers_in_ramp(scenario, each.bound)
        ):
            raise PlanError(
                f"{each.text}: nothing is sent in the ramp (traffic.during_ramp: false), so it has no"
                " response time",
                hint="connect_time is ws_connecting; average_latency is that of connecting where nothing is sent",
            )
    spec = ramp.spec if ramp.spec.kind == "adaptive" else adaptive(ramp.spec)
    return replace(ramp, spec=spec, rules=rules)


def _answers_in_ramp(scenario: Scenario, bound: Bound) -> bool:
    """Whether a population that a bound is about sends before the hold."""
    return any(
        each.rate_hz > 0 and each.traffic.during_ramp
        for each in scenario.populations
        if bound.selection.population in (None, each.name)
    )


def _destinations(target: Target) -> tuple[Destination, ...]:
    found = []
    for url in target.url:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        found.append(
            Destination(parts.hostname or "", parts.port or _SCHEME_PORTS[scheme], secure=scheme == "wss")
        )
    return tuple(found)


def _messages(plan: Plan, phase: PlannedPhase, index: int) -> float:
    """Level of a population times its rate, over the phase."""
    population = plan.scenario.populations[index]
    if not sends_in(population, phase):
        return 0.0
    levels = phase.profile.levels
    offsets = [*levels.offset_s.tolist(), levels.duration_s]
    weight = population.weight / sum(each.weight for each in plan.scenario.populations)
    seconds = sum(
        level * (until - since)
        for level, since, until in zip(levels.level.tolist(), offsets, offsets[1:], strict=False)
    )
    return float(seconds * weight * share_here(population) * population.rate_hz)
