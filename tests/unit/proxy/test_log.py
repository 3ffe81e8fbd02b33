"""The proxy's log: each entry is in the file at once, memory is bounded, and a full disk does not end it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from squall.errors import EnvironmentFailure
from squall.proxy import log
from squall.proxy.log import FaultLog
from squall.record.fault_log import FaultEntry, encode_entry, read_entries


def entry(number: int) -> FaultEntry:
    return FaultEntry(at_ns=number, connection=1, direction="up", frame=number, fault="drop", what="dropped")


def test_an_entry_is_in_the_file_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("of another proxy\n")
    with FaultLog(path) as kept:
        for number in (1, 2, 3):
            kept.write(entry(number))
            assert list(read_entries(path.read_bytes())) == [entry(each) for each in range(1, number + 1)]


def test_the_newest_are_kept_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "KEPT_MAX", 5)
    with FaultLog(None) as kept:
        assert kept.after(0, 10) == (1, [])
        for number in range(1, 9):
            kept.write(entry(number))
        lines = [encode_entry(entry(number)) for number in range(1, 9)]
        assert kept.after(0, 10) == (4, lines[3:])
        assert kept.after(6, 10) == (7, lines[6:])
        assert kept.after(4, 2) == (5, lines[4:6])
        assert kept.after(8, 10) == (9, [])
        assert (kept.count, kept.unwritten) == (8, 0)


def test_a_file_that_cannot_be_written_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "log"

    def half(descriptor: int, data: bytes) -> int:
        return real(descriptor, data[: len(data) // 2])

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    real = os.write
    with FaultLog(path) as kept:
        kept.write(entry(1))
        monkeypatch.setattr(os, "write", half)
        kept.write(entry(2))
        monkeypatch.setattr(os, "write", full)
        kept.write(entry(3))
        monkeypatch.setattr(os, "write", real)
        kept.write(entry(4))
        assert (kept.unwritten, kept.problem) == (2, "No space left on device")
        assert kept.count == len(kept.after(0, 10)[1]) == 4
    assert list(read_entries(path.read_bytes())) == [entry(1), entry(4)]


def test_a_place_where_none_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot write the log"), FaultLog(tmp_path):
        pass
