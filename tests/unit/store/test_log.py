from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.errors import FormatError, StoreError
from squall.record.run import FORMAT_VERSION
from squall.store import log as module
from squall.store.log import (
    FRAME_MAX_BYTES,
    FrameLog,
    FrameReader,
    StoreFull,
    is_being_written,
    store_failure,
)

PAYLOADS = st.lists(st.binary(max_size=60), max_size=6)


def written(folder: Path, payloads: list[bytes]) -> tuple[bytes, list[int]]:
    """A log's bytes, and where its preamble and each of its frames end."""
    path = folder / "written.log"
    path.unlink(missing_ok=True)
    log = FrameLog(path)
    log.begin()
    ends = [log.size_bytes]
    for payload in payloads:
        log.append(payload)
        ends.append(log.size_bytes)
    log.close()
    return path.read_bytes(), ends


def read(path: Path) -> tuple[list[bytes], FrameReader]:
    reader = FrameReader(path)
    return list(reader), reader


@settings(max_examples=60, deadline=None)
@given(payloads=PAYLOADS)
def test_truncated_anywhere_it_yields_all_whole_frames_before(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    content, ends = written(folder, payloads)
    path = folder / "cut.log"
    for cut in range(len(content) + 1):
        path.write_bytes(content[:cut])
        whole = sum(end <= cut for end in ends[1:])
        found, reader = read(path)
        assert found == payloads[:whole]
        assert reader.whole_bytes == max((end for end in ends if end <= cut), default=0)
        assert reader.end == ("clean" if cut in (0, *ends) and cut else "torn")


@settings(max_examples=200, deadline=None)
@given(payloads=PAYLOADS.filter(any), data=st.data())
def test_a_flipped_bit_is_never_returned_as_data(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    content, ends = written(folder, payloads)
    place = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    damaged = bytearray(content)
    damaged[place] ^= 1 << data.draw(st.integers(min_value=0, max_value=7))
    path = folder / "flipped.log"
    path.write_bytes(damaged)
    if place < ends[0]:
        with pytest.raises(StoreError):
            read(path)
        return
    found, reader = read(path)
    before = sum(end <= place for end in ends[1:])
    assert found == payloads[:before]
    assert reader.whole_bytes == ends[before]
    assert reader.end in ("torn", "damaged")


def test_a_tail_of_zeros_is_no_frame(tmp_path: Path) -> None:
    content, ends = written(tmp_path, [b"one"])
    path = tmp_path / "zeros.log"
    path.write_bytes(content + bytes(4096))
    found, reader = read(path)
    assert found == [b"one"]
    assert (reader.end, reader.whole_bytes) == ("damaged", ends[-1])


def test_an_absurd_length_is_not_read_into_memory(tmp_path: Path) -> None:
    content, _ = written(tmp_path, [])
    length = (FRAME_MAX_BYTES + 1).to_bytes(4, "little")
    path = tmp_path / "absurd.log"
    path.write_bytes(content + length + zlib.crc32(length).to_bytes(4, "little") + b"x")
    found, reader = read(path)
    assert (found, reader.end) == ([], "damaged")


def test_a_reader_stops_at_its_limit_and_reads_again(tmp_path: Path) -> None:
    _, ends = written(tmp_path, [b"one", b"two", b"three"])
    reader = FrameReader(tmp_path / "written.log", limit_bytes=ends[2])
    assert list(reader) == list(reader) == [b"one", b"two"]


def test_a_log_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "run" / "record.log"
    path.parent.mkdir()
    log = FrameLog(path)
    with pytest.raises(StoreError, match="another run is being written"):
        FrameLog(path)
    log.close()
    with pytest.raises(StoreError, match="holds a run already"):
        FrameLog(path)


def test_the_lock_tells_a_living_writer_from_none(tmp_path: Path) -> None:
    path = tmp_path / "record.log"
    assert not is_being_written(path)
    log = FrameLog(path)
    assert is_being_written(path)
    log.close()
    log.close()
    assert not is_being_written(path)


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.write
    monkeypatch.setattr(module.os, "write", lambda fd, content: really(fd, bytes(content[:3])))
    written(tmp_path, [b"a payload", b"another"])
    monkeypatch.undo()
    assert read(tmp_path / "written.log")[0] == [b"a payload", b"another"]


def test_a_torn_frame_is_removed_and_the_log_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = FrameLog(tmp_path / "record.log")
    log.begin()
    log.append(b"first")
    really, room = os.write, [5]

    def write_into_little_room(fd: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = really(fd, bytes(content[: room[0]]))
        room[0] -= count
        return count

    monkeypatch.setattr(module.os, "write", write_into_little_room)
    with pytest.raises(StoreFull, match=r"record\.log: no space left") as caught:
        log.append(b"second")
    assert "free some space" in caught.value.hint
    assert log.path.stat().st_size == log.size_bytes
    monkeypatch.undo()
    log.append(b"third")
    log.close()
    assert read(log.path)[0] == [b"first", b"third"]


def test_nothing_is_appended_behind_a_torn_frame_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FrameLog(tmp_path / "record.log")
    log.begin()
    log.append(b"first")

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module.os, "write", fail)
    monkeypatch.setattr(module.os, "ftruncate", fail)
    with pytest.raises(StoreError, match="input/output error"):
        log.append(b"second")
    monkeypatch.undo()
    with pytest.raises(StoreError, match="torn frame"):
        log.append(b"third")
    log.close()
    assert read(log.path)[0] == [b"first"]


def test_a_payload_that_no_reader_would_take_is_refused(tmp_path: Path) -> None:
    log = FrameLog(tmp_path / "record.log")
    log.begin()
    with pytest.raises(StoreError, match="longer than"):
        log.append(bytes(FRAME_MAX_BYTES + 1))
    log.append(b"next")
    log.close()
    assert read(log.path)[0] == [b"next"]


@pytest.mark.parametrize("ask", ["checkpoint", "sync"])
def test_a_failed_checkpoint_is_told_at_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    log = FrameLog(tmp_path / "record.log")
    log.begin()
    monkeypatch.setattr(module.os, "fsync", refuse)
    log.checkpoint()
    assert log._syncing is not None
    assert isinstance(log._syncing.exception(timeout=10), OSError)
    with pytest.raises(StoreError, match="input/output error"):
        getattr(log, ask)()
    monkeypatch.undo()
    log.checkpoint()
    log.sync()
    log.close()


def test_a_log_of_another_format_version_is_named(tmp_path: Path) -> None:
    content, _ = written(tmp_path, [b"one"])
    path = tmp_path / "later.log"
    path.write_bytes(content[:8] + (FORMAT_VERSION + 1).to_bytes(4, "little") + content[12:])
    with pytest.raises(
        FormatError, match=f"version {FORMAT_VERSION + 1}; .* knows version {FORMAT_VERSION}"
    ) as caught:
        read(path)
    assert "newer squall" in caught.value.hint
    path.write_bytes(content[:8] + bytes(4) + content[12:])
    with pytest.raises(FormatError) as caught:
        read(path)
    assert "older" in caught.value.hint


def test_another_file_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "record.log"
    path.write_text("2026-01-31 all is well")
    with pytest.raises(StoreError, match="no log of a run"):
        read(path)


def test_each_failure_says_what_to_do(tmp_path: Path) -> None:
    def said(number: int) -> StoreError:
        return store_failure(OSError(number, os.strerror(number)), tmp_path)

    assert isinstance(said(errno.ENOSPC), StoreFull)
    assert isinstance(said(errno.EFBIG), StoreFull)
    assert "ulimit -f" in said(errno.EFBIG).hint
    assert not isinstance(said(errno.EACCES), StoreFull)
    assert "owner and mode" in said(errno.EACCES).hint
    assert str(tmp_path) in said(errno.EIO).message
