"""Every field of a cell is of one kind, so that whoever adds cells up leaves none out."""

from __future__ import annotations

from squall.record import cell_fields as kinds
from squall.record.snapshots import ConnectionCell, MessageCell

KEYS = {"population", "phase", "type", "place"}


def test_each_field_of_a_message_cell_is_of_one_kind() -> None:
    named = [*kinds.MESSAGE_SUMS, *kinds.MESSAGE_MAXIMA, *kinds.MESSAGE_TIMES, *kinds.STANDS_FOR, *KEYS]
    assert sorted(named) == sorted(MessageCell.__struct_fields__)
    assert {*kinds.MESSAGE_COUNTS} == {*kinds.MESSAGE_SUMS, *kinds.MESSAGE_MAXIMA}


def test_each_field_of_a_connection_cell_is_of_one_kind() -> None:
    apart = {"close_codes", "troubles"}
    named = [
        *kinds.CONNECTION_SUMS,
        *kinds.CONNECTION_TIMES,
        *kinds.COUNTED_BY_WORD,
        *apart,
        *KEYS - {"type"},
    ]
    assert sorted(named) == sorted(ConnectionCell.__struct_fields__)


def test_the_greatest_and_the_times_are_told_from_sums() -> None:
    assert kinds.MESSAGE_MAXIMA == ("reorder_extent_max", "reorder_late_ns_max")
    assert {"intended", "delivered", "reorder_extent_sum"} <= {*kinds.MESSAGE_SUMS}
    assert {"response", "ack_total"} <= {*kinds.MESSAGE_TIMES}
    assert kinds.COUNTED_BY_WORD == ("misfits", "strikes", "strikes_missed")
