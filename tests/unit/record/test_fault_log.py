"""Lines of the fault log: what is written is read, and a log that was cut off is read up to the cut."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from squall.record.fault_log import DEEDS, Deed, FaultEntry, encode_entry, read_entries

FIRST = FaultEntry(
    at_ns=1,
    connection=2,
    direction="up",
    frame=3,
    fault="drop",
    what="dropped",
    stream=4,
    sequence=5,
    attempt=1,
    is_ack=False,
)
SECOND = FaultEntry(at_ns=2, connection=0, direction="both", frame=None, fault="x", what="on", note="drop")


def test_what_is_written_is_read() -> None:
    assert list(read_entries(encode_entry(FIRST) + encode_entry(SECOND))) == [FIRST, SECOND]


def test_each_entry_is_one_line_of_plain_json() -> None:
    line = encode_entry(FIRST)
    assert line.count(b"\n") == 1
    assert json.loads(line)["sequence"] == 5
    assert json.loads(encode_entry(SECOND))["stream"] is None


@pytest.mark.parametrize("cut", range(1, len(encode_entry(SECOND))))
def test_a_last_line_that_was_cut_off_is_left_out(cut: int) -> None:
    assert list(read_entries((encode_entry(FIRST) + encode_entry(SECOND))[:-cut])) == [FIRST]


def test_an_empty_log_has_no_entries() -> None:
    assert list(read_entries(b"")) == []


@pytest.mark.parametrize("line", [b"{}\n", b"nonsense\n", b'{"at_ns": "now"}\n'])
def test_a_line_that_is_none_is_named(line: bytes) -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(read_entries(encode_entry(FIRST) + line))


def test_each_deed_is_explained() -> None:
    assert set(DEEDS) == set(get_args(Deed))
