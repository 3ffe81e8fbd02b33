"""A tally counts between two reports; what never happens costs nothing."""

from __future__ import annotations

from squall.engine.tally import NEVER_NS, MessageTally


def test_the_histograms_of_acknowledgements_are_made_by_their_first_value() -> None:
    tally = MessageTally(NEVER_NS)
    assert (tally.ack, tally.ack_total, tally.retry_recovery) == (None, None, None)
    tally.acknowledged += 2
    tally.acknowledged_after(3_000_000, False)
    tally.acknowledged_in_all_after(5_000_000)
    tally.acknowledged_in_all_after(7_000_000)
    assert tally.retry_recovery is None
    tally.recovered_after(9_000_000)
    cell = tally.take(0, 1, 2, 3)
    assert cell is not None
    assert cell.acknowledged == 2
    sums = [each and each.sum_ns for each in (cell.ack, cell.ack_total, cell.retry_recovery)]
    assert sums == [3_000_000, 12_000_000, 9_000_000]


def test_what_was_taken_is_not_told_again() -> None:
    tally = MessageTally(NEVER_NS)
    tally.gaps += 1
    tally.acknowledged_after(1_000, False)
    assert tally.take(0, 0, 0, 0) is not None
    assert tally.take(0, 0, 0, 0) is None
