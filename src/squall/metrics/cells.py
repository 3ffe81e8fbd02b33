"""Cells added up: what happened to messages, and what happened to connections.

The rule: a figure is the sum (or the greatest, where its name says so) of the same figure of all cells that
were added, and its histograms are merged; the order of adding changes nothing.

    intended = not_sent + delivered + lost + unknown + unsettled        sent = intended − not_sent
    attempted = established + failed + pending                         established = closed + dropped + open

`unsettled` messages still wait for their outcome; there are none once a run has drained. **Delivery
success** is an interval: delivered / sent to (sent − lost) / sent, which is (delivered + unknown) / sent
once all is settled. response_time − pacer_lag (`unlagged`) and pacer_lag come as histograms of their own
only where they differ from service_time and send_lag, which stand in for them elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter
from typing import Final

from squall.metrics.distribution import Distribution
from squall.record.cell_fields import (
    CONNECTION_SUMS,
    CONNECTION_TIMES,
    COUNTED_BY_WORD,
    MESSAGE_COUNTS,
    MESSAGE_MAXIMA,
    MESSAGE_SUMS,
    MESSAGE_TIMES,
)
from squall.record.outcomes import Trouble
from squall.record.snapshots import ConnectionCell, MessageCell, SparseHistogram

__all__ = ["CUT", "ConnectionTotals", "MessageTotals"]

CUT: Final = "cut"
"""The kind of trouble of a connection that squall dropped, as a fault of the scenario asks."""

_USUAL_TIMES: Final = ("response", "service", "lag")
_RARE_TIMES: Final = tuple(name for name in MESSAGE_TIMES if name not in _USUAL_TIMES)
"""Made only where there is one: most cells never have any."""

_read_message_counts = attrgetter(*MESSAGE_COUNTS)
_read_rare_times = attrgetter(*_RARE_TIMES)
_read_connection_counts = attrgetter(*CONNECTION_SUMS)
_read_connection_times = attrgetter(*CONNECTION_TIMES)


@dataclass(slots=True)
class MessageTotals:
    """Messages of any number of cells. The fields mean what they mean in `MessageCell`."""

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
    acknowledged_late: int = 0
    not_sent_fault: int = 0
    response: Distribution = field(default_factory=Distribution)
    service: Distribution = field(default_factory=Distribution)
    lag: Distribution = field(default_factory=Distribution)
    _pacer_lag: Distribution | None = None
    _unlagged: Distribution | None = None
    _rare: dict[str, Distribution] = field(default_factory=dict)

    def add(self, cell: MessageCell) -> None:
        """Add one interval's cell."""
        # First what another histogram stands in for, while that one still holds only our own.
        if self._pacer_lag is not None or cell.pacer_lag is not None:
            self._pacer_lag = _add(self._pacer_lag or self.lag.copy(), cell.pacer_lag or cell.lag)
        if self._unlagged is not None or cell.unlagged is not None:
            self._unlagged = _add(self._unlagged or self.service.copy(), cell.unlagged or cell.service)
        counts = _read_message_counts(cell)
        for name, count in compress(zip(MESSAGE_COUNTS, counts, strict=True), counts):  # most are zero
            before = getattr(self, name)
            setattr(self, name, max(before, count) if name in MESSAGE_MAXIMA else before + count)
        _add(self.response, cell.response)
        _add(self.service, cell.service)
        _add(self.lag, cell.lag)
        for name, histogram in zip(_RARE_TIMES, _read_rare_times(cell), strict=True):
            if histogram is not None:
                _add(self._rare.setdefault(name, Distribution()), histogram)

    def merge(self, other: MessageTotals) -> None:
        """Add all that other totals hold."""
        # First what another histogram stands in for, while that one still holds only our own.
        if self._pacer_lag is not None or other._pacer_lag is not None:
            self._pacer_lag = self._pacer_lag or self.lag.copy()
            self._pacer_lag.merge(other.pacer_lag)
        if self._unlagged is not None or other._unlagged is not None:
            self._unlagged = self._unlagged or self.service.copy()
            self._unlagged.merge(other.unlagged)
        for name in MESSAGE_SUMS:
            if change := getattr(other, name):
                setattr(self, name, getattr(self, name) + change)
        for name in MESSAGE_MAXIMA:
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        self.response.merge(other.response)
        self.service.merge(other.service)
        self.lag.merge(other.lag)
        for name, times in other._rare.items():
            self._rare.setdefault(name, Distribution()).merge(times)

    @property
    def pacer_lag(self) -> Distribution:
        """The part of send_lag that is ours."""
        return self.lag if self._pacer_lag is None else self._pacer_lag

    @property
    def unlagged(self) -> Distribution:
        """response_time − pacer_lag."""
        return self.service if self._unlagged is None else self._unlagged

    @property
    def ack(self) -> Distribution:
        """ack_time: from the attempt that the acknowledgement names."""
        return self._rare.get("ack") or Distribution()

    @property
    def ack_retried(self) -> Distribution:
        """ack_time of the messages that were retried: from the attempt that the acknowledgement names."""
        return self._rare.get("ack_retried") or Distribution()

    @property
    def ack_first(self) -> Distribution:
        """ack_time of the messages that were acknowledged without a retry."""
        return self.ack.without(self.ack_retried)

    @property
    def ack_total(self) -> Distribution:
        """ack_time_total: from the first intended send."""
        return self._rare.get("ack_total") or Distribution()

    @property
    def retry_recovery(self) -> Distribution:
        """From the first time-out's expiry to the acknowledgement, of messages that had one."""
        return self._rare.get("retry_recovery") or Distribution()

    @property
    def not_sent(self) -> int:
        """Intended and never handed to a transport, by whose doing ever."""
        return self.not_sent_target + self.not_sent_squall

    @property
    def sent(self) -> int:
        """Intended − not_sent; those that are blocked are still among them."""
        return self.intended - self.not_sent

    @property
    def unsettled(self) -> int:
        """Sent, and without an outcome yet."""
        return self.sent - self.delivered - self.lost - self.unknown

    @property
    def delivery_success(self) -> tuple[float, float] | None:
        """The interval in which delivery success lies; None where nothing was sent."""
        if self.sent <= 0:
            return None
        return self.delivered / self.sent, (self.sent - self.lost) / self.sent


@dataclass(slots=True)
class ConnectionTotals:
    """Connections of any number of cells. The fields mean what they mean in `ConnectionCell`."""

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
    pushed: int = 0
    push_sequenced: int = 0
    push_missing: int = 0
    push_gaps: int = 0
    push_duplicated: int = 0
    push_reordered: int = 0
    push_early: int = 0
    ack_unexpected: int = 0
    silenced: int = 0
    silence_handled: int = 0
    close_codes: Counter[int] = field(default_factory=Counter)
    troubles: Counter[Trouble] = field(default_factory=Counter)
    misfits: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    strikes_missed: Counter[str] = field(default_factory=Counter)
    connect: Distribution = field(default_factory=Distribution)
    tcp: Distribution = field(default_factory=Distribution)
    tls: Distribution = field(default_factory=Distribution)
    upgrade: Distribution = field(default_factory=Distribution)
    ping: Distribution = field(default_factory=Distribution)
    session: Distribution = field(default_factory=Distribution)
    opening: Distribution = field(default_factory=Distribution)
    push_delay: Distribution = field(default_factory=Distribution)
    abandoned: int = 0
    reconnect: Distribution = field(default_factory=Distribution)

    def add(self, cell: ConnectionCell) -> None:
        """Add one interval's cell."""
        counts = _read_connection_counts(cell)
        for name, count in compress(zip(CONNECTION_SUMS, counts, strict=True), counts):  # most are zero
            setattr(self, name, getattr(self, name) + count)
        self.close_codes.update(cell.close_codes)
        self.troubles.update(dict(cell.troubles))
        for name in COUNTED_BY_WORD:
            getattr(self, name).update(getattr(cell, name))
        for name, histogram in zip(CONNECTION_TIMES, _read_connection_times(cell), strict=True):
            if histogram is not None:
                getattr(self, name).add(histogram)

    def merge(self, other: ConnectionTotals) -> None:
        """Add all that other totals hold."""
        for name in CONNECTION_SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.close_codes.update(other.close_codes)
        self.troubles.update(other.troubles)
        for name in COUNTED_BY_WORD:
            getattr(self, name).update(getattr(other, name))
        for name in CONNECTION_TIMES:
            getattr(self, name).merge(getattr(other, name))

    @property
    def cut(self) -> int:
        """Of the dropped, those that a fault of the scenario made squall itself drop."""
        return sum(count for trouble, count in self.troubles.items() if trouble.kind == CUT)

    @property
    def pending(self) -> int:
        """Attempts that have neither succeeded nor failed."""
        return self.attempted - self.established - self.failed

    @property
    def open(self) -> int:
        """Established, and neither closed nor dropped; within one phase it may be below zero."""
        return self.established - self.closed - self.dropped


def _add(distribution: Distribution, histogram: SparseHistogram | None) -> Distribution:
    if histogram is not None:
        distribution.add(histogram)
    return distribution
