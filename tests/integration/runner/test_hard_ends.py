"""A coordinator that is killed, a disk that is full: the record can be read, and no worker is left."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from integration.runner.under_way import wait_until
from squall.errors import ExitCode
from squall.store.reader import open_run
from squall_run import start_squall

SCRIPT = """
import asyncio, resource, sys
from squall.runner.run import run_scenario
from squall.scenario.loader import load_scenario

url, out, file_max = sys.argv[1], sys.argv[2], int(sys.argv[3])
if file_max:
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, file_max))
scenario = load_scenario({
    "target": url,
    "load": {"connections": 40, "ramp_up": {"kind": "linear", "duration": 0.5}, "hold": 60},
    "traffic": {"rate": 50, "types": [f"type_{n}" for n in range(12)]},
    "engine": {"workers": 2},
    "outputs": {"out": out},
}).scenario
result = asyncio.run(run_scenario(scenario))
print(result.error)
sys.exit(result.exit_code)
"""


def start(url: str, folder: Path, file_max: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, url, str(folder), str(file_max)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_record(folder: Path) -> None:
    """Until two seconds of a run stand in its record."""
    wait_until(folder, lambda seen: len(seen) >= 2, "two seconds are recorded")


def fill(place: Path) -> None:
    """Take all that is left of a file system."""
    with (place / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_after_a_kill_workers_end_and_the_record_opens(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(service, folder)
    try:
        wait_for_record(folder)
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        process.send_signal(signal.SIGKILL)
        gone, alive = psutil.wait_procs(workers, timeout=5)
        assert (len(gone), alive) == (2, [])
    finally:
        process.kill()
        process.communicate()
    record = open_run(folder)
    assert not record.complete
    assert record.verdict is None
    assert len(list(record.intervals)) >= 2
    assert record.phases[0].name == "ramp_up"


def test_a_full_disk_ends_the_run_gracefully_and_says_so(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(service, folder, file_max=30_000)
    try:
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == ExitCode.ENVIRONMENT, stderr
    assert "the record ends" in stdout
    record = open_run(folder)
    assert not record.complete
    assert record.verdict is not None
    assert record.verdict.exit_code == ExitCode.ENVIRONMENT
    assert record.verdict.stopped_by.startswith("the record cannot be written")
    assert len(list(record.intervals)) >= 1


@pytest.mark.root
def test_a_disk_that_fills_up_meanwhile_ends_the_run_and_what_was_recorded_opens(
    service: str, small_disk: Path
) -> None:
    """As its users see it: the command ends with 111 and says why, and the run can be shown."""
    scenario = {
        "target": service,
        "load": {"connections": 40, "ramp_up": "500ms", "hold": "60s", "ramp_down": "500ms"},
        "traffic": {"rate": "20/s"},
        "engine": {"workers": 2},
    }
    with start_squall(scenario, small_disk) as running:
        wait_for_record(running.folder)
        fill(small_disk)
        ran = running.wait()
    assert ran.code == ExitCode.ENVIRONMENT, ran.stdout + ran.stderr
    assert "no space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr
    record = open_run(ran.folder)
    assert not record.complete
    assert record.verdict is not None
    assert record.verdict.exit_code == ExitCode.ENVIRONMENT
    assert record.verdict.stopped_by.startswith("the record cannot be written")
    assert len(list(record.intervals)) >= 2
    assert ran.delivery["delivered"] > 0
    shown = subprocess.run(
        [sys.executable, "-m", "squall", "show", str(ran.folder)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in shown.stderr
    assert "delivered" in shown.stdout
