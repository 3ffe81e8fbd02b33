"""The figures of how faults were handled: never better than they were, and not measured without a fault."""

from __future__ import annotations

from squall.metrics.cells import ConnectionTotals
from squall.metrics.fault_handling import client_timeout_handling, server_delay_handling
from squall.metrics.totals import Totals
from squall.record.reconciliation import Reconciliation
from squall.record.snapshots import Interval, MessageCell


def totals(*, delayed: int, missing: int = 0, twice: int = 0) -> Totals:
    made = Totals(["main"], [["message"]])
    cell = MessageCell(population=0, phase=0, type=0, place=0, intended=100, ack_duplicates=twice)
    made.add(Interval(index=0, at_ns=10**9, held=1, planned=1, messages=[cell]))
    made.reconciliation = Reconciliation(delayed=delayed, delayed_lost=missing)
    return made


def test_delayed_messages_that_ended_well() -> None:
    assert server_delay_handling(totals(delayed=10)) == 1.0
    assert server_delay_handling(totals(delayed=10, missing=1)) == 0.9
    assert server_delay_handling(totals(delayed=10, missing=1, twice=2)) == 0.7
    assert server_delay_handling(totals(delayed=2, twice=5)) == 0.0


def test_without_a_delay_it_is_not_measured() -> None:
    assert server_delay_handling(totals(delayed=0)) is None
    assert server_delay_handling(Totals(["main"], [["message"]])) is None


def test_silent_sessions_that_lost_nothing() -> None:
    assert client_timeout_handling(ConnectionTotals(silenced=8, silence_handled=6)) == 0.75
    assert client_timeout_handling(ConnectionTotals()) is None
