"""Whether squall itself could have changed a verdict. A run in which it could is invalid, never passed.

A run is invalid
- if the p99 of pacer_lag was above the limit in more than 5 % of the one-second windows, and in at least
  three. The limit is a tenth of the tightest bound on latency, and at least 5 ms. The windows are those in
  which anything was sent, of the phases that a bound on latency is judged on: lag elsewhere changes none;
- if judging by response_time − pacer_lag flips a verdict on latency;
- if any message was not sent by squall's doing, other than by a fault that the scenario asked for;
- if a worker died.

Without a bound on latency, lag over all phases is a warning, at 5 ms. In an invalid run the verdicts on
latency and throughput become unknown; the others stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from squall.metrics.figures import number
from squall.metrics.thresholds import Ruling
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.record.verdicts import Validity

__all__ = ["LAG_LIMIT_LEAST_MS", "assess"]

LAG_LIMIT_LEAST_MS: Final = 5.0
_LIMIT_SHARE: Final = 0.1
_SECONDS_SHARE_MAX: Final = 0.05
_SECONDS_LEAST: Final = 3


def assess(totals: Totals, rulings: Sequence[Ruling]) -> Validity:
    """Validity of a run that is over, given all that was judged on it."""
    reasons: list[str] = []
    warnings: list[str] = []
    lag = _lag(totals, rulings)
    bounded = any(ruling.latency_limit_ms is not None for ruling in rulings)
    if lag:
        (reasons if bounded else warnings).append(lag)
    reasons += _flipped(rulings)
    messages = totals.messages()
    if not_sent := messages.not_sent_squall - messages.not_sent_fault:
        reasons.append(f"{number(not_sent)} messages were not sent by squall's own doing")
    if totals.workers_lost:
        reasons.append(f"{_listed(totals.workers_lost)} died")
    if totals.incomplete_seconds:
        warnings.append(
            f"{number(totals.incomplete_seconds)} seconds came without every worker's report in time"
        )
    return Validity(valid=not reasons, reasons=tuple(reasons), warnings=tuple(warnings))


def _lag(totals: Totals, rulings: Sequence[Ruling]) -> str:
    """What is to be said of squall's lag; empty where there is nothing."""
    bounds = [ruling for ruling in rulings if ruling.latency_limit_ms is not None]
    limits = [ruling.latency_limit_ms for ruling in bounds if ruling.latency_limit_ms is not None]
    limit_ms = max(LAG_LIMIT_LEAST_MS, _LIMIT_SHARE * min(limits, default=0.0))
    lags = totals.second_lags(_phases_of(bounds))
    over = lags.above(limit_ms * 1_000_000)
    if over < _SECONDS_LEAST or over <= _SECONDS_SHARE_MAX * lags.count:
        return ""
    words = f"squall sent late: the p99 of its own lag was above {number(limit_ms)} ms"
    if limits and limit_ms > LAG_LIMIT_LEAST_MS:
        words += f", a tenth of the tightest bound on latency ({number(min(limits))} ms),"
    return f"{words} in {number(over)} of {number(lags.count)} seconds"


def _phases_of(bounds: Sequence[Ruling]) -> Selection:
    phases: set[int] = set()
    for ruling in bounds:
        if ruling.phases is None:
            return EVERYTHING
        phases |= ruling.phases
    return Selection(phases=frozenset(phases)) if bounds else EVERYTHING


def _flipped(rulings: Sequence[Ruling]) -> list[str]:
    return [
        f"{ruling.judgement.name} {ruling.judgement.bound} is {ruling.judgement.truth}, "
        f"and without squall's own lag it would be {ruling.without_pacer_lag}"
        for ruling in rulings
        if ruling.without_pacer_lag != ruling.judgement.truth
    ]


def _listed(workers: set[int]) -> str:
    numbers = ", ".join(str(worker) for worker in sorted(workers))
    return f"worker {numbers}" if len(workers) == 1 else f"workers {numbers}"
