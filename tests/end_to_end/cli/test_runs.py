"""Small runs from the command line: what is said, what is kept, and the exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from end_to_end.cli.calling import SHORT, Done, Squall

QUIET = (0, 110)
"""A machine that is busy with other tests may make a run invalid, which says nothing about the command line."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def echoed(squall: Squall, service_url: str, folder: Path) -> Done:
    """50 connections and their echoes, with secrets in every place."""
    secret_url = service_url.replace("ws://", "ws://joe:usersecret@") + "?token=querysecret"
    return squall(
        "echo",
        secret_url,
        "-c",
        "50",
        "--rate",
        "5/s",
        *SHORT,
        "-H",
        "Authorization: Bearer headersecret",
        "--header=X-Key: othersecret",
        "--name",
        "checked",
        cwd=folder,
        variables={"SQUALL_TARGET__HEADERS__X_THIRD": "thirdsecret"},
    )


def test_an_echo_run_passes_and_says_so(echoed: Done) -> None:
    assert echoed.returncode in QUIET, echoed.stdout + echoed.stderr
    assert echoed.stdout.startswith(("PASSED", "WARNING"))
    assert "established 50 = closed 50 + dropped 0 + open 0" in echoed.stdout
    assert "lost 0" in echoed.stdout
    assert "run folder: " in echoed.stdout


def test_progress_is_plain_lines_on_standard_error(echoed: Done) -> None:
    lines = echoed.stderr.splitlines()
    assert any(line.startswith("0:00:00 ramp_up begins") for line in lines)
    assert any(" hold      held 50/50 " in line for line in lines)
    assert any(" ramp_down begins" in line for line in lines)
    assert "\x1b" not in echoed.stderr + echoed.stdout


def test_the_run_folder_is_whole(echoed: Done, folder: Path) -> None:
    (run,) = (folder / "runs").glob("*-checked-*")
    assert str(run.name) in echoed.stdout
    names = {each.name for each in run.iterdir()}
    assert {"run.json", "record.log", "summary.json", "summary.md", "timeseries.csv", "types.csv"} <= names
    summary = json.loads((run / "summary.json").read_bytes())
    assert summary["connections"]["established"] == 50
    assert summary["verdict"]["exit_code"] == echoed.returncode


def test_no_secret_is_in_any_output_or_file(echoed: Done, folder: Path) -> None:
    everything = (echoed.stdout + echoed.stderr).encode()
    for path in folder.rglob("*"):
        if path.is_file():
            everything += path.read_bytes()
    assert b"token=***" in everything
    for secret in (b"usersecret", b"querysecret", b"headersecret", b"othersecret", b"thirdsecret"):
        assert secret not in everything


def test_the_run_is_listed_and_shown_again(echoed: Done, squall: Squall, folder: Path) -> None:
    listed = squall("runs", cwd=folder)
    assert listed.returncode == 0
    assert "checked" in listed.stdout
    assert len(listed.stdout.splitlines()) == 2
    for text in ("last", "checked", str(next((folder / "runs").glob("*-checked-*")))):
        shown = squall("show", text, cwd=folder)
        assert shown.returncode == 0
        assert shown.stdout.splitlines()[:20] == echoed.stdout.splitlines()[:20]
    as_json = squall("show", "--json", cwd=folder)
    (written,) = (folder / "runs").glob("*-checked-*/summary.json")
    assert json.loads(as_json.stdout) == json.loads(written.read_bytes())


def test_a_summary_that_was_deleted_is_computed_again(echoed: Done, squall: Squall, folder: Path) -> None:
    (written,) = (folder / "runs").glob("*-checked-*/summary.json")
    before = written.read_bytes()
    written.unlink()
    try:
        assert json.loads(squall("show", "--json", cwd=folder).stdout) == json.loads(before)
    finally:
        written.write_bytes(before)


def test_a_connect_run_holds_and_pings(squall: Squall, service_url: str, tmp_path: Path) -> None:
    done = squall(
        "connect", service_url, "-c", "50", *SHORT, "--ping-interval", "500ms", "--out", "here", cwd=tmp_path
    )
    assert done.returncode in QUIET, done.stdout + done.stderr
    summary = json.loads((tmp_path / "here" / "summary.json").read_bytes())
    assert summary["delivery"]["sent"] == 0
    assert summary["connections"]["established"] == 50
    assert summary["ping"]["count"] > 0
    again = squall("connect", service_url, *SHORT, "--out", "here", cwd=tmp_path)
    assert again.returncode == 111
    assert "holds a run" in again.stderr


def test_a_scenario_and_flags_over_it(squall: Squall, service_url: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        f"target: {service_url}\n"
        "load: {connections: 3, ramp_up: 500ms, hold: 1h, ramp_down: 500ms}\n"
        "outputs: {out: there}\n"
    )
    done = squall(
        "run", "s.yaml", "-d", "1s", "--no-csv", "--no-markdown", "--progress", "none", cwd=tmp_path
    )
    assert done.returncode in QUIET, done.stdout + done.stderr
    assert "begins" not in done.stderr
    names = {each.name for each in (tmp_path / "there").iterdir()}
    assert "summary.json" in names
    assert not {"summary.md", "timeseries.csv", "types.csv"} & names


def test_a_bound_that_cannot_hold_is_99(squall: Squall, service_url: str, tmp_path: Path) -> None:
    done = squall(
        "echo", service_url, "-c", "5", *SHORT, "--threshold", "ws_sessions: count>1000000", cwd=tmp_path
    )
    assert done.returncode == 99, done.stdout + done.stderr
    assert done.stdout.startswith("FAILED")
    assert "ws_sessions" in done.stdout


def test_a_target_that_refuses_is_a_result_not_an_error(squall: Squall, tmp_path: Path) -> None:
    done = squall("echo", "ws://127.0.0.1:1/", "-c", "2", *SHORT, cwd=tmp_path)
    assert done.returncode == 99
    assert "connect refused (target)" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_plan_that_is_too_large_is_113_and_leaves_nothing(
    squall: Squall, service_url: str, tmp_path: Path
) -> None:
    done = squall("run", "-t", service_url, "-c", "1M", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 113
    assert "cannot carry" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ten_mistakes_are_said_at_once(squall: Squall, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "nmae: x\ntarget: {url: http://a/, polcy: first}\n"
        "load: {connections: many, hold: -1s, ramp_up: {kind: cubic}}\n"
        "traffic: {rate: fast, format: morse}\ndelivery: {promise: always}\nengine: {pacing_windw: 1ms}\n"
    )
    done = squall("run", "s.yaml", cwd=tmp_path)
    assert done.returncode == 104
    assert "10 mistakes" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_python_file_that_raises_is_107(squall: Squall, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("raise ValueError('theirs')\n")
    done = squall("run", "s.py", cwd=tmp_path)
    assert done.returncode == 107
    assert "s.py:1: ValueError: theirs" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("doctor",), ("schema",), ("schema", "summary"), ("--help",)])
def test_what_needs_no_target(squall: Squall, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = squall(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
    assert list(tmp_path.iterdir()) == []


def test_runs_where_there_are_none(squall: Squall, tmp_path: Path) -> None:
    assert squall("runs", cwd=tmp_path).stdout == "no runs under runs\n"
    shown = squall("show", cwd=tmp_path)
    assert shown.returncode == 111
    assert "squall: no run" in shown.stderr


def test_a_run_folder_that_cannot_be_read_is_listed_as_such(squall: Squall, tmp_path: Path) -> None:
    broken = tmp_path / "runs" / "broken"
    broken.mkdir(parents=True)
    (broken / "record.log").write_bytes(b"nothing of ours")
    listed = squall("runs", cwd=tmp_path)
    assert listed.returncode == 0
    assert "unreadable" in listed.stdout


def test_the_console_script_is_the_same_door(tmp_path: Path) -> None:
    import sys

    script = Path(sys.executable).with_name("squall")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("squall ")
