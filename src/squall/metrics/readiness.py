"""The threshold set `readiness`: the bounds that the specification puts on a load test, as one named set.

The rule: ratios and times are the specification's own; absolute numbers of connections are shares of the
level that was planned, which is the highest that any phase was to reach.

- **Level reached**: the highest number held at a second's end is the planned level.
- **Connect success**: established / attempted. **Drop rate**: dropped / established.
- **Graceful disconnections**: planned closes answered by a close frame / planned closes.
- **Average connect time**: the mean connect_time.
- **Average latency**: the mean response_time of the settled phases.
- **Peak latency** (`squall.metrics.windows`): of the ramp, where the specification asks for it; of all phases
  where nothing was sent in the ramp.
- **Ramp, each 5 s** (`squall.metrics.ramp_checks`): connect success and average latency of a ramp up's worst
  interval.
- **Average active connections**: held on average over the sustained phases / planned level.
- **Stability score**: connection-seconds held / planned, over the sustained phases.
- **Stability checks** (`squall.metrics.stability`): none fails. Where spikes alone made them fail, squall's own lag
  could have done that, and the judgement is one on latency.
- **Delivery**: delivered / sent, as an interval.
- **Final active**: held at the end of the run's last second.

- **Peak memory and processor** (`squall.metrics.resources`): the highest share of the sustained phases, of
  several sources that of the fullest. Required only where the scenario watches the target; elsewhere they are
  listed as not measured. Where more than a tenth of the looks failed, the peak may have been higher.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from squall.metrics.cells import ConnectionTotals
from squall.metrics.figures import Figure, judged, number, percent, truth
from squall.metrics.leftovers import Leftovers
from squall.metrics.phases import ramps, settled, sustained
from squall.metrics.ramp_checks import RampInterval
from squall.metrics.thresholds import Ruling
from squall.metrics.totals import Selection, Totals
from squall.scenario.watch import Watch, provides

__all__ = [
    "NOTHING_LEFT",
    "READINESS",
    "STABILITY_CHECKS",
    "RampFailure",
    "Requirement",
    "judge_readiness",
    "ramp_failures",
]

NOTHING_LEFT: Final = "nothing left behind"
"""The bound on `squall.metrics.leftovers`."""
STABILITY_CHECKS: Final = "stability checks"
"""The bound on how many of them failed (`squall.metrics.stability`)."""

_NS_PER_MS: Final = 1_000_000

_MISSED_MAX: Final = 0.1
"""The share of looks that may fail before a peak is only a lower bound."""

Measure = Callable[[Totals], Figure | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One bound of the set. `asked` says in the specification's words where it comes from."""

    name: str
    sign: str
    limit: float
    shown: str
    asked: str
    measure: Measure
    without_pacer_lag: Measure | None = None
    phases: Callable[[Totals], frozenset[int] | None] = lambda _totals: None
    timed: bool = False
    required: bool = True
    watched: str = ""
    """The figure of the target's source that it is about: required only where that is watched."""


def judge_readiness(
    totals: Totals, *, left: Leftovers = Leftovers(), watch: Watch | None = None
) -> list[Ruling]:
    """Every bound of the set, on a run that is over.

    Args:
        totals: the run.
        left: what was left of it once all had ended.
        watch: what was to be watched; None for nothing.
    """
    rulings = [
        _ruling(_watched(requirement, watch, totals) if requirement.watched else requirement, totals)
        for requirement in READINESS
    ]
    made = [_stability_checks(totals), _cleanup(left)]
    return rulings + [_ruling(requirement, totals) for requirement in made]


@dataclass(frozen=True, slots=True, kw_only=True)
class RampFailure:
    """An interval of a ramp up that did not hold one of its two bounds."""

    name: str
    figure: float
    bound: float
    words: str


def ramp_failures(interval: RampInterval) -> list[RampFailure]:
    """What an interval of a ramp up does not hold, as it ends."""
    measured = {
        "ramp: connect success": _success_of(interval),
        "ramp: average latency": _latency_of(interval),
    }
    return [
        RampFailure(
            name=each.name,
            figure=figure.least,
            bound=each.limit,
            words=f"{each.name} is to be {each.shown}: {figure.evidence}",
        )
        for each in READINESS
        if (figure := measured.get(each.name)) is not None
        and truth(figure, each.sign, each.limit) == "failed"
    ]


def _ruling(requirement: Requirement, totals: Totals) -> Ruling:
    figure = requirement.measure(totals)
    judgement = judged(
        figure,
        requirement.sign,
        requirement.limit,
        name=requirement.name,
        source="readiness",
        bound=f"{requirement.shown} ({requirement.asked})",
        required=requirement.required,
    )
    other = judgement.truth
    if requirement.without_pacer_lag is not None:
        other = truth(requirement.without_pacer_lag(totals), requirement.sign, requirement.limit)
    latency = requirement.without_pacer_lag is not None
    return Ruling(
        judgement=judgement,
        timed=requirement.timed,
        latency_limit_ms=requirement.limit if latency else None,
        without_pacer_lag=other,
        phases=requirement.phases(totals),
    )


def _planned_level(totals: Totals) -> int:
    levels = (max(phase.level_start, phase.level_end) for phase in totals.phases.values())
    return max(levels, default=0)


def _level_reached(totals: Totals) -> Figure | None:
    planned, most = _planned_level(totals), totals.level().most
    if not planned or most is None:
        return None
    return Figure.exact(most / planned, f"{number(most)} of {number(planned)} planned")


def _average_active(totals: Totals) -> Figure | None:
    planned, mean = _planned_level(totals), totals.level(_sustained(totals)).mean
    if not planned or mean is None:
        return None
    return Figure.exact(mean / planned, f"{percent(mean / planned)} of {number(planned)} planned")


def _stability(totals: Totals) -> Figure | None:
    level = totals.level(_sustained(totals))
    if not level.planned_ns:
        return None
    share = level.held_of_planned_ns / level.planned_ns
    words = f"{percent(share)} of {number(round(level.planned_ns / 1e9))} connection-seconds"
    return Figure.exact(share, words)


def _final_active(totals: Totals) -> Figure | None:
    last = totals.level().last
    return None if last is None else Figure.exact(last, f"{number(last)} held at the end")


def _share(part: Callable[[ConnectionTotals], int], whole: Callable[[ConnectionTotals], int]) -> Measure:
    def measure(totals: Totals) -> Figure | None:
        connections = totals.connections()
        of = whole(connections)
        if not of:
            return None
        return Figure.exact(part(connections) / of, f"{number(part(connections))} of {number(of)}")

    return measure


def _delivery(totals: Totals) -> Figure | None:
    messages, success = totals.messages(), totals.messages().delivery_success
    if success is None or totals.connections().window_exceeded:
        return None
    words = (
        f"{number(messages.delivered)} to {number(messages.sent - messages.lost)} of {number(messages.sent)}"
    )
    return Figure(*success, words)


def _average_connect(totals: Totals) -> Figure | None:
    connect = totals.connections().connect
    return _milliseconds(connect.mean_ns, f"{number(connect.count)} connects")


def _average_latency(*, unlagged: bool) -> Measure:
    def measure(totals: Totals) -> Figure | None:
        messages = totals.messages(Selection(phases=_settled_ids(totals)))
        values = messages.unlagged if unlagged else messages.response
        return _milliseconds(values.mean_ns, f"{number(values.count)} responses")

    return measure


def _peak_latency(*, unlagged: bool) -> Measure:
    def measure(totals: Totals) -> Figure | None:
        ids = _peak_ids(totals)
        where = "" if ids is None else " of the ramp up"
        peak_ns = totals.peak_ns(Selection(phases=ids), unlagged=unlagged)
        return _milliseconds(peak_ns, f"the highest p99 of a window{where}")

    return measure


def _success_of(interval: RampInterval | None) -> Figure | None:
    if interval is None or interval.success is None:
        return None
    established = interval.connections.established
    decided = established + interval.connections.failed
    return Figure.exact(
        interval.success, f"{number(established)} of {number(decided)} up to {interval.at_s} s"
    )


def _latency_of(interval: RampInterval | None, *, unlagged: bool = False) -> Figure | None:
    latency_ns = None if interval is None else interval.latency_ns(unlagged=unlagged)
    return _milliseconds(latency_ns, f"the slowest, up to {interval.at_s} s" if interval else "")


def _milliseconds(value_ns: float | None, words: str) -> Figure | None:
    if value_ns is None:
        return None
    return Figure.exact(value_ns / _NS_PER_MS, f"{number(value_ns / _NS_PER_MS)} ms: {words}")


def _watched(requirement: Requirement, watch: Watch | None, totals: Totals) -> Requirement:
    """The bound as it is with this watch: required where the figure was asked for, or was measured."""
    asked = watch is not None and provides(watch, requirement.watched)
    return replace(requirement, required=asked or requirement.measure(totals) is not None)


def _target_peak(figure: str) -> Measure:
    def measure(totals: Totals) -> Figure | None:
        phases = totals.phase_ids(_sustained(totals))
        gauge = totals.resources.highest(figure, role="target", phases=phases)
        if gauge is None or gauge.most is None:
            return None
        looks = gauge.count + gauge.missed
        words = f"{percent(gauge.most)}, the highest of {number(gauge.count)} looks"
        if gauge.missed > _MISSED_MAX * looks:
            return Figure(gauge.most, math.inf, f"{words}; {number(gauge.missed)} more failed")
        return Figure.exact(gauge.most, words)

    return measure


def _sustained(totals: Totals) -> Selection:
    return Selection(phases=sustained(totals.phases.values()))


def _settled_ids(totals: Totals) -> frozenset[int] | None:
    return settled(totals.phases.values()) or None


def _ramp_ids(totals: Totals) -> frozenset[int] | None:
    return ramps(totals.phases.values())


def _peak_ids(totals: Totals) -> frozenset[int] | None:
    ids = ramps(totals.phases.values())
    return ids if totals.peak_ns(Selection(phases=ids)) is not None else None


def _stability_checks(totals: Totals) -> Requirement:
    checks = totals.checks
    words = f"{number(checks.failed)} of {number(checks.count)} failed"
    figure = Figure.exact(checks.failed, words) if checks.count else None
    return Requirement(
        name=STABILITY_CHECKS,
        sign="==",
        limit=0,
        shown="none fails",
        asked="sustained load: tolerances of the stability monitoring",
        measure=lambda _totals: figure,
        timed=0 < checks.failed == checks.failed_by_spikes_alone,
    )


def _cleanup(left: Leftovers) -> Requirement:
    figure = None
    if left.none_left is not None:
        figure = Figure(left.known, left.known if left.is_whole else math.inf, left.in_words())
    return Requirement(
        name=NOTHING_LEFT,
        sign="==",
        limit=0,
        shown="== 0",
        asked="ramp-down: resource cleanup success",
        measure=lambda _totals: figure,
        required=figure is not None,
    )


READINESS: Final[tuple[Requirement, ...]] = (
    Requirement(
        name="connections reached",
        sign=">=",
        limit=1.0,
        shown="the planned level",
        asked="ramp-up: final connection count; overview: concurrent connections",
        measure=_level_reached,
    ),
    Requirement(
        name="connect success",
        sign=">",
        limit=0.95,
        shown="> 95 %",
        asked="ramp-up: overall success rate",
        measure=_share(lambda each: each.established, lambda each: each.attempted),
    ),
    Requirement(
        name="ramp: connect success",
        sign=">",
        limit=0.98,
        shown="> 98 % in each 5 s",
        asked="ramp-up: connection success rate at each call of the callback",
        measure=lambda totals: _success_of(totals.ramp_checks.least_success),
    ),
    Requirement(
        name="ramp: average latency",
        sign="<",
        limit=150.0,
        shown="< 150 ms in each 5 s",
        asked="ramp-up: average latency at each call of the callback",
        measure=lambda totals: _latency_of(totals.ramp_checks.slowest()),
        without_pacer_lag=lambda totals: _latency_of(
            totals.ramp_checks.slowest(unlagged=True), unlagged=True
        ),
        phases=_ramp_ids,
        timed=True,
    ),
    Requirement(
        name="average connect time",
        sign="<",
        limit=5000.0,
        shown="< 5,000 ms",
        asked="ramp-up: average connection time",
        measure=_average_connect,
        timed=True,
    ),
    Requirement(
        name="peak latency",
        sign="<",
        limit=200.0,
        shown="< 200 ms",
        asked="ramp-up: peak latency",
        measure=_peak_latency(unlagged=False),
        without_pacer_lag=_peak_latency(unlagged=True),
        phases=_peak_ids,
        timed=True,
    ),
    Requirement(
        name="average active connections",
        sign=">",
        limit=0.99,
        shown="> 99 % of the planned level",
        asked="sustained load: average active connections",
        measure=_average_active,
    ),
    Requirement(
        name="average latency",
        sign="<",
        limit=100.0,
        shown="< 100 ms",
        asked="sustained load: average message latency; overview: latency",
        measure=_average_latency(unlagged=False),
        without_pacer_lag=_average_latency(unlagged=True),
        phases=_settled_ids,
        timed=True,
    ),
    Requirement(
        name="delivery",
        sign=">",
        limit=0.999,
        shown="> 99.9 %",
        asked="sustained load: message delivery success; overview: message delivery",
        measure=_delivery,
    ),
    Requirement(
        name="connection stability",
        sign=">",
        limit=0.98,
        shown="> 0.98",
        asked="sustained load: connection stability score",
        measure=_stability,
    ),
    Requirement(
        name="connection drop rate",
        sign="<",
        limit=0.01,
        shown="< 1 %",
        asked="overview: connection drop rate",
        measure=_share(lambda each: each.dropped, lambda each: each.established),
    ),
    Requirement(
        name="graceful disconnections",
        sign=">",
        limit=0.99,
        shown="> 99 %",
        asked="ramp-down: graceful disconnections",
        measure=_share(lambda each: each.graceful, lambda each: each.closed),
    ),
    Requirement(
        name="final active connections",
        sign="==",
        limit=0.0,
        shown="== 0",
        asked="ramp-down: final active connections",
        measure=_final_active,
    ),
    Requirement(
        name="target's peak memory",
        sign="<",
        limit=0.90,
        shown="< 90 %",
        asked="sustained load: peak memory",
        measure=_target_peak("memory_share"),
        watched="memory_share",
    ),
    Requirement(
        name="target's peak processor",
        sign="<",
        limit=0.85,
        shown="< 85 %",
        asked="sustained load: peak cpu",
        measure=_target_peak("cpu_share"),
        watched="cpu_share",
    ),
)
