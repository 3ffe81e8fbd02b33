"""`make demo`, made small by the environment: what it ends with, and that its service is always stopped."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from end_to_end.cli.calling import TIMEOUT_S, environment

DEMO = Path(__file__).parents[3] / "scripts" / "demo"
SMALL = {
    "SQUALL_LOAD__CONNECTIONS": "100",
    "SQUALL_LOAD__HOLD": "2s",
    "SQUALL_LOAD__RAMP_UP__DURATION": "1s",
    "SQUALL_LOAD__RAMP_DOWN__DURATION": "500ms",
}


def demo(out: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(DEMO), str(Path(sys.executable).parent)],
        env=environment(**SMALL, **variables, SQUALL_OUTPUTS__OUT=str(out)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def services() -> set[int]:
    """The bundled services that run, whoever started them."""
    return {
        each.pid
        for each in psutil.process_iter(["cmdline"])
        if "squall.reference" in (each.info["cmdline"] or ()) and each.status() != psutil.STATUS_ZOMBIE
    }


def started_by(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_it_prints_a_summary_and_the_run_folder(tmp_path: Path) -> None:
    process = demo(tmp_path / "run")
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, out + err
    assert f"run folder: {tmp_path / 'run'}" in out
    assert f"report: {tmp_path / 'run' / 'report.html'}" in out
    assert "</html>" in (tmp_path / "run" / "report.html").read_text()
    assert "Load Test Complete - 100 Concurrent Connections Achieved" in out
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert summary["connections"]["established"] == 100
    assert 0 < summary["resources"]["target"]["run"]["memory_share"]["peak"] < 1
    assert "readiness" in {each["source"] for each in summary["verdict"]["judgements"]}
    if summary["verdict"]["exit_code"]:
        assert "warning: squall ended with" in err


def test_without_compiled_modules_it_sends_a_fifth_and_says_so(tmp_path: Path) -> None:
    process = demo(tmp_path / "run", SQUALL_PURE="1")
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, out + err
    assert "squall runs from its Python sources" in out
    assert "a message every 5 s instead of 1 s" in out
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert summary["connections"]["established"] == 100
    held_s = summary["duration_s"]
    assert 0 < summary["delivery"]["intended"] <= 100 * (held_s / 5 + 1)
    assert summary["delivery"]["delivered"] == summary["delivery"]["intended"]


def test_a_failed_bound_is_its_exit_code(tmp_path: Path) -> None:
    bound = json.dumps([{"metric": "ws_sessions", "threshold": "count>1000000"}])
    process = demo(tmp_path / "run", SQUALL_THRESHOLDS=bound)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 99, out + err


def test_interrupted_it_stops_the_service_after_the_run(tmp_path: Path) -> None:
    process = demo(tmp_path / "run")
    assert process.stderr is not None
    for line in process.stderr:
        if " hold begins" in line:
            break
    family = started_by(process)
    assert services() & {each.pid for each in family}
    os.killpg(process.pid, signal.SIGINT)  # as the terminal's Ctrl-C does
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 105, out + err
    assert psutil.wait_procs(family, timeout=TIMEOUT_S)[1] == []
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert (summary["delivery"]["lost"], summary["connections"]["dropped"]) == (0, 0)


def test_too_few_open_files_are_said_and_113(tmp_path: Path) -> None:
    few = min(600, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {few} && exec "$0" "$1"', str(DEMO), str(Path(sys.executable).parent)],
        env=environment(SQUALL_OUTPUTS__OUT=str(tmp_path / "run")),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 113, done.stdout + done.stderr
    assert "ulimit" in done.stderr


def test_without_the_programs_it_fails(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    done = subprocess.run([str(DEMO), missing], capture_output=True, check=False, timeout=TIMEOUT_S)
    assert done.returncode not in (0, 110, 112)
