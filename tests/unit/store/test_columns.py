from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from squall.errors import FormatError
from squall.record.snapshots import Event
from squall.store.columns import COLUMNS, check_columns
from unit.store.samples import interval

PATH = Path("runs/one/record.log")


class ShorterEvent(msgspec.Struct, array_like=True):
    """An event as an older squall would have written it."""

    at_ns: int
    kind: str
    text: str


class LongerEvent(msgspec.Struct, array_like=True):
    """An event as a newer squall would write it."""

    at_ns: int
    kind: str
    text: str
    worker: int
    stream: int
    name: str
    figure: float | None
    bound: float | None
    node: str


def test_the_columns_are_the_fields_in_their_order() -> None:
    assert COLUMNS["Event"] == ["at_ns", "kind", "text", "worker", "stream", "name", "figure", "bound"]
    assert COLUMNS["SparseHistogram"] == ["count", "sum_ns", "min_ns", "max_ns", "buckets"]
    stored = msgspec.to_builtins(interval(1))
    assert len(stored) == len(COLUMNS["Interval"])
    assert len(stored[COLUMNS["Interval"].index("messages")][0]) == len(COLUMNS["MessageCell"])


def test_fewer_or_more_columns_at_the_end_fit() -> None:
    check_columns(COLUMNS, PATH)
    check_columns({**COLUMNS, "Event": COLUMNS["Event"][:3]}, PATH)
    check_columns({**COLUMNS, "Event": [*COLUMNS["Event"], "node"], "Later": ["one"]}, PATH)


def test_an_older_record_takes_the_defaults_and_a_newer_one_loses_its_rest() -> None:
    expected = Event(at_ns=1, kind="drop", text="gone")
    older = msgspec.msgpack.encode(ShorterEvent(1, "drop", "gone"))
    newer = msgspec.msgpack.encode(LongerEvent(1, "drop", "gone", -1, -1, "", None, None, "node-2"))
    assert msgspec.msgpack.decode(older, type=Event) == expected
    assert msgspec.msgpack.decode(newer, type=Event) == expected


@pytest.mark.parametrize("written", [["kind", "at_ns", "text"], ["at_ns", "kind", "words"], []])
def test_other_columns_are_refused_by_name(written: list[str]) -> None:
    with pytest.raises(FormatError, match="fields of Event") as caught:
        check_columns({**COLUMNS, "Event": written}, PATH)
    assert "the squall that wrote it" in caught.value.hint


def test_a_log_from_before_there_were_checks_need_not_name_them() -> None:
    check_columns({name: fields for name, fields in COLUMNS.items() if name != "CheckCell"}, PATH)
    with pytest.raises(FormatError, match="fields of CheckCell"):
        check_columns({**COLUMNS, "CheckCell": ["index", "phase"]}, PATH)


def test_every_stored_shape_must_be_named() -> None:
    with pytest.raises(FormatError, match="Trouble are not named"):
        check_columns({name: fields for name, fields in COLUMNS.items() if name != "Trouble"}, PATH)
