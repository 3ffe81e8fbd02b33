"""What a worker reports each interval, and what all workers' reports of one interval add up to.

Every figure is the change since the report before, unless its name says otherwise; a report can be lost
only with its worker. Times are nanoseconds since the start of the run, durations nanoseconds.

A *cell* is the finest thing counted: one (population, phase, type, place) for messages, one (population,
phase, place) for connections. The phase of a message is the one in which it was intended; that of a
connection event the one in which it happened. A *place* is an entry point and the node that answered there.

What is made of numbers alone, and by the thousand, is spared the garbage collector's looks (`gc=False`): it can be part
of no cycle.
"""

from __future__ import annotations

import msgspec

from squall.record.outcomes import Trouble
from squall.record.streams import SentSecond, StreamTrouble

__all__ = [
    "CheckCell",
    "ConnectionCell",
    "Event",
    "Interval",
    "MessageCell",
    "Place",
    "Snapshot",
    "SparseHistogram",
    "WorkerSample",
]


class SparseHistogram(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The non-empty buckets of a log-linear histogram, with exact count, sum, least and greatest.

    `buckets` holds pairs of LEB128 numbers: the distance to the bucket before (the first from -1), the count.
    """

    count: int
    sum_ns: int
    min_ns: int
    max_ns: int
    buckets: bytes


class Place(msgspec.Struct, frozen=True, array_like=True):
    """An entry point (its URL without query and user) and the node that named itself there, or ""."""

    entry_point: str
    node: str


class MessageCell(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """Messages of one population, phase, type and place. `lost` and `unknown` come with a session's end.

    `response`, `service`, `lag` are histograms of the delivered (lag: of the sent). `pacer_lag` and `unlagged`
    (response_time − pacer_lag) are None where no message was blocked: then they equal `lag` and `service`.
    `not_sent_fault` are those of `not_sent_squall` that a fault of the scenario kept from being sent.

    Acknowledgements: `acknowledged` messages, `acknowledged_first` of them without a retry; `retried` needed one or
    more, `retry_acknowledged` of them were acknowledged, `gave_up` were not within all attempts, `acknowledged_late` of
    these were after that; `retries_sent` are frames, `ack_duplicates` further acknowledgements. `acknowledged_lost` are
    those of `lost` that were acknowledged. `duplicate_arrivals` are copies before the receiver's own de-duplication,
    `duplicated` those after it. `ack` holds ack_time, `ack_retried` that of the retried alone, `ack_total`
    ack_time_total, `retry_recovery` the times from the first time-out's expiry to the acknowledgement.

    Order: `reordered_in_type` came behind a successor of their own type. `order_waited` would have been held back by
    an in-order receiver, for `order_wait_ns_sum` together; of `order_wait_unmeasured` the wait is known in part.
    `gaps` are runs of lost numbers with a later arrival behind them, booked with their first message,
    `messages_in_gaps` what is in them. `causal_violations` are those of `causal_pairs` whose effect was seen first,
    `timestamps_wrong` those of `timestamps_judged` that went back within their stream or lay after their arrival.
    """

    population: int
    phase: int
    type: int
    place: int
    intended: int = 0
    not_sent_target: int = 0
    not_sent_squall: int = 0
    delivered: int = 0
    lost: int = 0
    unknown: int = 0
    duplicated: int = 0
    reordered: int = 0
    late: int = 0
    recovered: int = 0
    corrupted_body: int = 0
    reorder_extent_sum: int = 0
    reorder_extent_max: int = 0
    reorder_late_ns_sum: int = 0
    reorder_late_ns_max: int = 0
    service_unmeasured: int = 0
    response: SparseHistogram | None = None
    service: SparseHistogram | None = None
    lag: SparseHistogram | None = None
    pacer_lag: SparseHistogram | None = None
    unlagged: SparseHistogram | None = None
    acknowledged: int = 0
    acknowledged_first: int = 0
    retried: int = 0
    retry_acknowledged: int = 0
    retries_sent: int = 0
    gave_up: int = 0
    ack_duplicates: int = 0
    acknowledged_lost: int = 0
    duplicate_arrivals: int = 0
    reordered_in_type: int = 0
    order_waited: int = 0
    order_wait_ns_sum: int = 0
    order_wait_unmeasured: int = 0
    gaps: int = 0
    messages_in_gaps: int = 0
    causal_pairs: int = 0
    causal_violations: int = 0
    timestamps_judged: int = 0
    timestamps_wrong: int = 0
    ack: SparseHistogram | None = None
    ack_total: SparseHistogram | None = None
    retry_recovery: SparseHistogram | None = None
    acknowledged_late: int = 0
    ack_retried: SparseHistogram | None = None
    not_sent_fault: int = 0

    @property
    def sent(self) -> int:
        """How many were handed to a transport: intended − not_sent still counts those that are blocked."""
        return self.intended - self.not_sent_target - self.not_sent_squall


class ConnectionCell(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Connections of one population, phase and place; what arrived on them that belongs to no message.

    attempted = established + failed + pending; established = closed + dropped + open. A failed attempt's place
    has no node. `graceful` are planned closes that were answered by a close frame. `reconnect` is the time from a
    drop to the accepted upgrade that replaced it; `abandoned` are drops that nothing replaces any more, so that
    dropped = reconnected + abandoned + those still to come. `opening` are the times from
    the upgrade until what goes before the traffic was done. `misfits` says by fixed words why messages were not
    what was waited for. `ack_unexpected` are acknowledgements of messages that were never sent.

    `pushed` are the messages that a push exchange counts, `push_sequenced` those of them that carried a sequence
    number; `push_missing` and `push_gaps` are changes of what is missing: a late message that fills a gap takes
    away again. `push_delay` holds the delays by the sender's time stamp, `push_early` counts negative ones.

    `strikes` are the sessions that a client-side fault struck, by its name, `strikes_missed` those that were not
    connected when it was to. Of those that it made silent and that have ended (`silenced`), `silence_handled` missed
    nothing that was in flight then or sent since.
    """

    population: int
    phase: int
    place: int
    attempted: int = 0
    established: int = 0
    failed: int = 0
    closed: int = 0
    dropped: int = 0
    graceful: int = 0
    reconnected: int = 0
    pings_sent: int = 0
    pongs_received: int = 0
    corrupted_header: int = 0
    unexpected: int = 0
    foreign: int = 0
    invalid_utf8: int = 0
    window_exceeded: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    close_codes: dict[int, int] = {}
    troubles: list[tuple[Trouble, int]] = []
    connect: SparseHistogram | None = None
    tcp: SparseHistogram | None = None
    tls: SparseHistogram | None = None
    upgrade: SparseHistogram | None = None
    ping: SparseHistogram | None = None
    session: SparseHistogram | None = None
    opening: SparseHistogram | None = None
    misfits: dict[str, int] = {}
    pushed: int = 0
    push_sequenced: int = 0
    push_missing: int = 0
    push_gaps: int = 0
    push_duplicated: int = 0
    push_reordered: int = 0
    push_early: int = 0
    push_delay: SparseHistogram | None = None
    reconnect: SparseHistogram | None = None
    abandoned: int = 0
    ack_unexpected: int = 0
    strikes: dict[str, int] = {}
    strikes_missed: dict[str, int] = {}
    silenced: int = 0
    silence_handled: int = 0


class CheckCell(msgspec.Struct, frozen=True, array_like=True):
    """Changes in one window of a phase, that of one stability check; what they mean stands with `StabilityCheck`.

    `delivered` are those of `sent` with a good copy before the window's deadline, `spiked` connections.
    """

    phase: int
    index: int
    held: int = 0
    drops: int = 0
    sent: int = 0
    delivered: int = 0
    spiked: int = 0
    joined: int = 0


class WorkerSample(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """The load generator watching itself. Levels at the report's time, not changes, unless said.

    `wanted` are the sessions that the plan has here; None where that is the level, as none comes and goes by itself.
    `absent` are those of them that hold no connection, and `absent_ns` says for how long sessions were absent, added
    up, since the last report.
    """

    worker: int
    held: int = 0
    pending: int = 0
    outstanding: int = 0
    blocked: int = 0
    unsent_bytes: int = 0
    started: int = 0
    cpu_ns: int = 0
    rss_bytes: int = 0
    loop_lag_max_ns: int = 0
    silence_ns: int = 0
    silence_start_ns: int = 0
    wanted: int | None = None
    absent: int = 0
    absent_ns: int = 0


class Event(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Something worth a line: when, what kind ("phase", "drop", "stop", "worker_lost", "alert", …), and words.

    Of an alert (raised: "alert", over: "alert_cleared") `name` says which, `figure` what was measured, `bound`
    what it was held against.
    """

    at_ns: int
    kind: str
    text: str
    worker: int = -1
    stream: int = -1
    name: str = ""
    figure: float | None = None
    bound: float | None = None


class Snapshot(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One worker's report on the interval that ends at `at_ns`; `index` is that interval's second of the run.

    `streams` are its worst ones, told with its last report; `seconds` are troubles by the time of sending. `late` are the
    messages that came late, as (stream, number); of a run with faults only.
    """

    index: int
    at_ns: int
    sample: WorkerSample
    messages: list[MessageCell] = []
    connections: list[ConnectionCell] = []
    places: list[Place] = []
    events: list[Event] = []
    events_dropped: int = 0
    final: bool = False
    checks: list[CheckCell] = []
    streams: list[StreamTrouble] = []
    seconds: list[SentSecond] = []
    late: list[tuple[int, int]] = []


class Interval(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """All workers' reports on one second of the run, added up. `places` lists only those not seen before."""

    index: int
    at_ns: int
    held: int
    planned: int
    workers: list[WorkerSample] = []
    messages: list[MessageCell] = []
    connections: list[ConnectionCell] = []
    places: list[Place] = []
    events: list[Event] = []
    events_dropped: int = 0
    complete: bool = True
    checks: list[CheckCell] = []
    streams: list[StreamTrouble] = []
    seconds: list[SentSecond] = []
    late: list[tuple[int, int]] = []
