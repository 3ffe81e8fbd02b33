from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import msgspec
import pytest

from squall.errors import StoreError
from squall.record.snapshots import Event
from squall.store import log as log_module
from squall.store.folder import VERDICT_FILE
from squall.store.log import FrameLog, StoreFull
from squall.store.reader import open_run
from squall.store.writer import RunWriter
from unit.store.samples import HEADER, PHASE, VERDICT, interval

GONE = Event(at_ns=5, kind="drop", text="connection reset", worker=1, stream=9)


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_run_json_says_what_was_asked_before_anything_happened(tmp_path: Path) -> None:
    with RunWriter(tmp_path, HEADER):
        said = json.loads((tmp_path / "run.json").read_text())
    assert said["format_version"] == HEADER.format_version
    assert said["squall_version"] == HEADER.squall_version
    assert said["scenario"] == HEADER.scenario


def test_each_record_is_on_its_way_to_disk_when_the_call_returns(tmp_path: Path) -> None:
    with RunWriter(tmp_path, HEADER) as writer:
        writer.begin_phase(PHASE)
        for index in range(3):
            writer.accept(interval(index))
            assert list(open_run(tmp_path).intervals) == [interval(seen) for seen in range(index + 1)]
        writer.happened(GONE)
        assert open_run(tmp_path).events == (GONE,)


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    first = RunWriter(tmp_path, HEADER)
    with pytest.raises(StoreError, match="another run is being written"):
        RunWriter(tmp_path, HEADER)
    first.finish(VERDICT)
    first.close()
    with pytest.raises(StoreError, match="holds a run already"):
        RunWriter(tmp_path, HEADER)
    assert open_run(tmp_path).complete


def test_a_checkpoint_comes_every_so_many_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints: list[int] = []
    monkeypatch.setattr(FrameLog, "checkpoint", lambda log: checkpoints.append(log.size_bytes))
    with RunWriter(tmp_path, HEADER, checkpoint_every=4) as writer:
        for index in range(11):
            writer.accept(interval(index))
    assert len(checkpoints) == 2


def test_a_checkpoint_that_fails_ends_the_recording_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: FrameLog) -> None:
        raise StoreError("record.log: input/output error")

    monkeypatch.setattr(FrameLog, "checkpoint", refuse)
    with RunWriter(tmp_path, HEADER, checkpoint_every=2) as writer:
        writer.accept(interval(0))
        with pytest.raises(StoreError, match="ends 2 s into the run"):
            writer.accept(interval(1))
        writer.accept(interval(2))
        assert writer.left_out == 1
    assert len(list(open_run(tmp_path).intervals)) == 2


def test_a_full_disk_is_told_once_and_the_verdict_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunWriter(tmp_path, HEADER) as writer:
        writer.begin_phase(PHASE)
        writer.accept(interval(0))
        monkeypatch.setattr(log_module.os, "write", full)
        with pytest.raises(StoreFull, match=r"record\.log: no space left.*ends 1 s into the run"):
            writer.accept(interval(1))
        monkeypatch.undo()
        writer.accept(interval(2))
        writer.happened(GONE)
        writer.finish(VERDICT)
        assert isinstance(writer.failure, StoreFull)
    record = open_run(tmp_path)
    assert list(record.intervals) == [interval(0)]
    assert record.verdict == VERDICT
    assert not record.complete
    (told,) = record.events
    assert told.kind == "store"
    assert "3 records after it are missing" in told.text
    assert sorted(os.listdir(tmp_path)) == ["record.log", "run.json"]


def test_a_log_that_takes_no_more_leaves_the_verdict_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunWriter(tmp_path, HEADER) as writer:
        writer.accept(interval(0))
        monkeypatch.setattr(log_module.os, "write", full)
        with pytest.raises(StoreFull):
            writer.finish(VERDICT)
        writer.finish(VERDICT)
    record = open_run(tmp_path)
    assert (tmp_path / VERDICT_FILE).exists()
    assert (record.verdict, record.complete) == (VERDICT, False)


def test_a_full_disk_at_the_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(log_module.os, "write", full)
    with pytest.raises(StoreFull):
        RunWriter(folder, HEADER)
    assert list(tmp_path.iterdir()) == []


def test_a_header_of_another_format_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="format version 1 is written, not 2"):
        RunWriter(tmp_path, msgspec.structs.replace(HEADER, format_version=2))
    assert list(tmp_path.iterdir()) == []
