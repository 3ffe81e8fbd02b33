"""What a worker counts between two reports: one tally a cell, emptied into plain data each interval.

A `MessageTally` is a (population, phase, type, place), a `ConnectionTally` a (population, phase, place); what
their fields mean stands with `MessageCell` and `ConnectionCell` in `squall.record.snapshots`. A `Tallies` is what
a session holds on to while it is in one phase and place: its connection tally and its message tally by type.
"""

from __future__ import annotations

import cython

from squall.record.cell_fields import CONNECTION_SUMS, CONNECTION_TIMES, COUNTED_BY_WORD, MESSAGE_COUNTS
from squall.record.outcomes import Trouble
from squall.record.snapshots import ConnectionCell, MessageCell

if cython.compiled:
    from cython.cimports.squall.metrics.histogram import Histogram
else:
    from squall.metrics.histogram import Histogram

__all__ = ["NEVER_NS", "ConnectionTally", "MessageTally", "Tallies"]

NEVER_NS = 1 << 62


@cython.cclass
class MessageTally:
    """Counts and histograms of one message cell since the last report.

    The histograms of acknowledgements exist from their first value on: most cells never have one.
    """

    def __init__(self, max_latency_ns: int) -> None:
        self.max_latency_ns = max_latency_ns
        self.response = Histogram()
        self.service = Histogram()
        self.lag = Histogram()
        self.pacer_lag = Histogram()
        self.unlagged = Histogram()
        self.ack = None
        self.ack_retried = None
        self.ack_total = None
        self.retry_recovery = None
        self._clear()

    def _clear(self) -> None:
        for name in MESSAGE_COUNTS:
            setattr(self, name, 0)
        self.blocked_sent = False
        self.blocked_delivered = False

    @cython.ccall
    def sent_late_by(
        self, intended: cython.longlong, seen: cython.longlong, sent: cython.longlong
    ) -> cython.void:
        """Record how late a message was sent, and how much of that is ours: `seen` is when it was found due, -1 at once."""
        self.lag.record(sent - intended)
        self.pacer_lag.record((sent if seen < 0 else seen) - intended)
        if seen >= 0:
            self.blocked_sent = True

    @cython.ccall
    def delivered_after(self, response_ns: cython.longlong, unlagged_ns: cython.longlong) -> cython.bint:
        """Count a delivery with its times, and say whether it is late; service_time is recorded apart, where known."""
        self.delivered += 1
        self.response.record(response_ns)
        self.unlagged.record(unlagged_ns)
        if response_ns > self.max_latency_ns:
            self.late += 1
            return True
        return False

    @cython.ccall
    def delivered_untimed(self) -> cython.void:
        """Count a delivery of which no time is known any more."""
        self.delivered += 1
        self.service_unmeasured += 1

    @cython.ccall
    def reordered_by(self, extent: cython.longlong, late_ns: cython.longlong) -> cython.void:
        """Count a reordered arrival with its extent (messages) and late time (RFC 4737 §4.2, §4.3)."""
        self.reordered += 1
        self.reorder_extent_sum += extent
        self.reorder_extent_max = max(self.reorder_extent_max, extent)
        self.reorder_late_ns_sum += late_ns
        self.reorder_late_ns_max = max(self.reorder_late_ns_max, late_ns)

    @cython.ccall
    def acknowledged_after(self, ack_ns: cython.longlong, retried: cython.bint) -> cython.void:
        """Record ack_time: from the attempt that the acknowledgement names; `retried`: there was more than one."""
        if self.ack is None:
            self.ack = Histogram()
        self.ack.record(ack_ns)
        if retried:
            if self.ack_retried is None:
                self.ack_retried = Histogram()
            self.ack_retried.record(ack_ns)

    @cython.ccall
    def acknowledged_in_all_after(self, ack_total_ns: cython.longlong) -> cython.void:
        """Record ack_time_total: from the first intended send."""
        if self.ack_total is None:
            self.ack_total = Histogram()
        self.ack_total.record(ack_total_ns)

    @cython.ccall
    def recovered_after(self, retry_recovery_ns: cython.longlong) -> cython.void:
        """Record what a retry cost: from the first time-out's expiry to the acknowledgement."""
        if self.retry_recovery is None:
            self.retry_recovery = Histogram()
        self.retry_recovery.record(retry_recovery_ns)

    def take(self, population: int, phase: int, type_index: int, place: int) -> MessageCell | None:
        """The cell since the last call, None where nothing happened; the tally starts anew."""
        counts = {name: value for name in MESSAGE_COUNTS if (value := getattr(self, name))}
        histograms = {
            "response": self.response.take(),
            "service": self.service.take(),
            "lag": self.lag.take(),
            "pacer_lag": self.pacer_lag.take(),
            "unlagged": self.unlagged.take(),
            "ack": None if self.ack is None else self.ack.take(),
            "ack_retried": None if self.ack_retried is None else self.ack_retried.take(),
            "ack_total": None if self.ack_total is None else self.ack_total.take(),
            "retry_recovery": None if self.retry_recovery is None else self.retry_recovery.take(),
        }
        if not self.blocked_sent:
            histograms["pacer_lag"] = None
        if not self.blocked_delivered and not self.service_unmeasured:
            histograms["unlagged"] = None
        self._clear()
        if not counts and not any(histograms.values()):
            return None
        return MessageCell(
            population=population, phase=phase, type=type_index, place=place, **counts, **histograms
        )


@cython.cclass
class ConnectionTally:
    """Counts and histograms of one connection cell since the last report."""

    def __init__(self) -> None:
        self.connect = Histogram()
        self.tcp = Histogram()
        self.tls = Histogram()
        self.upgrade = Histogram()
        self.ping = Histogram()
        self.session = Histogram()
        self.opening = Histogram()
        self.push_delay = Histogram()
        self.reconnect = Histogram()
        self._clear()

    def _clear(self) -> None:
        for name in CONNECTION_SUMS:
            setattr(self, name, 0)
        self.close_codes = {}
        self.troubles = {}
        for name in COUNTED_BY_WORD:
            setattr(self, name, {})

    def closed_with(self, code: int) -> None:
        """Count a close code; 1006 where no close frame came (RFC 6455 §7.1.5)."""
        self.close_codes[code] = self.close_codes.get(code, 0) + 1

    def trouble(self, trouble: Trouble) -> None:
        """Count one way of going wrong."""
        self.troubles[trouble] = self.troubles.get(trouble, 0) + 1

    def misfit(self, why: str) -> None:
        """Count a message that is not what was waited for, by a fixed word that says why."""
        self.misfits[why] = self.misfits.get(why, 0) + 1

    def strike(self, fault: str, *, hit: bool) -> None:
        """Count a session that a fault struck, by the fault's name, or would have struck had it been connected."""
        struck = self.strikes if hit else self.strikes_missed
        struck[fault] = struck.get(fault, 0) + 1

    def take(self, population: int, phase: int, place: int) -> ConnectionCell | None:
        """The cell since the last call, None where nothing happened; the tally starts anew."""
        counts = {name: value for name in CONNECTION_SUMS if (value := getattr(self, name))}
        found: dict[str, object] = dict(counts)
        for name in CONNECTION_TIMES:
            histogram = getattr(self, name).take()
            if histogram is not None:
                found[name] = histogram
        if self.close_codes:
            found["close_codes"] = self.close_codes
        if self.troubles:
            found["troubles"] = list(self.troubles.items())
        for name in COUNTED_BY_WORD:
            if counts_by_word := getattr(self, name):
                found[name] = counts_by_word
        self._clear()
        if not found:
            return None
        return ConnectionCell(population=population, phase=phase, place=place, **found)


@cython.cclass
class Tallies:
    """The cells of one (population, phase, place), under the label that the ledger's segments carry.

    `until_ns` is the phase's end, which may come to be known late. Whoever has held on to a tallies object until
    then asks the book for it anew before counting: the book sets aside what belongs to the past.
    """

    def __init__(
        self,
        label: int,
        population: int,
        phase: int,
        place: int,
        *,
        max_latencies_ns: list[int],
        sends: bool,
    ) -> None:
        self.label = label
        self.population = population
        self.phase = phase
        self.place = place
        self.sends = sends
        self.until_ns = NEVER_NS
        self.connection = ConnectionTally()
        self.types = [MessageTally(max_latency_ns) for max_latency_ns in max_latencies_ns]

    def take(self) -> tuple[list[MessageCell], ConnectionCell | None]:
        """All cells since the last call in which something happened."""
        found = (
            tally.take(self.population, self.phase, index, self.place)
            for index, tally in enumerate(self.types)
        )
        messages = [cell for cell in found if cell is not None]
        return messages, self.connection.take(self.population, self.phase, self.place)
