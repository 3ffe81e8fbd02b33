"""The shape of summary.json. Keys may be added within a format version, never changed; null is not
measured.

What the figures mean stands with the modules that compute them: `squall.metrics.cells`, `windows`,
`verdict`, and `summary`, which puts them together. Times are milliseconds, unless the key says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from squall.metrics.alerts import Alert
from squall.metrics.outages import Outage
from squall.metrics.recovery import Recovery
from squall.record.reconciliation import Reconciliation

__all__ = [
    "Acknowledgements",
    "Connect",
    "Connections",
    "Delivery",
    "DeliverySuccess",
    "Faults",
    "Judged",
    "Latency",
    "NotSent",
    "Ordering",
    "Percentiles",
    "PhaseSummary",
    "PlaceSummary",
    "PopulationSummary",
    "Push",
    "Reordering",
    "ResourceFigure",
    "SentBadly",
    "SentBadlySecond",
    "SourceSummary",
    "StabilitySummary",
    "Summary",
    "Throughput",
    "TroubleCount",
    "VerdictSummary",
    "Workers",
    "WorstStream",
    "summary_schema",
]


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of times in milliseconds; all null where there is none."""

    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None
    mean: float | None = None
    min: float | None = None
    count: int = 0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages."""

    intended: int | None = None
    sent: int | None = None
    not_sent: int | None = None
    delivered: int | None = None
    lost: int | None = None
    unknown: int | None = None
    duplicated: int | None = None
    reordered: int | None = None
    late: int | None = None
    recovered: int | None = None
    corrupted_body: int | None = None
    corrupted_header: Annotated[
        int | None,
        Meta(description="belongs to no message and so to no type: null in delivery_by_type"),
    ] = None
    unexpected: Annotated[
        int | None,
        Meta(description="belongs to no message and so to no type: null in delivery_by_type"),
    ] = None
    confirmed: Annotated[
        int | None,
        Meta(
            description="messages confirmed to their sender, by the reply or an acknowledgement; null where nobody"
            " confirms any, as in rooms, or confirmations are not tracked"
        ),
    ] = None


class DeliverySuccess(msgspec.Struct, frozen=True, kw_only=True):
    """delivered / sent to (delivered + unknown) / sent."""

    lower: float | None = None
    upper: float | None = None


class NotSent(msgspec.Struct, frozen=True, kw_only=True):
    """Messages intended and not sent, by whose doing."""

    target: int | None = None
    squall: int | None = None


class Reordering(msgspec.Struct, frozen=True, kw_only=True):
    """How far reordered messages were from their place (RFC 4737): in messages, and late in milliseconds."""

    extent_mean: float | None = None
    extent_max: int | None = None
    late_mean_ms: float | None = None
    late_max_ms: float | None = None


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """In what order messages came. Null where it was not kept account of; causality also over too few pairs."""

    accuracy: Annotated[float | None, Meta(description="1 - reordered / messages that arrived")] = None
    in_type: Annotated[float | None, Meta(description="the same within each type")] = None
    latency_mean_ms: Annotated[
        float | None,
        Meta(
            description="how long a receiver that wants them in order would have held one back; null also in part"
        ),
    ] = None
    waited: Annotated[int | None, Meta(description="messages that it would have held back at all")] = None
    latency_mean_waited_ms: Annotated[
        float | None, Meta(description="the mean over those; null also where it is known in part")
    ] = None
    wait_unmeasured: Annotated[
        int | None, Meta(description="messages of which the wait is known in part, as too much was missing")
    ] = None
    out_of_order: int | None = None
    gaps: Annotated[
        int | None, Meta(description="runs of numbers that never came, with a later one behind them")
    ] = None
    in_gaps: Annotated[int | None, Meta(description="the messages in them")] = None
    causal_pairs: int | None = None
    causal_violations: int | None = None
    timestamps_judged: int | None = None
    timestamps_wrong: Annotated[
        int | None,
        Meta(
            description="stamped earlier than one of its stream that had come, or later than its own arrival"
        ),
    ] = None


class Acknowledgements(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledged send and its retries; all null where nothing waits for an acknowledgement."""

    acknowledged: int | None = None
    acknowledged_first: Annotated[int | None, Meta(description="of them those without a retry")] = None
    retried: Annotated[int | None, Meta(description="messages that needed a retry")] = None
    retry_acknowledged: Annotated[int | None, Meta(description="of them those that were acknowledged")] = None
    retries_sent: Annotated[int | None, Meta(description="frames that were sent again")] = None
    gave_up: Annotated[int | None, Meta(description="not acknowledged within all attempts")] = None
    ack_duplicates: int | None = None
    ack_unexpected: Annotated[
        int | None, Meta(description="of messages that were never sent; of no type")
    ] = None
    acknowledged_lost: Annotated[
        int | None,
        Meta(description="acknowledged, and never came; null where acknowledgements are all that is seen"),
    ] = None
    duplicate_arrivals: Annotated[
        int | None, Meta(description="further copies before the receiver's own de-duplication")
    ] = None
    ack_time: Annotated[Percentiles, Meta(description="from the attempt that the acknowledgement names")] = (
        Percentiles()
    )
    ack_time_total: Annotated[Percentiles, Meta(description="from the intended send")] = Percentiles()
    retry_recovery: Annotated[
        Percentiles, Meta(description="from a message's first time-out to its acknowledgement")
    ] = Percentiles()
    acknowledged_late: Annotated[
        int | None, Meta(description="of those given up, acknowledged after that")
    ] = None
    ack_time_first: Annotated[Percentiles, Meta(description="ack_time of those without a retry")] = (
        Percentiles()
    )
    ack_time_retried: Annotated[Percentiles, Meta(description="ack_time of those with a retry")] = (
        Percentiles()
    )


class WorstStream(msgspec.Struct, frozen=True, kw_only=True):
    """One of the streams on which the most went wrong. Ranges are the first of them, by first and last number."""

    population: str
    stream: Annotated[int, Meta(description="its session's number")]
    worker: int
    lost: int
    unknown: int
    duplicated: int
    reordered: int
    lost_ranges: list[tuple[int, int]]
    unknown_ranges: list[tuple[int, int]]
    first_sent_s: Annotated[float | None, Meta(description="when the first of the missing was sent")] = None
    last_sent_s: Annotated[float | None, Meta(description="when the last of them was sent")] = None
    why: Annotated[str, Meta(description="how its last connection ended: drained, or died")] = ""
    member: Annotated[
        int | None, Meta(description="in a room: the session to which this was owed; null elsewhere")
    ] = None


class SentBadlySecond(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent in one second of the run, or from it on for the width, and ended badly."""

    second: int
    lost: int
    unknown: int
    retried: int


class SentBadly(msgspec.Struct, frozen=True, kw_only=True):
    """By the second of sending what was lost, ended unknown, or needed a retry; seconds without any are left out."""

    width_s: Annotated[int, Meta(description="how many seconds one entry stands for")] = 1
    seconds: list[SentBadlySecond] = []
    untimed: Annotated[int, Meta(description="of which it was not known any more when they were sent")] = 0


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """response from the intended send, service from the actual one, lag their difference."""

    response: Percentiles = Percentiles()
    service: Percentiles = Percentiles()
    lag: Percentiles = Percentiles()
    pacer_lag: Percentiles = Percentiles()


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """attempted = established + failed + pending; established = closed + dropped + open."""

    attempted: int | None = None
    established: int | None = None
    failed: int | None = None
    closed: int | None = None
    dropped: int | None = None
    open: int | None = None
    pending: int | None = None
    peak: Annotated[int | None, Meta(description="most held at a second's end, over all workers")] = None
    graceful: Annotated[
        int | None, Meta(description="planned closes that were answered by a close frame")
    ] = None
    reconnected: Annotated[int | None, Meta(description="drops that were replaced")] = None
    abandoned: Annotated[int | None, Meta(description="drops that nothing replaced any more")] = None
    success_rate: Annotated[float | None, Meta(description="established / attempted")] = None
    drop_rate: Annotated[float | None, Meta(description="dropped / established")] = None
    graceful_rate: Annotated[float | None, Meta(description="graceful / closed")] = None
    stability: Annotated[
        float | None, Meta(description="connection-seconds held / planned, in the sustained phases")
    ] = None
    held_mean: Annotated[float | None, Meta(description="held on average in the sustained phases")] = None
    held_last: Annotated[int | None, Meta(description="held at the end of the run's last second")] = None


class StabilitySummary(msgspec.Struct, frozen=True, kw_only=True):
    """The stability checks of the held level, with the greatest share that any of them found; null: none was."""

    checks: int | None = None
    failed: int | None = None
    drop_share_max: float | None = None
    spike_share_max: float | None = None
    failure_share_max: float | None = None


class Connect(msgspec.Struct, frozen=True, kw_only=True):
    """The time that connecting took, and its parts."""

    total: Percentiles = Percentiles()
    tcp: Percentiles = Percentiles()
    tls: Percentiles = Percentiles()
    upgrade: Percentiles = Percentiles()
    opening: Annotated[
        Percentiles, Meta(description="after the upgrade: what goes before the traffic, where it was done")
    ] = Percentiles()


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """What came unasked, as push exchanges count it; all null where no population has one."""

    received: int | None = None
    per_s: Annotated[
        float | None, Meta(description="received per second of the hold, or of the run where there is none")
    ] = None
    sequenced: Annotated[int | None, Meta(description="those with a number in their sequence field")] = None
    missing: Annotated[
        int | None, Meta(description="numbers skipped that have not come since; null without numbers")
    ] = None
    gaps: Annotated[int | None, Meta(description="runs of missing numbers; null without numbers")] = None
    duplicated: int | None = None
    reordered: int | None = None
    delay: Annotated[
        Percentiles, Meta(description="from the sender's time stamp to the arrival, by two clocks")
    ] = Percentiles()
    negative_delays: Annotated[
        int | None, Meta(description="stamped later than they arrived; in no distribution")
    ] = None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One bound and how it came out."""

    name: str
    source: str
    bound: str
    figure: float | None
    truth: str
    required: bool
    evidence: str
    aborted: bool = False


class VerdictSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict; all null in the summary of a run that was killed before it had one."""

    outcome: str | None = None
    valid: bool | None = None
    exit_code: int | None = None
    reasons: list[str] | None = None
    warnings: list[str] | None = None
    stopped_by: str | None = None
    judgements: list[Judged] | None = None


class TroubleCount(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which connections went wrong, and how often."""

    step: str
    kind: str
    blame: str
    count: int
    by_faults: Annotated[
        int, Meta(description="of these, how many faults of squall's own proxies did, at least; by count")
    ] = 0
    by_faults_most: Annotated[
        int, Meta(description="and at most; where that is more, the proxies' log does not settle it")
    ] = 0


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """Per second of sending: from the first second in which anything was sent to the last."""

    sending_s: float | None = None
    sent_per_s: float | None = None
    delivered_per_s: float | None = None
    messages_received: int | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None


class PhaseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A phase: when it was, what it was to do, what was held in it."""

    name: str
    kind: str
    words: str
    start_s: float
    end_s: float | None
    level_start: int
    level_end: int
    held_mean: float | None = None
    held_min: int | None = None
    held_max: int | None = None
    peak_latency_ms: float | None = None
    delivery: Delivery = Delivery()
    held_last: Annotated[int | None, Meta(description="held at the end of its last second")] = None
    adaptive: Annotated[bool, Meta(description="it grew as fast as the target took it")] = False
    frozen_level: Annotated[
        int | None, Meta(description="the level at which an adaptive ramp was frozen; null: it never was")
    ] = None
    frozen_s: Annotated[float | None, Meta(description="when that was, from the start of the run")] = None
    frozen_why: str = ""


class PopulationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One population's share of it all."""

    delivery: Delivery
    latency: Latency
    connections: Connections
    push: Push = Push()


class PlaceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An entry point and the node that answered there; a failed attempt's node is empty."""

    entry_point: str
    node: str
    established: int
    failed: int
    dropped: int
    delivered: int
    lost: int
    response_p99_ms: float | None


class Workers(msgspec.Struct, frozen=True, kw_only=True):
    """The load generator itself, as it saw itself."""

    count: int | None = None
    lost: list[int] | None = None
    rss_max_bytes: Annotated[int | None, Meta(description="highest sum over all workers")] = None
    cpu_s: float | None = None
    loop_lag_max_ms: float | None = None
    silence_max_ms: Annotated[
        float | None, Meta(description="longest time in which nothing arrived on any connection of a worker")
    ] = None
    silence_start_s: float | None = None


class ResourceFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a watched machine over a phase or the run: on average over time, and at most."""

    average: float | None = None
    peak: float | None = None
    looks: Annotated[int, Meta(description="how many looks measured it")] = 0


class SourceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One watched machine: the target, one of its nodes, squall itself, or the host."""

    role: str
    looks: int
    problems: Annotated[int, Meta(description="looks that could not measure all")] = 0
    last_problem: str | None = None
    run: Annotated[dict[str, ResourceFigure], Meta(description="the whole run, by figure")] = {}
    sustained: Annotated[dict[str, ResourceFigure], Meta(description="the sustained phases, by figure")] = {}
    phases: Annotated[
        dict[str, dict[str, ResourceFigure]], Meta(description="by the name of a phase, and figure")
    ] = {}


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What the faults of a run did, and how it came through; null: there were none, or it was not measured."""

    recoveries: Annotated[
        list[Recovery], Meta(description="of faults with a window: how long until all was as before")
    ] = []
    server_delay_handling: Annotated[
        float | None,
        Meta(description="share of the messages held by a fault that ended acknowledged once, at least"),
    ] = None
    client_timeout_handling: Annotated[
        float | None,
        Meta(description="share of the sessions that fell silent of which nothing was missing afterwards"),
    ] = None
    struck: Annotated[dict[str, int], Meta(description="sessions struck, by the fault's name")] = {}
    missed: Annotated[
        dict[str, int], Meta(description="sessions that were not connected when they were to be struck")
    ] = {}
    not_sent: Annotated[
        int | None, Meta(description="messages that a fault of squall's own sessions kept from being sent")
    ] = None
    reconciliation: Annotated[
        Reconciliation | None, Meta(description="which fault explains what went wrong, and what none does")
    ] = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in figures. Latency is that of the hold after its warm-up, or of all phases where there is no
    hold."""

    format_version: int
    run_id: str
    name: str
    squall_version: str
    started_wall_ns: int
    seed: int
    test_environment: Annotated[str, Meta(description="the scenario's label; empty where it has none")]
    duration_s: float | None
    delivery: Delivery
    delivery_by_type: dict[str, Delivery]
    latency: Latency
    connections: Connections
    verdict: VerdictSummary
    latency_phases: list[str]
    latency_by_type: dict[str, Latency]
    latency_by_phase: dict[str, Latency]
    peak_latency_ms: Annotated[
        float | None,
        Meta(description="highest p99 of response over windows of at least a second and 1,000 responses"),
    ]
    delivery_success: DeliverySuccess
    not_sent: NotSent
    reordering: Reordering
    window_exceeded: Annotated[
        int | None, Meta(description="how often more than 4,096 messages of a stream were missing at once")
    ]
    service_unmeasured: int | None
    foreign: int | None
    invalid_utf8: Annotated[
        int | None,
        Meta(
            description="text messages that were no UTF-8: judged as damage, the connection kept where RFC 6455"
            " would close it with 1007"
        ),
    ]
    events_complete: Annotated[
        bool,
        Meta(description="false where a worker died or was killed: events after its last report are missing"),
    ]
    evidence: Annotated[
        str | None,
        Meta(
            description="what delivered means: reply (the echo itself, or the reply to a request), acknowledgement"
            " (of the service, and no more) or receiver (a connection of squall's got the message); where populations"
            " differ, all of them, as in 'receiver and reply'; null: nothing was to be sent"
        ),
    ]
    connect: Connect
    ping: Percentiles
    session_duration: Percentiles
    errors: list[TroubleCount]
    close_codes: dict[str, int]
    throughput: Throughput
    phases: list[PhaseSummary]
    populations: dict[str, PopulationSummary]
    places: list[PlaceSummary]
    workers: Workers
    stability: StabilitySummary = StabilitySummary()
    alerts: list[Alert] = []
    alert_counts: dict[str, int] = {}
    reconnect: Annotated[
        Percentiles, Meta(description="from a drop to the accepted upgrade that replaced it")
    ] = Percentiles()
    outages: Annotated[
        list[Outage], Meta(description="drops of a tenth of the connections held, or more, in one second")
    ] = []
    outages_more: Annotated[int, Meta(description="outages past those that are kept one by one")] = 0
    resources: Annotated[
        dict[str, SourceSummary],
        Meta(description="by source; the target is in it only where it was watched"),
    ] = {}
    push: Push = Push()
    misfits: Annotated[
        dict[str, int], Meta(description="messages that were not what was waited for, by why, with how many")
    ] = {}
    ordering: Ordering = Ordering()
    ordering_by_type: dict[str, Ordering] = {}
    acknowledgements: Acknowledgements = Acknowledgements()
    faults: Faults = Faults()
    worst_streams: Annotated[
        list[WorstStream], Meta(description="the 100 with the most missing, then copies and swaps")
    ] = []
    sent_badly: SentBadly = SentBadly()


def summary_schema() -> dict[str, Any]:
    """The JSON Schema of summary.json: every key is always there."""
    schema = msgspec.json.schema(Summary)
    for definition in schema["$defs"].values():
        definition["required"] = list(definition["properties"])
        definition["description"] = " ".join(definition["description"].split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The summary of a run of squall",
        **schema,
    }
