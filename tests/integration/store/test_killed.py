from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integration.store.writing import second
from squall.store.index import list_runs
from squall.store.log import is_being_written
from squall.store.reader import open_run

WRITING = Path(__file__).with_name("writing.py")


@pytest.mark.parametrize("after", [0, 1, 7, 40, 333])
def test_a_killed_run_opens_up_to_its_last_second(tmp_path: Path, after: int) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    child = subprocess.Popen(
        [sys.executable, str(WRITING), str(folder), "1000000", "0"], stdout=subprocess.PIPE, bufsize=0
    )
    assert child.stdout is not None
    try:
        told = b""
        while told.count(b"\n") <= after:
            told += os.read(child.stdout.fileno(), 4096)
        assert is_being_written(folder / "record.log")
        assert list_runs(tmp_path)[0].running
    finally:
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read()
        child.stdout.close()
        child.wait()
    last = int(told.split(b"\n")[-2])
    record = open_run(folder)
    intervals = list(record.intervals)
    # A second that was recorded is there; the one under way when the signal came may be, too.
    assert len(intervals) in (last + 1, last + 2)
    assert intervals == [second(index) for index in range(len(intervals))]
    assert record.phases[0].end_ns == intervals[-1].at_ns
    assert (record.complete, record.verdict) == (False, None)
    assert not is_being_written(folder / "record.log")
    assert not list_runs(tmp_path)[0].running


def test_of_two_writers_in_one_folder_one_is_refused(tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, str(WRITING), str(tmp_path), "200", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [child.communicate(timeout=60) for child in children]
    codes = [child.returncode for child in children]
    assert sorted(codes) == [0, 1]
    refused = said[codes.index(1)][1]
    assert "another run is being written" in refused or "holds a run already" in refused
    record = open_run(tmp_path)
    assert record.complete
    assert list(record.intervals) == [second(index) for index in range(200)]
