"""What befalls a run from outside: killed workers, a machine that is too small, two runs at once."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from squall.engine.machine import this_machine
from squall.errors import StoreError
from squall.store.reader import open_run
from squall.units import format_count
from squall_run import Running, run_squall, start_squall


def scenario(url: str, **settings: Any) -> dict[str, Any]:
    """Thirty connections of ten messages a second: one second up, five held, one down."""
    return {
        "target": {"url": url},
        "load": {
            "connections": 30,
            "ramp_up": {"kind": "linear", "duration": "1s"},
            "hold": "5s",
            "ramp_down": "1s",
        },
        "traffic": {"rate": "10/s"},
        "engine": {"workers": 2},
        "delivery": {"drain_timeout": "1s"},
        **settings,
    }


def workers_of(running: Running) -> list[psutil.Process]:
    """The worker processes of a run."""
    children = psutil.Process(running.process.pid).children(recursive=True)
    return [each for each in children if "squall.fleet.process" in " ".join(each.cmdline())]


def wait_for_workers(running: Running) -> list[psutil.Process]:
    """Both workers, once they are there."""
    deadline = time.monotonic() + 20
    while len(found := workers_of(running)) < 2:
        assert time.monotonic() < deadline, "the workers did not start"
        assert running.process.poll() is None, "the run has ended"
        time.sleep(0.05)  # noqa: TID251 - another process is waited for
    return found


def wait_for_delivered(running: Running, more_than: int) -> None:
    """Until the record has more messages delivered than that."""
    deadline = time.monotonic() + 40
    while _delivered(running.folder) <= more_than:
        assert time.monotonic() < deadline, "too little is delivered"
        assert running.process.poll() is None, "the run has ended"
        time.sleep(0.05)  # noqa: TID251 - another process is waited for


def _delivered(folder: Path) -> int:
    try:
        intervals = open_run(folder).intervals
    except StoreError:  # not begun yet
        return 0
    return sum(cell.delivered for interval in intervals for cell in interval.messages)


def test_a_worker_killed_in_the_middle_makes_the_run_invalid(service_url: str, tmp_path: Path) -> None:
    """Its messages are unknown or not sent, the other one finishes the plan, and everything adds up."""
    with start_squall(scenario(service_url), tmp_path) as running:
        workers = wait_for_workers(running)
        wait_for_delivered(running, 200)
        workers[0].kill()
        ran = running.wait()
    assert ran.code == 110, ran.stdout + ran.stderr
    assert ran.summary is not None
    assert ran.summary["verdict"]["valid"] is False
    assert ran.summary["events_complete"] is False
    assert ran.summary["not_sent"]["squall"] > 0
    assert ran.delivery["delivered"] > 200
    assert ran.delivery["lost"] == 0
    ran.assert_adds_up()


def test_a_killed_coordinator_leaves_no_worker_and_a_readable_record(
    service_url: str, tmp_path: Path
) -> None:
    with start_squall(scenario(service_url), tmp_path) as running:
        workers = wait_for_workers(running)
        wait_for_delivered(running, 200)
        running.process.send_signal(signal.SIGKILL)
        running.process.communicate(timeout=10)
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive
    shown = subprocess.run(
        [sys.executable, "-m", "squall", "show", str(running.folder), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    summary = json.loads(shown.stdout)
    assert summary["delivery"]["delivered"] > 200
    assert summary["duration_s"] >= 2


def test_two_runs_at_once_do_not_mix(service_url: str, tmp_path: Path) -> None:
    """Each has its own number: neither takes the other's messages for its own."""
    short = scenario(
        service_url, load={"connections": 30, "ramp_up": "500ms", "hold": "2s", "ramp_down": "500ms"}
    )
    with start_squall(short, tmp_path / "a") as first, start_squall(short, tmp_path / "b") as second:
        both = first.wait(), second.wait()
    for ran in both:
        assert ran.code in {0, 110}, ran.stdout + ran.stderr
        assert ran.delivery["delivered"] == ran.delivery["intended"] > 0
        assert ran.delivery["unexpected"] == 0


def test_the_same_folder_is_refused_to_a_second_run(service_url: str, tmp_path: Path) -> None:
    short = scenario(
        service_url, load={"connections": 2, "ramp_up": "200ms", "hold": "1s", "ramp_down": "200ms"}
    )
    assert run_squall(short, tmp_path).code == 0
    again = run_squall(short, tmp_path)
    assert again.code == 111
    assert "holds a run" in again.stderr


@pytest.mark.parametrize("more", [1, 200_000])
def test_too_few_ports_are_said_before_the_run(more: int, service_url: str, tmp_path: Path) -> None:
    ports = this_machine().ports
    assert ports is not None
    ran = run_squall(scenario(service_url, load={"connections": ports + more}, engine={}), tmp_path)
    assert ran.code == 113
    assert format_count(ports) in ran.stderr
    assert "source_addresses" in ran.stderr
    assert ran.summary is None


def test_too_few_descriptors_are_said_before_the_run(service_url: str, tmp_path: Path) -> None:
    """In a process whose own limit is lowered, so that the machine's does not matter."""
    file = tmp_path / "scenario.yaml"
    file.write_text(json.dumps(scenario(service_url, load={"connections": 2000}, engine={"workers": 1})))
    done = subprocess.run(
        [sys.executable, "-m", "squall", "run", str(file), "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512)),
    )
    assert done.returncode == 113, done.stderr
    assert "worker" in done.stderr
    assert "Traceback" not in done.stderr


def test_ten_mistakes_are_told_at_once(tmp_path: Path) -> None:
    wrong = {
        "nmae": "x",
        "target": {"url": "http://host/", "polcy": "first"},
        "load": {"connections": "many", "hold": "1 fortnight", "ramp_up": {"kind": "expnential"}},
        "traffic": {"rate": "-1/s", "payload": [10], "format": "xml"},
        "delivery": {"promise": "always"},
        "engine": {"pacing_window": "1h"},
    }
    ran = run_squall(wrong, tmp_path)
    assert ran.code == 104
    for path in (
        "nmae",
        "target.url",
        "polcy",
        "connections",
        "hold",
        "ramp_up",
        "rate",
        "format",
        "promise",
        "pacing",
    ):
        assert path in ran.stderr, ran.stderr
    assert "did you mean" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_secrets_never_reach_a_file_or_the_screen(service_url: str, tmp_path: Path) -> None:
    data = tmp_path / "users.csv"
    data.write_text("token\n" + "".join(f"rowsecret{row:04}\n" for row in range(10)))
    wanted = {
        "target": {
            "url": f"{service_url}?key=urlsecret01&user={{token}}",
            "headers": {"Authorization": "headersecret"},
        },
        "load": {"connections": 5, "ramp_up": "500ms", "hold": "1s", "ramp_down": "500ms"},
        "populations": [{"name": "users", "data": {"file": str(data)}, "headers": {"X-Token": "{token}"}}],
    }
    ran = run_squall(wanted, tmp_path / "r", "-H", "X-More: flagsecret")
    assert ran.code == 0, ran.stdout + ran.stderr
    shown = ran.stdout.encode() + ran.stderr.encode()
    for file in (each for each in ran.folder.rglob("*") if each.is_file()):
        shown += file.read_bytes()
    for secret in (b"urlsecret01", b"headersecret", b"rowsecret", b"flagsecret"):
        assert secret not in shown


def test_nothing_of_squall_is_left_after_a_run(service_url: str, tmp_path: Path) -> None:
    before = {each.pid for each in psutil.process_iter()}
    run_squall(
        scenario(service_url, load={"connections": 3, "ramp_up": "1s", "hold": "1s", "ramp_down": "1s"}),
        tmp_path,
    )
    left = [
        each
        for each in psutil.process_iter()
        if each.pid not in before
        and str(os.getpid()) in " ".join(_command(each))
        and "squall" in " ".join(_command(each))
    ]
    assert not left


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
