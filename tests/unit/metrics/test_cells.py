"""Cells added up: sums, greatest, stand-in histograms, and both identities."""

from __future__ import annotations

from made_runs import connections, messages, times
from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.record.outcomes import Trouble


def totals_of(*cells: object) -> MessageTotals:
    total = MessageTotals()
    for cell in cells:
        total.add(cell)  # type: ignore[arg-type]  # cells come from a helper
    return total


def test_counts_are_summed_and_extents_are_the_greatest() -> None:
    total = totals_of(
        messages(10, reordered=2, reorder_extent_sum=9, reorder_extent_max=7, reorder_late_ns_max=5),
        messages(5, reordered=1, reorder_extent_sum=3, reorder_extent_max=3, reorder_late_ns_max=8),
    )
    assert (total.intended, total.reordered, total.reorder_extent_sum) == (15, 3, 12)
    assert (total.reorder_extent_max, total.reorder_late_ns_max) == (7, 8)


def test_every_intended_message_is_in_exactly_one_place() -> None:
    total = totals_of(messages(100, not_sent_target=3, not_sent_squall=2, delivered=80, lost=4, unknown=5))
    assert (total.not_sent, total.sent, total.unsettled) == (5, 95, 6)
    assert total.intended == total.not_sent + total.delivered + total.lost + total.unknown + total.unsettled


def test_delivery_success_is_an_interval_over_what_is_not_known() -> None:
    total = totals_of(messages(100, delivered=90, lost=2, unknown=8))
    assert total.delivery_success == (0.90, 0.98)


def test_delivery_success_of_nothing_sent_is_not_measured() -> None:
    assert totals_of(messages(4, delivered=0, not_sent_squall=4)).delivery_success is None


def test_lag_and_service_stand_in_where_no_message_was_blocked() -> None:
    total = totals_of(messages(2, response_ms=[10, 12], service_ms=[9, 11], lag_ms=[1, 1]))
    assert total.pacer_lag == total.lag
    assert total.unlagged == total.service


def test_a_blocked_cell_among_others_keeps_both_apart() -> None:
    plain = messages(1, response_ms=[10], service_ms=[9], lag_ms=[1])
    blocked = messages(
        1, response_ms=[500], service_ms=[20], lag_ms=[480], pacer_lag=times(2), unlagged=times(498)
    )
    for order in ([plain, blocked], [blocked, plain], [plain, blocked, plain]):
        total = totals_of(*order)
        assert total.lag.max_ns == 480_000_000
        assert total.pacer_lag.max_ns == 2_000_000
        assert total.unlagged.max_ns == 498_000_000
        assert total.pacer_lag.count == total.unlagged.count == len(order)


def test_connections_add_up_with_codes_and_troubles() -> None:
    refused = Trouble("connect", "refused", "target")
    total = ConnectionTotals()
    total.add(connections(5, attempted=9, failed=3, closed=2, dropped=1, troubles=[(refused, 3)]))
    other = ConnectionTotals()
    other.add(connections(1, closed=1, close_codes={1000: 1}, troubles=[(refused, 1)], connect=times(4)))
    total.merge(other)
    assert (total.attempted, total.pending, total.open) == (10, 1, 2)
    assert total.troubles == {refused: 4}
    assert total.close_codes == {1000: 1}
    assert total.connect.count == 1


def test_times_of_acknowledgements_add_up_and_most_cells_have_none() -> None:
    assert totals_of(messages(3)).ack.count == 0
    total = totals_of(
        messages(1, acknowledged=1, ack=times(4)), messages(2), messages(1, ack=times(6), ack_total=times(9))
    )
    assert (total.acknowledged, total.ack.count, total.ack.max_ns) == (1, 2, 6_000_000)
    assert (total.ack_total.count, total.retry_recovery.count) == (1, 0)
