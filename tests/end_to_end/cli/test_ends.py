"""How a call ends when somebody ends it, or when nobody listens any more."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from end_to_end.cli.calling import SHORT, TIMEOUT_S, command, environment, started

LONG = ("-c", "20", "--ramp-up", "500ms", "--ramp-down", "500ms", "-d", "10m", "--out", "run")


def until(process: subprocess.Popen[str], words: str) -> None:
    """Read its standard error until these words come."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_results(
    service_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    process = started("echo", service_url, *LONG, cwd=tmp_path)
    until(process, " hold      held 20/20 ")
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 105, out + err
    assert "stopped by: interrupted" in out
    assert "Traceback" not in err
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert summary["verdict"]["exit_code"] == 105
    assert summary["connections"]["closed"] == 20
    assert summary["delivery"]["lost"] == 0


def test_a_run_that_was_killed_is_shown_as_far_as_it_came(service_url: str, tmp_path: Path) -> None:
    process = started("echo", service_url, *LONG, cwd=tmp_path)
    until(process, "0:00:02 hold")
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=TIMEOUT_S)
    assert psutil.wait_procs(workers, timeout=TIMEOUT_S)[1] == []
    shown = subprocess.run(
        command("show", "run"), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("NO VERDICT")
    assert "attempted 20 = established 20" in shown.stdout


def test_a_reader_that_goes_away_does_not_change_the_run(service_url: str, tmp_path: Path) -> None:
    process = started("echo", service_url, "-c", "5", *SHORT, "--out", "run", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    code = process.wait(TIMEOUT_S)
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert code == summary["verdict"]["exit_code"]
    assert code in (0, 110)


def test_a_reader_that_wants_nothing_is_no_failure(tmp_path: Path) -> None:
    process = started("schema", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(TIMEOUT_S) == 0


def test_a_full_device_is_said(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("schema"), stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT_S
        )
    assert done.returncode == 111
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_terminal_gets_the_live_view_and_then_the_summary(service_url: str, tmp_path: Path) -> None:
    seen = on_terminal("echo", service_url, "-c", "5", *SHORT, cwd=tmp_path)
    assert "Ctrl-C ends the run in order" in seen
    assert "connections  5 of 5 held" in seen
    assert "PASSED" in seen or "WARNING" in seen
    assert seen.index("5 of 5 held") < seen.index("run folder: ")
    assert "Traceback" not in seen


def test_a_terminal_that_stops_reading_does_not_stop_the_run(service_url: str, tmp_path: Path) -> None:
    """Nobody reads the terminal while the run lasts; the summary is read at its end."""
    seen = on_terminal(
        "echo", service_url, "-c", "5", *SHORT, "--out", "run", cwd=tmp_path, reads_when=tmp_path / "run"
    )
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert summary["duration_s"] < 30
    assert "run folder: " in seen


def on_terminal(*arguments: str, cwd: Path, reads_when: Path | None = None) -> str:
    """What squall shows on a terminal of its own; with `reads_when`, read only once that run has a summary."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(TERM="xterm", COLUMNS="100", LINES="40"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        if reads_when is not None:
            deadline = time.monotonic() + TIMEOUT_S
            while not (reads_when / "summary.json").exists():
                assert time.monotonic() < deadline, "the run did not end"
                select.select([], [], [], 0.2)
        found = b""
        while select.select([ours], [], [], TIMEOUT_S)[0]:
            try:
                found += os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
        assert process.wait(TIMEOUT_S) in (0, 110)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", found.decode())
