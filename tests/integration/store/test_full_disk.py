from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from integration.store.writing import VERDICT, second
from squall.store.reader import open_run

WRITING = Path(__file__).with_name("writing.py")
SECONDS = 3_000


def record_until_full(folder: Path, file_size_max: int) -> tuple[int, str]:
    """How many seconds were recorded, and what was said about the rest."""
    done = subprocess.run(
        [sys.executable, "-B", str(WRITING), str(folder), str(SECONDS), str(file_size_max)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return len(done.stdout.split()), done.stderr


def assert_kept(folder: Path, recorded: int) -> None:
    record = open_run(folder)
    intervals = list(record.intervals)
    assert 0 < recorded < SECONDS
    assert intervals == [second(index) for index in range(recorded)]
    assert record.verdict == VERDICT
    assert not record.complete
    assert record.phases[0].end_ns == intervals[-1].at_ns
    assert (folder / "summary.json").stat().st_size > 20_000
    assert not (folder / "reserve").exists()


@pytest.mark.parametrize("limit", [60_000, 400_001])
def test_a_limit_on_file_sizes_is_told_once_and_nothing_is_lost(tmp_path: Path, limit: int) -> None:
    recorded, said = record_until_full(tmp_path, limit)
    assert said.count("---") == 1
    assert "record.log: file too large" in said
    assert "ulimit -f" in said
    assert f"ends {recorded} s into the run" in said
    assert_kept(tmp_path, recorded)


@pytest.mark.root
def test_a_full_disk_is_told_once_and_the_result_still_fits(small_disk: Path) -> None:
    recorded, said = record_until_full(small_disk, 0)
    assert said.count("---") == 1
    assert "record.log: no space left on device" in said
    assert "free some space" in said
    assert_kept(small_disk, recorded)
    (told,) = open_run(small_disk).events
    assert f"{SECONDS - recorded} records after it are missing" in told.text


@pytest.mark.root
def test_a_disk_that_is_full_from_the_start_is_left_as_it_was(small_disk: Path) -> None:
    (small_disk / "other").write_bytes(bytes(900_000))
    folder = small_disk / "run"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-B", str(WRITING), str(folder), "10", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "StoreFull" in done.stderr
    assert "no space left on device" in done.stderr
    assert [entry.name for entry in small_disk.iterdir()] == ["other"]
