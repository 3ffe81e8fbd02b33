from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.errors import FormatError, StoreError
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader, RunRecord
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict
from squall.store.codec import Kind, LogHeader, encode
from squall.store.columns import COLUMNS
from squall.store.log import FrameLog
from squall.store.reader import duration_and_peak, open_run
from squall.store.writer import RunWriter
from unit.store.samples import HEADER, PHASE, VERDICT, any_of, interval

SECOND = 1_000_000_000
WRITERS: dict[type, Callable[[RunWriter, Any], None]] = {
    Interval: RunWriter.accept,
    Event: RunWriter.happened,
    ResourceSample: RunWriter.sampled,
    StabilityCheck: RunWriter.checked,
}


def recorded(folder: Path, seconds: int, *, finish: bool = True) -> Path:
    """A folder with a run of so many seconds in two phases."""
    folder.mkdir(exist_ok=True)
    with RunWriter(folder, HEADER) as writer:
        writer.begin_phase(PHASE)
        for index in range(seconds):
            if index == 2:
                writer.end_phase(PHASE.id, 2 * SECOND)
                writer.begin_phase(msgspec.structs.replace(PHASE, id=2, start_ns=2 * SECOND))
            writer.accept(interval(index, held=10 + index % 4))
        if finish:
            writer.end_phase(2 if seconds > 2 else 1, seconds * SECOND)
            writer.finish(VERDICT)
    return folder


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_record_read_back_equals_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    header = msgspec.structs.replace(data.draw(any_of(RunHeader)), format_version=HEADER.format_version)
    drawn = data.draw(st.lists(any_of(Phase), max_size=3, unique_by=lambda phase: phase.id))
    # Types that a phase makes known stand in the header that is read back: see the test of that.
    phases = [msgspec.structs.replace(phase, types=None) for phase in drawn]
    things = data.draw(st.lists(st.one_of(any_of(kind) for kind in WRITERS), max_size=6))
    verdict = data.draw(any_of(Verdict))
    folder = tmp_path_factory.mktemp("run")
    with RunWriter(folder, header, checkpoint_every=2) as writer:
        for phase in phases:
            writer.begin_phase(msgspec.structs.replace(phase, end_ns=None))
        for thing in things:
            WRITERS[type(thing)](writer, thing)
        for phase in phases:
            if phase.end_ns is not None:
                writer.end_phase(phase.id, phase.end_ns, phase.freeze)
        writer.finish(verdict)
    record = open_run(folder)
    intervals = list(record.intervals)
    assert msgspec.structs.replace(record, intervals=intervals) == RunRecord(
        header=header,
        phases=tuple(phases),
        intervals=[thing for thing in things if isinstance(thing, Interval)],
        events=tuple(thing for thing in things if isinstance(thing, Event)),
        verdict=verdict,
        complete=True,
        resources=tuple(thing for thing in things if isinstance(thing, ResourceSample)),
        checks=tuple(thing for thing in things if isinstance(thing, StabilityCheck)),
    )
    assert list(record.intervals) == intervals


def test_intervals_are_read_as_they_are_iterated(tmp_path: Path) -> None:
    record = open_run(recorded(tmp_path, 5))
    first = iter(record.intervals)
    assert next(first) == interval(0)
    (tmp_path / "record.log").unlink()
    with pytest.raises(StoreError, match=r"record\.log: no such file"):
        list(record.intervals)


def test_a_log_that_shrank_since_is_noticed(tmp_path: Path) -> None:
    record = open_run(recorded(tmp_path, 5))
    os.truncate(tmp_path / "record.log", (tmp_path / "record.log").stat().st_size // 2)
    with pytest.raises(StoreError, match="held 5 intervals"):
        list(record.intervals)


def test_a_record_opened_while_it_grows_stays_as_it_was(tmp_path: Path) -> None:
    with RunWriter(tmp_path, HEADER) as writer:
        writer.accept(interval(0))
        record = open_run(tmp_path)
        writer.accept(interval(1))
        assert list(record.intervals) == [interval(0)]
        assert not record.complete


def test_cut_anywhere_a_run_opens_with_its_whole_seconds(tmp_path: Path) -> None:
    content = (recorded(tmp_path, 4) / "record.log").read_bytes()
    expected = [interval(index, held=10 + index % 4) for index in range(4)]
    seen = set()
    for cut in range(len(content)):
        (tmp_path / "record.log").write_bytes(content[:cut])
        record = open_run(tmp_path)
        found = list(record.intervals)
        assert found == expected[: len(found)]
        assert not record.complete
        assert record.header == HEADER
        last_ns = found[-1].at_ns if found else 0
        assert all(phase.end_ns in (2 * SECOND, max(phase.start_ns, last_ns)) for phase in record.phases[:1])
        seen.add(len(found))
    assert seen == {0, 1, 2, 3, 4}


def test_the_phase_of_a_killed_run_ends_with_its_last_interval(tmp_path: Path) -> None:
    record = open_run(recorded(tmp_path, 5, finish=False))
    assert [(phase.id, phase.end_ns) for phase in record.phases] == [(1, 2 * SECOND), (2, 5 * SECOND)]
    assert record.verdict is None
    assert not record.complete


def test_a_damaged_record_says_where_it_stops(tmp_path: Path) -> None:
    recorded(tmp_path, 5)
    content = bytearray((tmp_path / "record.log").read_bytes())
    content[-150] ^= 0xFF
    (tmp_path / "record.log").write_bytes(content)
    record = open_run(tmp_path)
    assert not record.complete
    assert record.events[-1].kind == "store"
    assert "damaged after" in record.events[-1].text


def test_a_lost_run_json_is_no_loss(tmp_path: Path) -> None:
    recorded(tmp_path, 3)
    whole = open_run(tmp_path)
    for content in (None, b"{"):
        (tmp_path / "run.json").unlink()
        if content is not None:
            (tmp_path / "run.json").write_bytes(content)
            assert open_run(tmp_path).header == whole.header
        else:
            assert open_run(tmp_path).header == whole.header
            (tmp_path / "run.json").write_bytes(b"")


@pytest.mark.parametrize("where", ["run.json", "record.log"])
def test_another_format_version_is_named_with_what_to_do(tmp_path: Path, where: str) -> None:
    recorded(tmp_path, 1)
    path = tmp_path / where
    if where == "run.json":
        path.write_text(json.dumps({"format_version": 99}))
    else:
        content = path.read_bytes()
        path.write_bytes(content[:8] + b"\x63\0\0\0" + content[12:])
    with pytest.raises(FormatError, match="format version 99; this squall knows version 1") as caught:
        open_run(tmp_path)
    assert "install a newer squall" in caught.value.hint
    assert caught.value.exit_code == 111


def test_columns_in_another_order_are_refused(tmp_path: Path) -> None:
    log = FrameLog(tmp_path / "record.log")
    log.begin()
    columns = {**COLUMNS, "Event": COLUMNS["Event"][::-1]}
    log.append(encode(Kind.HEADER, LogHeader(header=HEADER, columns=columns)))
    log.close()
    with pytest.raises(FormatError, match="fields of Event"):
        open_run(tmp_path)


def test_a_kind_of_frame_that_is_not_known_is_left_out(tmp_path: Path) -> None:
    log = FrameLog(tmp_path / "record.log")
    log.begin()
    log.append(encode(Kind.HEADER, LogHeader(header=HEADER, columns=COLUMNS)))
    log.append(b"\x7fnews")
    log.append(encode(Kind.INTERVAL, interval(0)))
    log.close()
    assert list(open_run(tmp_path).intervals) == [interval(0)]


def test_an_end_without_a_beginning_is_refused(tmp_path: Path) -> None:
    with RunWriter(tmp_path, HEADER) as writer:
        writer.end_phase(9, SECOND)
    with pytest.raises(StoreError, match="phase 9 ends and never began"):
        open_run(tmp_path)


def test_what_is_no_run_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no run at"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="is empty"):
        open_run(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="not the folder of a run"):
        open_run(tmp_path)
    with pytest.raises(StoreError, match="is a file"):
        open_run(tmp_path / "notes.txt")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(StoreError, match=r"lost its record\.log"):
        open_run(tmp_path)
    (tmp_path / "run.json").unlink()
    (tmp_path / "record.log").touch()
    with pytest.raises(StoreError, match="killed before it began"):
        open_run(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said_plainly(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "closed", 1)
    folder.chmod(0)
    try:
        with pytest.raises(StoreError, match="permission denied"):
            open_run(folder)
    finally:
        folder.chmod(0o755)


def test_a_refused_folder_is_said_plainly_also_to_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(StoreError, match="permission denied") as caught:
        open_run(tmp_path)
    assert "owner and mode" in caught.value.hint


def test_a_damaged_verdict_beside_the_log_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, 2, finish=False)
    (tmp_path / "verdict.json").write_bytes(b"{")
    with pytest.raises(StoreError, match=r"verdict\.json is damaged"):
        open_run(tmp_path)


def test_duration_and_peak_are_those_of_the_intervals(tmp_path: Path) -> None:
    for seconds in (0, 6):
        for finish in (True, False):
            record = open_run(recorded(tmp_path / f"{seconds}-{finish}", seconds, finish=finish))
            expected = (6 * SECOND, 13) if seconds else (None, None)
            assert duration_and_peak(record) == expected
            read = msgspec.structs.replace(record, intervals=tuple(record.intervals))
            assert duration_and_peak(read) == expected
