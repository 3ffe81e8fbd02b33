"""What is stored by position stays where it is: the order of the fields is part of the format of a record."""

from __future__ import annotations

import msgspec
import pytest

from squall.record.outcomes import Trouble
from squall.record.snapshots import (
    CheckCell,
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    Snapshot,
    SparseHistogram,
    WorkerSample,
)

ORDER = {
    SparseHistogram: "count sum_ns min_ns max_ns buckets",
    Place: "entry_point node",
    Event: "at_ns kind text worker stream name figure bound",
    WorkerSample: "worker held pending outstanding blocked unsent_bytes started cpu_ns rss_bytes loop_lag_max_ns"
    " silence_ns silence_start_ns",
    MessageCell: "population phase type place intended not_sent_target not_sent_squall delivered lost unknown"
    " duplicated reordered late recovered corrupted_body reorder_extent_sum reorder_extent_max reorder_late_ns_sum"
    " reorder_late_ns_max service_unmeasured response service lag pacer_lag unlagged",
    ConnectionCell: "population phase place attempted established failed closed dropped graceful reconnected"
    " pings_sent pongs_received corrupted_header unexpected foreign invalid_utf8 window_exceeded messages_sent"
    " messages_received bytes_sent bytes_received close_codes troubles connect tcp tls upgrade ping session",
    CheckCell: "phase index held drops sent delivered spiked joined",
    Interval: "index at_ns held planned workers messages connections places events events_dropped complete",
}
"""As records of the format's first version have them. Fields may only be added behind these, with defaults."""


@pytest.mark.parametrize("kind", ORDER, ids=lambda kind: kind.__name__)
def test_fields_keep_their_places(kind: type[msgspec.Struct]) -> None:
    fields = msgspec.structs.fields(kind)
    known = ORDER[kind].split()  # type: ignore[index] # the keys are the kinds
    assert [field.name for field in fields[: len(known)]] == known
    assert not any(field.required for field in fields[len(known) :])


HISTOGRAM = SparseHistogram(3, 30, 5, 15, b"\x05\x01\x02\x02")
INTERVAL = Interval(
    index=7,
    at_ns=8_000_000_000,
    held=10,
    planned=12,
    workers=[WorkerSample(worker=1, held=10, cpu_ns=5)],
    messages=[
        MessageCell(population=0, phase=1, type=2, place=0, intended=3, delivered=3, response=HISTOGRAM)
    ],
    connections=[
        ConnectionCell(
            population=0,
            phase=1,
            place=0,
            failed=1,
            close_codes={1000: 2},
            troubles=[(Trouble("connect", "refused", "target"), 1)],
        )
    ],
    places=[Place("ws://host/", "node-1")],
    events=[Event(at_ns=1, kind="drop", text="closed_1006", stream=4)],
    complete=False,
    checks=[CheckCell(1, 0, 10, 1, 30, 29, 2, 3)],
)


@pytest.mark.parametrize(
    "value",
    [
        INTERVAL,
        Snapshot(index=7, at_ns=8, sample=WorkerSample(worker=0), messages=INTERVAL.messages, final=True),
    ],
)
def test_what_is_written_is_read_back(value: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value)) == value


def test_a_record_from_before_a_field_was_added_is_read() -> None:
    short = msgspec.msgpack.encode([0, 1, 2, 3, 40, 1])
    cell = msgspec.msgpack.decode(short, type=MessageCell)
    assert (cell.place, cell.intended, cell.not_sent_target, cell.delivered, cell.response) == (
        3,
        40,
        1,
        0,
        None,
    )


def test_sent_is_what_was_intended_without_what_was_not_sent() -> None:
    cell = MessageCell(
        population=0, phase=0, type=0, place=0, intended=10, not_sent_target=3, not_sent_squall=2
    )
    assert cell.sent == 5
