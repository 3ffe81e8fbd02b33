"""What `tally` offers, for type checkers: they cannot follow the Cython types of the hot path."""

from squall.metrics.histogram import Histogram
from squall.record.outcomes import Trouble
from squall.record.snapshots import ConnectionCell, MessageCell

NEVER_NS: int

class MessageTally:
    intended: int
    not_sent_target: int
    not_sent_squall: int
    delivered: int
    lost: int
    unknown: int
    duplicated: int
    reordered: int
    late: int
    recovered: int
    corrupted_body: int
    reorder_extent_sum: int
    reorder_extent_max: int
    reorder_late_ns_sum: int
    reorder_late_ns_max: int
    service_unmeasured: int
    acknowledged: int
    acknowledged_first: int
    retried: int
    retry_acknowledged: int
    retries_sent: int
    gave_up: int
    ack_duplicates: int
    acknowledged_lost: int
    duplicate_arrivals: int
    reordered_in_type: int
    order_waited: int
    order_wait_ns_sum: int
    order_wait_unmeasured: int
    gaps: int
    messages_in_gaps: int
    causal_pairs: int
    causal_violations: int
    timestamps_judged: int
    timestamps_wrong: int
    acknowledged_late: int
    not_sent_fault: int
    blocked_sent: bool
    blocked_delivered: bool
    max_latency_ns: int
    response: Histogram
    service: Histogram
    lag: Histogram
    pacer_lag: Histogram
    unlagged: Histogram
    ack: Histogram | None
    ack_total: Histogram | None
    retry_recovery: Histogram | None
    ack_retried: Histogram | None
    def __init__(self, max_latency_ns: int) -> None: ...
    def sent_late_by(self, intended: int, seen: int, sent: int) -> None: ...
    def delivered_after(self, response_ns: int, unlagged_ns: int) -> bool: ...
    def delivered_untimed(self) -> None: ...
    def reordered_by(self, extent: int, late_ns: int) -> None: ...
    def acknowledged_after(self, ack_ns: int, retried: bool) -> None: ...
    def acknowledged_in_all_after(self, ack_total_ns: int) -> None: ...
    def recovered_after(self, retry_recovery_ns: int) -> None: ...
    def take(self, population: int, phase: int, type_index: int, place: int) -> MessageCell | None: ...

class ConnectionTally:
    attempted: int
    established: int
    failed: int
    closed: int
    dropped: int
    graceful: int
    reconnected: int
    abandoned: int
    pings_sent: int
    pongs_received: int
    corrupted_header: int
    unexpected: int
    foreign: int
    invalid_utf8: int
    window_exceeded: int
    messages_sent: int
    messages_received: int
    bytes_sent: int
    bytes_received: int
    pushed: int
    push_sequenced: int
    push_missing: int
    push_gaps: int
    push_duplicated: int
    push_reordered: int
    push_early: int
    ack_unexpected: int
    silenced: int
    silence_handled: int
    close_codes: dict[int, int]
    troubles: dict[Trouble, int]
    misfits: dict[str, int]
    strikes: dict[str, int]
    strikes_missed: dict[str, int]
    connect: Histogram
    tcp: Histogram
    tls: Histogram
    upgrade: Histogram
    ping: Histogram
    session: Histogram
    opening: Histogram
    push_delay: Histogram
    reconnect: Histogram
    def closed_with(self, code: int) -> None: ...
    def trouble(self, trouble: Trouble) -> None: ...
    def misfit(self, why: str) -> None: ...
    def strike(self, fault: str, *, hit: bool) -> None: ...
    def take(self, population: int, phase: int, place: int) -> ConnectionCell | None: ...

class Tallies:
    label: int
    population: int
    phase: int
    place: int
    sends: bool
    until_ns: int
    connection: ConnectionTally
    types: list[MessageTally]
    def __init__(
        self,
        label: int,
        population: int,
        phase: int,
        place: int,
        *,
        max_latencies_ns: list[int],
        sends: bool,
    ) -> None: ...
    def take(self) -> tuple[list[MessageCell], ConnectionCell | None]: ...
