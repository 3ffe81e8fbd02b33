"""A run in figures: summary.json, computed from the totals and the verdict.

The rule: a figure that was not measured is null, and the identities of `squall.metrics.cells` hold for what
is written here. Latency is that of the settled phases, or of all phases where a run has none of those
(`squall.metrics.phases`); every other figure covers the whole run. Throughput is per second of sending,
from the start of the first second in which anything was sent to the end of the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.metrics.confirmations import confirmed
from squall.metrics.distribution import Distribution
from squall.metrics.fault_handling import client_timeout_handling, server_delay_handling
from squall.metrics.figures import milliseconds, ratio
from squall.metrics.ordering import ordering_of
from squall.metrics.phases import settled, sustained
from squall.metrics.pushes import counts_pushes, push_figures
from squall.metrics.resources import SourceTotals
from squall.metrics.stream_figures import sent_badly, worst_streams
from squall.metrics.summary_document import (
    Acknowledgements,
    Connect,
    Connections,
    Delivery,
    DeliverySuccess,
    Faults,
    Judged,
    Latency,
    NotSent,
    Percentiles,
    PhaseSummary,
    PlaceSummary,
    PopulationSummary,
    Push,
    Reordering,
    ResourceFigure,
    SourceSummary,
    StabilitySummary,
    Summary,
    Throughput,
    TroubleCount,
    VerdictSummary,
    Workers,
)
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.record.run import Phase, RunHeader
from squall.record.verdicts import Verdict
from squall.scenario.exchanges import EXCHANGES

__all__ = ["summarise"]

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_EVIDENCE: Final = {kind: getattr(model, "evidence", "") for kind, model in EXCHANGES.items()}
"""What shows that a message was delivered, by the exchange of its population, where the exchange does not say itself."""


def summarise(header: RunHeader, phases: Sequence[Phase], totals: Totals, verdict: Verdict | None) -> Summary:
    """The summary of a run.

    Args:
        header: what was known before it.
        phases: those that took place; the totals take note of them.
        totals: all of its intervals.
        verdict: None for a run that was killed before it had one.
    """
    for phase in phases:
        totals.note(phase)
    connections, messages = totals.connections(), totals.messages()
    names = settled(phases)
    latency_of = Selection(phases=names) if names else EVERYTHING
    types = sorted({name for population in header.types for name in population})
    return Summary(
        **_known_before(header),
        **_kept_one_by_one(totals),
        duration_s=totals.last_at_ns / _NS_PER_S if totals.seconds else None,
        delivery=_delivery(totals, EVERYTHING),
        delivery_by_type={name: _delivery(totals, Selection(type=name)) for name in types},
        latency=_latency(totals.messages(latency_of)),
        connections=_connections(totals, EVERYTHING),
        verdict=_verdict(verdict),
        latency_phases=[phase.name for phase in phases if not names or phase.id in names],
        latency_by_type={name: _latency(totals.messages(replace(latency_of, type=name))) for name in types},
        latency_by_phase=_latency_by_phase(totals, phases),
        peak_latency_ms=milliseconds(totals.peak_ns()),
        delivery_success=_success(messages),
        not_sent=_not_sent(totals, messages),
        reordering=_reordering(messages),
        window_exceeded=_measured(totals, connections.window_exceeded),
        service_unmeasured=_measured(totals, messages.service_unmeasured),
        foreign=_measured(totals, connections.foreign),
        invalid_utf8=_measured(totals, connections.invalid_utf8),
        events_complete=totals.events_complete,
        evidence=_evidence(header.scenario),
        connect=_connect(connections),
        ping=_percentiles(connections.ping),
        session_duration=_percentiles(connections.session),
        errors=_errors(totals, connections),
        close_codes={str(code): count for code, count in sorted(connections.close_codes.items())},
        throughput=_throughput(totals, messages, connections),
        phases=[_phase(totals, phase) for phase in phases],
        populations=_populations(totals, phases, header, latency_of),
        places=_places(totals),
        workers=_workers(totals),
        stability=_stability(totals),
        reconnect=_percentiles(connections.reconnect),
        resources=_resources(totals, phases),
        push=_push(totals, phases, _pushing(header)),
        misfits=dict(sorted(connections.misfits.items())),
        ordering=ordering_of(totals, EVERYTHING),
        ordering_by_type={name: ordering_of(totals, Selection(type=name)) for name in types},
        acknowledgements=_acknowledgements(totals, messages, connections),
        faults=_faults(totals, messages, connections) if header.scenario.get("faults") else Faults(),
    )


def _known_before(header: RunHeader) -> dict[str, Any]:
    """What a header says, under the summary's keys."""
    return {
        "format_version": header.format_version,
        "run_id": header.run_id,
        "name": header.name,
        "squall_version": header.squall_version,
        "started_wall_ns": header.started_wall_ns,
        "seed": header.seed,
        "test_environment": str(header.scenario.get("test_environment", "")),
    }


def _kept_one_by_one(totals: Totals) -> dict[str, Any]:
    """What the totals keep apart, as far as they do, under the summary's keys."""
    return {
        "alerts": list(totals.alerts.kept),
        "alert_counts": totals.alerts.counts,
        "outages": totals.outages.all,
        "outages_more": totals.outages.more,
        "worst_streams": worst_streams(totals),
        "sent_badly": sent_badly(totals),
    }


def _latency_by_phase(totals: Totals, phases: Sequence[Phase]) -> dict[str, Latency]:
    names = dict.fromkeys(phase.name for phase in phases)
    return {name: _latency(totals.messages(Selection(phase=name))) for name in names}


def _delivery(totals: Totals, selection: Selection) -> Delivery:
    if not totals.seconds:
        return Delivery()
    messages = totals.messages(selection)
    typed, tracking, seen = selection.type is not None, totals.tracking, totals.is_seen(selection)
    connections = None if typed else totals.connections(selection)
    shown = confirmed(totals, selection) if tracking.confirmations else None
    return Delivery(
        intended=messages.intended,
        sent=messages.sent,
        not_sent=messages.not_sent,
        delivered=messages.delivered,
        lost=messages.lost,
        unknown=messages.unknown + messages.unsettled,
        duplicated=messages.duplicated if seen else None,
        reordered=messages.reordered if seen and tracking.sequence_numbers else None,
        late=messages.late,
        recovered=messages.recovered,
        corrupted_body=messages.corrupted_body if tracking.checksums else None,
        corrupted_header=None if connections is None else connections.corrupted_header,
        unexpected=None if connections is None else connections.unexpected,
        confirmed=None if shown is None else int(shown.least),
    )


def _latency(messages: MessageTotals) -> Latency:
    return Latency(
        response=_percentiles(messages.response),
        service=_percentiles(messages.service),
        lag=_percentiles(messages.lag),
        pacer_lag=_percentiles(messages.pacer_lag),
    )


def _percentiles(values: Distribution) -> Percentiles:
    if not values.count:
        return Percentiles()
    p50, p90, p95, p99, p999 = values.quantiles_ns(0.5, 0.9, 0.95, 0.99, 0.999)
    return Percentiles(
        p50=milliseconds(p50),
        p90=milliseconds(p90),
        p95=milliseconds(p95),
        p99=milliseconds(p99),
        p999=milliseconds(p999),
        max=milliseconds(values.max_ns),
        mean=milliseconds(values.mean_ns),
        min=milliseconds(values.min_ns),
        count=values.count,
    )


def _connections(totals: Totals, selection: Selection) -> Connections:
    """The level is the whole run's: only where all populations are meant."""
    if not totals.seconds:
        return Connections()
    found = totals.connections(selection)
    level = totals.level(Selection(phases=sustained(totals.phases.values())))
    all_of_it = selection == EVERYTHING
    return Connections(
        attempted=found.attempted,
        established=found.established,
        failed=found.failed,
        closed=found.closed,
        dropped=found.dropped,
        open=found.open,
        pending=found.pending,
        peak=totals.level().most if all_of_it else None,
        graceful=found.graceful,
        reconnected=found.reconnected,
        abandoned=found.abandoned,
        success_rate=ratio(found.established, found.attempted),
        drop_rate=ratio(found.dropped, found.established),
        graceful_rate=ratio(found.graceful, found.closed),
        stability=ratio(level.held_of_planned_ns, level.planned_ns) if all_of_it else None,
        held_mean=level.mean if all_of_it else None,
        held_last=totals.level().last if all_of_it else None,
    )


def _verdict(verdict: Verdict | None) -> VerdictSummary:
    if verdict is None:
        return VerdictSummary()
    return VerdictSummary(
        outcome=verdict.outcome,
        valid=verdict.validity.valid,
        exit_code=verdict.exit_code,
        reasons=list(verdict.reasons),
        warnings=list(verdict.validity.warnings),
        stopped_by=verdict.stopped_by,
        judgements=[
            Judged(
                name=each.name,
                source=each.source,
                bound=each.bound,
                figure=each.figure,
                truth=each.truth,
                required=each.required,
                evidence=each.evidence,
                aborted=each.aborted,
            )
            for each in verdict.judgements
        ],
    )


def _faults(totals: Totals, messages: MessageTotals, connections: ConnectionTotals) -> Faults:
    return Faults(
        recoveries=totals.recoveries.all,
        server_delay_handling=server_delay_handling(totals),
        client_timeout_handling=client_timeout_handling(connections),
        struck=dict(sorted(connections.strikes.items())),
        missed=dict(sorted(connections.strikes_missed.items())),
        not_sent=_measured(totals, messages.not_sent_fault),
        reconciliation=totals.reconciliation,
    )


def _success(messages: MessageTotals) -> DeliverySuccess:
    interval = messages.delivery_success
    return DeliverySuccess() if interval is None else DeliverySuccess(lower=interval[0], upper=interval[1])


def _not_sent(totals: Totals, messages: MessageTotals) -> NotSent:
    return NotSent(
        target=_measured(totals, messages.not_sent_target), squall=_measured(totals, messages.not_sent_squall)
    )


def _reordering(messages: MessageTotals) -> Reordering:
    if not messages.reordered:
        return Reordering()
    return Reordering(
        extent_mean=messages.reorder_extent_sum / messages.reordered,
        extent_max=messages.reorder_extent_max,
        late_mean_ms=messages.reorder_late_ns_sum / messages.reordered / _NS_PER_MS,
        late_max_ms=messages.reorder_late_ns_max / _NS_PER_MS,
    )


def _acknowledgements(
    totals: Totals, messages: MessageTotals, connections: ConnectionTotals
) -> Acknowledgements:
    """None where nothing waits for an acknowledgement, or that was not kept account of."""
    waited = messages.acknowledged or messages.retried or messages.gave_up or messages.duplicate_arrivals
    if not waited or not totals.tracking.confirmations:
        return Acknowledgements()
    return Acknowledgements(
        acknowledged=messages.acknowledged,
        acknowledged_first=messages.acknowledged_first,
        retried=messages.retried,
        retry_acknowledged=messages.retry_acknowledged,
        retries_sent=messages.retries_sent,
        gave_up=messages.gave_up,
        ack_duplicates=messages.ack_duplicates,
        ack_unexpected=connections.ack_unexpected,
        acknowledged_late=messages.acknowledged_late,
        acknowledged_lost=messages.acknowledged_lost if totals.is_seen(EVERYTHING) else None,
        duplicate_arrivals=messages.duplicate_arrivals if totals.is_seen(EVERYTHING) else None,
        ack_time=_percentiles(messages.ack),
        ack_time_first=_percentiles(messages.ack_first),
        ack_time_retried=_percentiles(messages.ack_retried),
        ack_time_total=_percentiles(messages.ack_total),
        retry_recovery=_percentiles(messages.retry_recovery),
    )


def _connect(connections: ConnectionTotals) -> Connect:
    return Connect(
        total=_percentiles(connections.connect),
        tcp=_percentiles(connections.tcp),
        tls=_percentiles(connections.tls),
        upgrade=_percentiles(connections.upgrade),
        opening=_percentiles(connections.opening),
    )


def _errors(totals: Totals, connections: ConnectionTotals) -> list[TroubleCount]:
    """The most frequent first."""
    known = totals.reconciliation
    faulted = {} if known is None else {(each.step, each.kind): each for each in known.errors}
    found = []
    for trouble, count in connections.troubles.items():
        by_faults = faulted.get((trouble.step, trouble.kind)) if trouble.blame == "target" else None
        found.append(
            TroubleCount(
                step=trouble.step,
                kind=trouble.kind,
                blame=trouble.blame,
                count=count,
                by_faults=0 if by_faults is None else by_faults.least,
                by_faults_most=0 if by_faults is None else by_faults.most,
            )
        )
    return sorted(found, key=lambda each: (-each.count, each.step, each.kind, each.blame))


def _throughput(totals: Totals, messages: MessageTotals, connections: ConnectionTotals) -> Throughput:
    if not totals.seconds:
        return Throughput()
    received = {
        "messages_received": connections.messages_received,
        "bytes_sent": connections.bytes_sent,
        "bytes_received": connections.bytes_received,
    }
    if totals.sending_from_ns is None or totals.sending_to_ns is None:
        return Throughput(**received)
    sending_s = (totals.sending_to_ns - totals.sending_from_ns) / _NS_PER_S
    return Throughput(
        sending_s=sending_s,
        sent_per_s=ratio(messages.sent, sending_s),
        delivered_per_s=ratio(messages.delivered, sending_s),
        **received,
    )


def _phase(totals: Totals, phase: Phase) -> PhaseSummary:
    selection = Selection(phases=frozenset((phase.id,)))
    level = totals.level(selection)
    return PhaseSummary(
        name=phase.name,
        kind=phase.kind,
        words=phase.words,
        start_s=phase.start_ns / _NS_PER_S,
        end_s=None if phase.end_ns is None else phase.end_ns / _NS_PER_S,
        level_start=phase.level_start,
        level_end=phase.level_end,
        held_mean=level.mean,
        held_min=level.least,
        held_max=level.most,
        peak_latency_ms=milliseconds(totals.peak_ns(selection)),
        delivery=_delivery(totals, selection),
        held_last=level.last,
        adaptive=phase.adaptive,
        frozen_level=None if phase.freeze is None else phase.freeze.level,
        frozen_s=None if phase.freeze is None else phase.freeze.at_ns / _NS_PER_S,
        frozen_why="" if phase.freeze is None else phase.freeze.why,
    )


def _populations(
    totals: Totals, phases: Sequence[Phase], header: RunHeader, latency_of: Selection
) -> dict[str, PopulationSummary]:
    pushing = _pushing(header)
    found = {}
    for name in header.populations:
        selection = Selection(population=name)
        found[name] = PopulationSummary(
            delivery=_delivery(totals, selection),
            latency=_latency(totals.messages(replace(latency_of, population=name))),
            connections=_connections(totals, selection),
            push=_push(totals, phases, [name] if name in pushing else [], name),
        )
    return found


def _pushing(header: RunHeader) -> list[str]:
    """The populations that count what comes unasked."""
    given = header.scenario.get("populations", ())
    return [each["name"] for each in given if counts_pushes(each.get("exchange", {}))]


def _push(totals: Totals, phases: Sequence[Phase], pushing: list[str], population: str | None = None) -> Push:
    if not pushing or not totals.seconds:
        return Push()
    delay = totals.connections(Selection(population=population)).push_delay
    return push_figures(totals, phases, _percentiles(delay), population)


def _places(totals: Totals) -> list[PlaceSummary]:
    found = []
    for place in totals.places:
        selection = Selection(entry_point=place.entry_point, node=place.node)
        connections, messages = totals.connections(selection), totals.messages(selection)
        found.append(
            PlaceSummary(
                entry_point=place.entry_point,
                node=place.node,
                established=connections.established,
                failed=connections.failed,
                dropped=connections.dropped,
                delivered=messages.delivered,
                lost=messages.lost,
                response_p99_ms=milliseconds(messages.response.quantile_ns(0.99)),
            )
        )
    return found


def _stability(totals: Totals) -> StabilitySummary:
    checks = totals.checks
    if not checks.count:
        return StabilitySummary()
    return StabilitySummary(
        checks=checks.count,
        failed=checks.failed,
        drop_share_max=checks.drop_share_max,
        spike_share_max=checks.spike_share_max,
        failure_share_max=checks.failure_share_max,
    )


def _workers(totals: Totals) -> Workers:
    if not totals.workers:
        return Workers()
    return Workers(
        count=len(totals.workers),
        lost=sorted(totals.workers_lost),
        rss_max_bytes=totals.rss_max_bytes,
        cpu_s=sum(sample.cpu_ns for sample in totals.workers.values()) / _NS_PER_S,
        loop_lag_max_ms=totals.loop_lag_max_ns / _NS_PER_MS,
        silence_max_ms=totals.silence_max_ns / _NS_PER_MS,
        silence_start_s=totals.silence_start_ns / _NS_PER_S,
    )


def _resources(totals: Totals, phases: Sequence[Phase]) -> dict[str, SourceSummary]:
    return {name: _source(source, phases) for name, source in totals.resources.sources.items()}


def _source(source: SourceTotals, phases: Sequence[Phase]) -> SourceSummary:
    names = dict.fromkeys(phase.name for phase in phases)
    by_name = {
        name: _figures(source, frozenset(phase.id for phase in phases if phase.name == name))
        for name in names
    }
    return SourceSummary(
        role=source.role,
        looks=sum(source.looks.values()),
        problems=source.problems,
        last_problem=source.last_problem or None,
        run=_figures(source, None),
        sustained=_figures(source, sustained(phases)),
        phases={name: figures for name, figures in by_name.items() if figures},
    )


def _figures(source: SourceTotals, phases: frozenset[int] | None) -> dict[str, ResourceFigure]:
    found = {}
    for name in source.names():
        gauge = source.gauge(name, phases)
        if gauge is not None:
            found[name] = ResourceFigure(average=gauge.mean, peak=gauge.most, looks=gauge.count)
    return found


def _evidence(scenario: dict[str, Any]) -> str | None:
    populations: Iterable[dict[str, Any]] = scenario.get("populations", ())
    exchanges = [population.get("exchange", {}) for population in populations]
    kinds = {each.get("evidence", _EVIDENCE.get(each.get("kind", ""))) for each in exchanges}
    return " and ".join(sorted(kind for kind in kinds if kind)) or None


def _measured(totals: Totals, count: int) -> int | None:
    return count if totals.seconds else None
