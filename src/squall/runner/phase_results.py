"""What a phase came to: the results of the Python API's operations, computed from the run's totals. Pure.

Everything here is of one phase. Of connections that is what happened while it lasted, of messages what was
intended in it. None is not measured.

- **final_connection_count**: held at the first report at or after the phase's end.
- **overall_success_rate**: established / attempted, each try counted.
- **average_connection_time**: the mean connect_time. **time_to_target**: from the phase's start to the first
  report that shows the level held, so to a second; None where it was not reached.
- **peak_latency**: the highest p99 of response_time over windows of at least a second and 1,000 responses; in
  a ramp in which nothing was sent, the p99 of connect_time (`peak_latency_of` says which).
- **message_delivery_success**: from delivered / sent to (sent − lost) / sent. It is provisional: what was on
  its way when the phase ended may have its outcome later; `LoadTester.result` has the final figures.
- **connection_stability_score**: connection-seconds held / planned.
- **stability_checks**: those of the phase, in order; `squall.metrics.stability` says what they are.
- **graceful_disconnections**: planned closes answered by a close frame / planned closes. The others are
  `connections_forced`; of these `forced_disconnections` lists the first of each second, 200 a worker and 500 in all.
- **system_resource_utilization**: the target's memory and processor, as shares of what it may use
  (`squall.metrics.resources`); None where they were not watched.
- **resource_cleanup_success**: no connection, descriptor, task or worker process left once all had ended: at squall's
  end by what the workers counted (`resources_left_at_squall`), at the target's (`resources_left_at_target`) by the
  socket table where it listens on this machine, else by the descriptors of its Prometheus endpoint, if that is
  watched; not measured for any other.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from squall.metrics.figures import milliseconds, ratio
from squall.metrics.leftovers import Leftovers
from squall.metrics.resources import Utilization
from squall.metrics.success import DeliverySuccess
from squall.metrics.totals import Selection, Totals
from squall.record.outcomes import Blame, Step
from squall.record.run import Freeze, Phase
from squall.record.stability import StabilityCheck

__all__ = [
    "DeliverySuccess",
    "ForcedDisconnection",
    "PhaseError",
    "RampAccount",
    "RampDownResult",
    "RampUpResult",
    "SustainedLoadResult",
    "ramp_down_result",
    "ramp_up_result",
    "sustained_load_result",
]


class PhaseError(msgspec.Struct, frozen=True):
    """How often connections went wrong in one way: at which step, how, whose doing it was."""

    step: Step
    kind: str
    blame: Blame
    count: int


class ForcedDisconnection(msgspec.Struct, frozen=True, kw_only=True):
    """A planned close that no close frame answered: of which connection, when, and how it ended instead."""

    connection: int
    """Its session's number."""
    at_s: float
    """Seconds since the start of the run."""
    reason: str


class RampAccount(msgspec.Struct, frozen=True, kw_only=True):
    """How a ramp was steered: where it was frozen, if it was, and what slowed it."""

    freeze: Freeze | None = None
    intervals_slow: int = 0
    callback_calls: int = 0
    callback_intervals_skipped: int = 0


class RampUpResult(msgspec.Struct, frozen=True, kw_only=True):
    """A ramp up that is over."""

    phase: str
    target_connections: int
    final_connection_count: int | None
    overall_success_rate: float | None
    average_connection_time_ms: float | None
    connection_time_p99_ms: float | None
    peak_latency_ms: float | None
    peak_latency_of: Literal["response_time", "connect_time"] | None
    average_latency_ms: float | None
    time_to_target_s: float | None
    duration_s: float
    connections_attempted: int
    connections_established: int
    connections_failed: int
    connections_dropped: int
    errors: tuple[PhaseError, ...]
    stopped_by: str
    """What ended the run in this phase; empty where nothing did."""
    frozen_at_connections: int | None = None
    """The level at which an adaptive ramp, or a callback, froze it; None where it went on to its target."""
    frozen_after_s: float | None = None
    """When that was, from the start of the phase."""
    frozen_why: str = ""
    intervals_slow: int = 0
    """Intervals that halved the growth of the ramp."""
    callback_calls: int = 0
    callback_intervals_skipped: int = 0
    """Intervals that ended while the callback was still at one before."""


class SustainedLoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """A held level that is over. The message figures are provisional."""

    phase: str
    duration_s: float
    average_active_connections: float | None
    active_connections_min: int | None
    active_connections_max: int | None
    average_message_latency_ms: float | None
    message_latency_p50_ms: float | None
    message_latency_p95_ms: float | None
    message_latency_p99_ms: float | None
    peak_latency_ms: float | None
    message_delivery_success: DeliverySuccess | None
    connection_stability_score: float | None
    connection_drops: int
    messages_intended: int
    messages_sent: int
    messages_not_sent: int
    messages_delivered: int
    messages_lost: int
    messages_unknown: int
    messages_under_way: int
    messages_duplicated: int
    messages_reordered: int
    messages_corrupted: int
    system_resource_utilization: Utilization
    stability_checks: tuple[StabilityCheck, ...]
    stability_checks_failed: int
    errors: tuple[PhaseError, ...]
    stopped_by: str


class RampDownResult(msgspec.Struct, frozen=True, kw_only=True):
    """A ramp down that is over."""

    phase: str
    duration_s: float
    graceful_disconnections: float | None
    connections_closed: int
    connections_forced: int
    forced_disconnections: tuple[ForcedDisconnection, ...]
    connections_dropped: int
    final_active_connections: int | None
    resource_cleanup_success: bool | None
    resources_left_at_squall: int | None
    resources_left_at_target: int | None
    errors: tuple[PhaseError, ...]
    stopped_by: str


def ramp_up_result(
    totals: Totals,
    phase: Phase,
    *,
    duration_s: float,
    reached_s: float | None,
    stopped_by: str,
    account: RampAccount | None = None,
) -> RampUpResult:
    """The result of a ramp up, from totals that have all of it; `account` where it was steered."""
    account = account or RampAccount()
    freeze = account.freeze
    selection = _only(phase)
    connections, messages = totals.connections(selection), totals.messages(selection)
    peak_ns: float | None = totals.peak_ns(selection)
    peak_of: Literal["response_time", "connect_time"] | None = "response_time"
    if peak_ns is None:
        peak_ns = connections.connect.quantile_ns(0.99)
        peak_of = None if peak_ns is None else "connect_time"
    return RampUpResult(
        phase=phase.name,
        target_connections=phase.level_end,
        final_connection_count=totals.level().last,
        overall_success_rate=ratio(connections.established, connections.attempted),
        average_connection_time_ms=milliseconds(connections.connect.mean_ns),
        connection_time_p99_ms=milliseconds(connections.connect.quantile_ns(0.99)),
        peak_latency_ms=milliseconds(peak_ns),
        peak_latency_of=peak_of,
        average_latency_ms=milliseconds(messages.response.mean_ns),
        time_to_target_s=reached_s,
        duration_s=duration_s,
        connections_attempted=connections.attempted,
        connections_established=connections.established,
        connections_failed=connections.failed,
        connections_dropped=connections.dropped,
        errors=_errors(totals, selection),
        stopped_by=stopped_by,
        frozen_at_connections=None if freeze is None else freeze.level,
        frozen_after_s=None if freeze is None else (freeze.at_ns - phase.start_ns) / 1e9,
        frozen_why="" if freeze is None else freeze.why,
        intervals_slow=account.intervals_slow,
        callback_calls=account.callback_calls,
        callback_intervals_skipped=account.callback_intervals_skipped,
    )


def sustained_load_result(
    totals: Totals, phase: Phase, *, duration_s: float, stopped_by: str
) -> SustainedLoadResult:
    """The result of a held level, from totals that have all of it but outcomes still to come."""
    selection = _only(phase)
    connections, messages = totals.connections(selection), totals.messages(selection)
    checks = totals.checks.of([phase])
    level, success = totals.level(selection), messages.delivery_success
    return SustainedLoadResult(
        phase=phase.name,
        duration_s=duration_s,
        average_active_connections=level.mean,
        active_connections_min=level.least,
        active_connections_max=level.most,
        average_message_latency_ms=milliseconds(messages.response.mean_ns),
        message_latency_p50_ms=milliseconds(messages.response.quantile_ns(0.50)),
        message_latency_p95_ms=milliseconds(messages.response.quantile_ns(0.95)),
        message_latency_p99_ms=milliseconds(messages.response.quantile_ns(0.99)),
        peak_latency_ms=milliseconds(totals.peak_ns(selection)),
        message_delivery_success=None if success is None else DeliverySuccess(*success),
        connection_stability_score=ratio(level.held_of_planned_ns, level.planned_ns),
        connection_drops=connections.dropped,
        messages_intended=messages.intended,
        messages_sent=messages.sent,
        messages_not_sent=messages.not_sent,
        messages_delivered=messages.delivered,
        messages_lost=messages.lost,
        messages_unknown=messages.unknown,
        messages_under_way=messages.unsettled,
        messages_duplicated=messages.duplicated,
        messages_reordered=messages.reordered,
        messages_corrupted=messages.corrupted_body + connections.corrupted_header,
        system_resource_utilization=totals.resources.utilization(selection.phases),
        stability_checks=checks,
        stability_checks_failed=sum(not check.passed for check in checks),
        errors=_errors(totals, selection),
        stopped_by=stopped_by,
    )


def ramp_down_result(
    totals: Totals, phase: Phase, *, duration_s: float, left: Leftovers, stopped_by: str
) -> RampDownResult:
    """The result of a ramp down. `left` knows nothing as long as not all have gone."""
    selection = _only(phase)
    connections = totals.connections(selection)
    return RampDownResult(
        phase=phase.name,
        duration_s=duration_s,
        graceful_disconnections=ratio(connections.graceful, connections.closed),
        connections_closed=connections.closed,
        connections_forced=connections.closed - connections.graceful,
        forced_disconnections=_forced(totals, phase),
        connections_dropped=connections.dropped,
        final_active_connections=totals.level().last,
        resource_cleanup_success=left.none_left,
        resources_left_at_squall=left.at_squall,
        resources_left_at_target=left.at_target,
        errors=_errors(totals, selection),
        stopped_by=stopped_by,
    )


def _only(phase: Phase) -> Selection:
    return Selection(phases=frozenset((phase.id,)))


def _forced(totals: Totals, phase: Phase) -> tuple[ForcedDisconnection, ...]:
    until_ns = totals.last_at_ns if phase.end_ns is None else phase.end_ns
    return tuple(
        ForcedDisconnection(connection=event.stream, at_s=event.at_ns / 1e9, reason=event.text)
        for event in totals.forced
        if phase.start_ns <= event.at_ns <= until_ns
    )


def _errors(totals: Totals, selection: Selection) -> tuple[PhaseError, ...]:
    """The most frequent first."""
    found = [
        PhaseError(trouble.step, trouble.kind, trouble.blame, count)
        for trouble, count in totals.connections(selection).troubles.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.step, each.kind, each.blame)))
