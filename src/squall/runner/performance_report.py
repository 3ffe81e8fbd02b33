"""The report of a `PerformanceMonitor`, from a run's totals and from what was recorded. Pure.

**Which phases.** A name is matched without regard to case, dashes and spaces: against the phases' own names, else
against what they are: `ramp-up`, `sustained-load` (every held level) and `ramp-down` (also the one at the end of the
block). Several phases may answer to one name. A kind of phase that did not take place is in `phases_missing`; a name
that is neither is an error. Alerts are those that stood at some time of these phases.

Every figure is of its one phase, as in the results of the operations; None is not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from squall.analysis.advice import Recommendation
from squall.errors import PlanError
from squall.metrics.alerts import Alert
from squall.metrics.figures import milliseconds
from squall.metrics.resources import Utilization
from squall.metrics.totals import Selection, Totals
from squall.record.run import Phase, PhaseKind
from squall.runner.phase_results import DeliverySuccess
from squall.runner.settings import AlertThresholds

__all__ = [
    "PerformanceReport",
    "PhaseReport",
    "RecordedMetrics",
    "alerts_in",
    "phase_report",
    "phases_named",
]

_NS: Final = 1_000_000_000
_KINDS: Final[dict[str, tuple[PhaseKind, ...]]] = {
    "ramp_up": ("ramp_up",),
    "sustained_load": ("sustained",),
    "ramp_down": ("ramp_down", "end"),
}


class RecordedMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller of `record_metrics` has seen. Latency in milliseconds, usages from 0 to 1, timestamp in seconds."""

    timestamp: float
    active_connections: int | None
    connection_rate: float | None
    latency: float | None
    errors: int | None
    memory_usage: float | None
    cpu_usage: float | None


class PhaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """One phase in figures; times in milliseconds, unless the name says otherwise."""

    name: str
    kind: PhaseKind
    start_s: float
    end_s: float | None
    active_connections_mean: float | None
    active_connections_max: int | None
    connections_established: int
    connections_failed: int
    connections_dropped: int
    average_connection_time_ms: float | None
    average_latency_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    peak_latency_ms: float | None
    messages_sent: int
    messages_delivered: int
    messages_per_second: float | None
    """Delivered."""
    message_delivery_success: DeliverySuccess | None
    system_resource_utilization: Utilization
    stability_checks: int
    stability_checks_failed: int
    alerts: int


class PerformanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor saw of a run."""

    metrics_interval_s: float
    alert_thresholds: AlertThresholds
    phases: tuple[PhaseReport, ...]
    phases_missing: tuple[str, ...]
    """Kinds of phases that were asked for and did not take place."""
    alerts: tuple[Alert, ...]
    recorded: tuple[RecordedMetrics, ...]
    """The latest, in the order in which they came."""
    recorded_left_out: int
    """How many before these were too many to keep."""
    outcome: str | None
    """The verdict's; None while the run goes on, and where there is none."""
    graphs: dict[str, str]
    """SVG files by name; empty where they were not asked for, and of what was not measured."""
    recommendations: tuple[Recommendation, ...] | None
    """None where they were not asked for; none at all is a good answer."""


def phases_named(names: Iterable[str], phases: Sequence[Phase]) -> tuple[tuple[Phase, ...], tuple[str, ...]]:
    """The phases that answer to these names, in order of time, and the kinds that did not take place.

    Raises:
        PlanError: no phase, and no kind of phase, is called so.
    """
    found: dict[int, Phase] = {}
    missing = []
    for name in names:
        plain = _plain(name)
        answering = [each for each in phases if _plain(each.name) == plain]
        kinds = _KINDS.get(plain)
        if kinds is not None:
            answering = answering or [each for each in phases if each.kind in kinds]
            if not answering:
                missing.append(name)
        elif not answering:
            known = dict.fromkeys(
                [*(each.replace("_", "-") for each in _KINDS), *(each.name for each in phases)]
            )
            raise PlanError(f"no phase is called {name!r}", hint=f"there are {', '.join(known)}")
        found |= {each.id: each for each in answering}
    return tuple(each for each in phases if each.id in found), tuple(missing)


def alerts_in(alerts: Iterable[Alert], phases: Iterable[Phase]) -> tuple[Alert, ...]:
    """The alerts that stood at some time of these phases."""
    spans = [
        (phase.start_ns / _NS, float("inf") if phase.end_ns is None else phase.end_ns / _NS)
        for phase in phases
    ]
    return tuple(
        alert
        for alert in alerts
        if any(
            alert.raised_s <= end_s and (alert.cleared_s is None or alert.cleared_s > start_s)
            for start_s, end_s in spans
        )
    )


def phase_report(totals: Totals, phase: Phase) -> PhaseReport:
    """One phase in figures."""
    selection = Selection(phases=frozenset((phase.id,)))
    connections, messages = totals.connections(selection), totals.messages(selection)
    level, success, length_s = totals.level(selection), messages.delivery_success, totals.length_s(selection)
    checks = totals.checks.of([phase])
    p95_ns, p99_ns = messages.response.quantiles_ns(0.95, 0.99)
    return PhaseReport(
        name=phase.name,
        kind=phase.kind,
        start_s=phase.start_ns / _NS,
        end_s=None if phase.end_ns is None else phase.end_ns / _NS,
        active_connections_mean=level.mean,
        active_connections_max=level.most,
        connections_established=connections.established,
        connections_failed=connections.failed,
        connections_dropped=connections.dropped,
        average_connection_time_ms=milliseconds(connections.connect.mean_ns),
        average_latency_ms=milliseconds(messages.response.mean_ns),
        latency_p95_ms=milliseconds(p95_ns),
        latency_p99_ms=milliseconds(p99_ns),
        peak_latency_ms=milliseconds(totals.peak_ns(selection)),
        messages_sent=messages.sent,
        messages_delivered=messages.delivered,
        messages_per_second=messages.delivered / length_s if length_s else None,
        message_delivery_success=None if success is None else DeliverySuccess(*success),
        system_resource_utilization=totals.resources.utilization(selection.phases),
        stability_checks=len(checks),
        stability_checks_failed=sum(not check.passed for check in checks),
        alerts=len(alerts_in(totals.alerts.kept, [phase])),
    )


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")
