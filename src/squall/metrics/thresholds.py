"""Thresholds judged on the merged result, while a run lasts and when it is over.

The rule: a bound on nothing measured is unknown, never passed. A counter of nothing is 0, but only where
its phase took place. A counter's rate is per second of the run, or of the phase that is asked for.

While the run lasts, what still waits for its outcome may yet become delivered, and latency is not judged on
a ramp that leads to a hold: `Monitor` stops a run only for what can no longer change that way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from squall.metrics.distribution import Distribution
from squall.metrics.expressions import Bound, parse
from squall.metrics.figures import Figure, judged, moment, number, truth
from squall.metrics.metric import Between, PerSecond, Reading, Share
from squall.metrics.phases import settled, sustained
from squall.metrics.resources import Highest
from squall.metrics.totals import Selection, Totals
from squall.metrics.windows import Level
from squall.record.verdicts import Judgement, Truth
from squall.scenario.models import Scenario, Threshold

__all__ = ["Monitor", "Ruling", "judge_thresholds", "measure"]

_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A bound with its judgement, and what decides whether lag of squall's own could have changed it.

    `phases` are those it was judged on (None: all). `latency_limit_ms` is what it demands of latency at
    most, None where it does not. `without_pacer_lag` is how it comes out by response_time − pacer_lag.
    `timed`: it is about latency or throughput, and so becomes unknown in an invalid run.
    """

    judgement: Judgement
    timed: bool
    latency_limit_ms: float | None
    without_pacer_lag: Truth
    phases: frozenset[int] | None


def judge_thresholds(thresholds: Sequence[Threshold], totals: Totals) -> list[Ruling]:
    """Every threshold, in their order, on a run that is over.

    Raises:
        ScenarioError: one of them is not understood.
    """
    return [_ruling(threshold, totals) for threshold in thresholds]


def measure(
    bound: Bound, totals: Totals, *, without_pacer_lag: bool = False, waits: bool = False
) -> Figure | None:
    """What a bound is about, on the run so far; None where nothing was measured.

    Args:
        bound: the metric and how it is aggregated.
        totals: the run.
        without_pacer_lag: by response_time − pacer_lag, where the metric has it.
        waits: the phases that the metric is about are still to come if there are none.
    """
    selection = _selection(bound, totals, waits=waits)
    phases = totals.phase_ids(selection)
    if not totals.seconds or (phases is not None and not phases):
        return None
    if not bound.metric.is_tracked(totals.tracking):
        return None
    if bound.metric.by_receiver and not totals.is_seen(selection):
        return None
    read = bound.metric.without_pacer_lag if without_pacer_lag else None
    reading = (read or bound.metric.read)(totals, selection)
    figure = _figure(bound, reading, totals.length_s(selection))
    if figure is None:
        return None
    if bound.metric.events and not totals.events_complete:
        words = f"{figure.evidence}; at least, since a worker ended before it had told all"
        return Figure(figure.least, math.inf, words)
    return figure


class Monitor:
    """Thresholds with `abortOnFail`, looked at each interval."""

    def __init__(self, scenario: Scenario) -> None:
        self._waits = scenario.load.hold > 0
        self._watched = [
            (threshold, parse(threshold.metric, threshold.threshold))
            for threshold in scenario.thresholds
            if threshold.abort_on_fail
        ]

    def check(self, totals: Totals) -> Judgement | None:
        """The first threshold that says that the run must stop; None while none does."""
        at_s = totals.last_at_ns / 1e9
        for threshold, bound in self._watched:
            if at_s < threshold.delay_abort_eval:
                continue
            judgement = _judgement(threshold, bound, measure(bound, totals, waits=self._waits), totals)
            if judgement.truth == "failed":
                evidence = f"{judgement.evidence}, {moment(at_s)} into the run"
                return msgspec.structs.replace(judgement, evidence=evidence, aborted=True)
        return None


def _ruling(threshold: Threshold, totals: Totals) -> Ruling:
    bound = parse(threshold.metric, threshold.threshold)
    metric = bound.metric
    judgement = _judgement(threshold, bound, measure(bound, totals), totals)
    other = judgement.truth
    if metric.without_pacer_lag is not None:
        other = truth(measure(bound, totals, without_pacer_lag=True), bound.operator, bound.limit)
    return Ruling(
        judgement=judgement,
        timed=metric.timed
        or metric.kind == "trend"
        or (metric.kind == "counter" and bound.aggregation == "rate"),
        latency_limit_ms=bound.limit if metric.latency and bound.operator in ("<", "<=") else None,
        without_pacer_lag=other,
        phases=totals.phase_ids(_selection(bound, totals, waits=False)),
    )


def _judgement(threshold: Threshold, bound: Bound, figure: Figure | None, totals: Totals) -> Judgement:
    judgement = judged(
        figure,
        bound.operator,
        bound.limit,
        name=bound.metric_text,
        source="threshold",
        bound=bound.threshold_text,
        required=threshold.required,
    )
    if bound.metric.windowed and totals.connections().window_exceeded:
        words = f"{judgement.evidence}; a stream's window was exceeded, so delivery is not known"
        return msgspec.structs.replace(judgement, truth="unknown", evidence=words)
    return judgement


def _selection(bound: Bound, totals: Totals, *, waits: bool) -> Selection:
    """The bound's own selection, with the phases that its metric is about where it names none."""
    if bound.selection.phase is not None or bound.metric.over == "run":
        return bound.selection
    known = totals.phases.values()
    phases = settled(known) if bound.metric.over == "settled" else sustained(known)
    if not phases and not waits:
        return bound.selection
    return replace(bound.selection, phases=phases)


def _figure(bound: Bound, reading: Reading, length_s: float) -> Figure | None:
    if reading is None:
        return None
    if isinstance(reading, Distribution):
        return _trend(bound, reading)
    if isinstance(reading, Share):
        return _mean(bound, reading) if bound.metric.kind == "mean" else _share(reading)
    if isinstance(reading, PerSecond):
        return _per_second(bound, reading)
    if isinstance(reading, Level | Highest):
        return _gauge(bound, reading)
    if isinstance(reading, Between):
        return _between(bound, reading, length_s)
    if bound.aggregation == "count":
        return Figure.exact(reading, f"{number(reading)} {bound.metric.unit}")
    if length_s <= 0:
        return None
    per_second = f"{number(reading / length_s)} a second"
    words = f"{per_second}: {number(reading)} {bound.metric.unit} in {number(length_s)} s"
    return Figure.exact(reading / length_s, words)


def _between(bound: Bound, found: Between, length_s: float) -> Figure | None:
    """A count that may turn out to be more."""
    of_s = 1.0 if bound.aggregation == "count" else length_s
    if of_s <= 0:
        return None
    words = f"{number(found.least)} {bound.metric.unit}"
    if found.most > found.least:
        words = f"{number(found.least)} to {number(found.most)} {bound.metric.unit}"
    if bound.aggregation == "rate":
        words += f" in {number(length_s)} s"
    return Figure(found.least / of_s, found.most / of_s, words)


def _trend(bound: Bound, values: Distribution) -> Figure | None:
    if bound.aggregation == "avg":
        value_ns = values.mean_ns
    else:
        shares = {"min": 0.0, "med": 0.5, "max": 1.0}
        value_ns = values.quantile_ns(shares[bound.aggregation] if bound.share is None else bound.share)
    if value_ns is None:
        return None
    value_ms = value_ns / _NS_PER_MS
    name = f"p({bound.share * 100:.6g})" if bound.share is not None else bound.aggregation
    return Figure.exact(value_ms, f"{name} = {number(value_ms)} ms of {number(values.count)} values")


def _share(share: Share) -> Figure | None:
    if share.of <= 0:
        return None
    least, most = share.least / share.of, share.most / share.of
    if share.least == share.most:
        return Figure.exact(least, f"{number(least)}: {number(share.least)} of {number(share.of)}")
    parts = f"{number(share.least)} to {number(share.most)} of {number(share.of)}"
    words = f"{number(least)} to {number(most)}: {parts}"
    return Figure(least, most, words)


def _per_second(bound: Bound, pace: PerSecond) -> Figure:
    least = pace.least / pace.longest_s
    most = pace.most / pace.shortest_s if pace.shortest_s > 0 else math.inf
    upto = f"to {number(most)}" if math.isfinite(most) else "or more, in so short a time,"
    words = f"{number(least)} {upto} {bound.metric.unit}: {number(pace.least)} in {number(pace.longest_s)} s"
    return Figure(least, most, words)


def _mean(bound: Bound, total: Share) -> Figure | None:
    if total.of <= 0:
        return None
    words = f"avg = {number(total.least / total.of)} {bound.metric.unit} of {number(total.of)}"
    if math.isinf(total.most):
        words += ", or more: not all was measured"
    return Figure(total.least / total.of, total.most / total.of, words)


def _gauge(bound: Bound, level: Level | Highest) -> Figure | None:
    value = {"value": level.last, "avg": level.mean, "min": level.least, "max": level.most}[bound.aggregation]
    return (
        None
        if value is None
        else Figure.exact(value, f"{bound.aggregation} = {number(value)} {bound.metric.unit}")
    )
