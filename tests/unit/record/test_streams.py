"""Troubles of streams are stored by position, in an order that stays."""

from __future__ import annotations

import msgspec
import pytest

from squall.record.streams import SentSecond, StreamTrouble

ORDER = {
    StreamTrouble: "population stream worker lost unknown duplicated reordered lost_ranges unknown_ranges"
    " first_sent_ns last_sent_ns why",
    SentSecond: "second width_s lost unknown retried",
}


@pytest.mark.parametrize("kind", ORDER, ids=lambda kind: kind.__name__)
def test_fields_keep_their_places(kind: type[msgspec.Struct]) -> None:
    assert list(kind.__struct_fields__[: len(ORDER[kind].split())]) == ORDER[kind].split()


@pytest.mark.parametrize(
    "value",
    [
        StreamTrouble(
            population=0, stream=3, worker=1, lost=2, lost_ranges=[(4, 5)], first_sent_ns=7, why="died"
        ),
        SentSecond(5, 2, 1, 0, 3),
    ],
)
def test_what_is_written_is_read_back(value: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value)) == value
