"""The log of the oracle: what is written is read, also when the writer was killed in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.wire_log import EVENT, IN, OUT, LogWriter, read_log


def written(path: Path) -> Path:
    log = LogWriter(path)
    log.event(4, "open", path="/x")
    source = log.message_in(4, 2, b"message")
    log.frame_out(4, 2, b"messagf", source=source)
    log.frame_out(4, 1, b"", source=None)
    log.event(4, "close", how="client", code=1000)
    log.close()
    return path


def test_records_read_back_in_order(tmp_path: Path) -> None:
    records = list(read_log(written(tmp_path / "log")))
    assert [record.kind for record in records] == [EVENT, IN, OUT, OUT, EVENT]
    assert [record.index for record in records] == [0, 1, 2, 3, 4]
    assert [record.source for record in records] == [None, None, 1, None, None]
    assert [record.payload for record in records[1:4]] == [b"message", b"messagf", b""]
    assert [record.opcode for record in records[1:4]] == [2, 2, 1]
    assert {record.connection for record in records} == {4}
    assert records[4].details == {"event": "close", "how": "client", "code": 1000}
    times = [record.at_ns for record in records]
    assert times == sorted(times)


def test_only_events_have_details(tmp_path: Path) -> None:
    message = list(read_log(written(tmp_path / "log")))[1]
    with pytest.raises(ValueError, match="only an event"):
        _ = message.details


def test_a_torn_log_gives_all_whole_records(tmp_path: Path) -> None:
    octets = written(tmp_path / "log").read_bytes()
    whole = list(read_log(tmp_path / "log"))
    counts = []
    for length in range(8, len(octets) + 1):
        (tmp_path / "torn").write_bytes(octets[:length])
        records = list(read_log(tmp_path / "torn"))
        assert records == whole[: len(records)]
        counts.append(len(records))
    assert counts == sorted(counts)
    assert (counts[0], counts[-2], counts[-1]) == (0, 4, 5)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a log"):
        list(read_log(tmp_path / "other"))
