"""The suites of the specification, at their smallest, as `make suite` runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from squall.errors import ExitCode
from squall.testing import read_results, read_run

ROOT = Path(__file__).parents[2]
PLUGINS = ("squall.pytest_plugin", "pytest_timeout")


def undecided(out: Path) -> list[str]:
    """Why nothing was decided, where squall itself was too late to judge, or its figures too few for a growth."""
    found: list[str] = []
    for log in out.rglob("record.log"):
        verdict = read_run(log.parent).record.verdict
        found += [] if verdict is None or verdict.validity.valid else verdict.validity.reasons
    for series in out.rglob("scaling.json"):
        result = json.loads(series.read_bytes())
        found += [result["verdict"]] if result["exit_code"] == ExitCode.UNKNOWN else []
    return found


def carried_out(name: str, out: Path) -> str:
    """What a test of the suite says; it has passed. One that is not decided on a machine this busy is skipped."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    command += [word for plugin in PLUGINS for word in ("-p", plugin)]
    done = subprocess.run(
        [*command, "suites", "-k", name, "--squall-scale", "smoke", "--squall-out", str(out)],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode and (reasons := undecided(out)):
        pytest.skip(f"this machine is too busy to judge a service: {reasons[0]}")
    assert done.returncode == 0, said
    return said


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_connections_are_established_and_maintained_at_smoke(tmp_path: Path) -> None:
    said = carried_out("establish_and_maintain", tmp_path / "out")
    assert "Load Test Complete - 500 Concurrent Connections Achieved" in said
    (saved,) = (tmp_path / "out").rglob("websocket-load-test-*")
    assert {path.name for path in saved.iterdir()} == {"results.json", "results.csv", "report.html"}
    report = read_results(saved).results.performance_metrics
    assert report is not None
    assert (len(report.phases), report.phases_missing) == (3, ())
    assert report.recorded
    assert report.graphs


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_delivery_is_guaranteed_at_smoke(tmp_path: Path) -> None:
    said = carried_out("guarantee_message_delivery", tmp_path / "out")
    assert "Message Delivery Guarantee Test Results" in said
    assert "messages processed: 50,000 of 50,000 offered" in said
    assert said.count("delivery rate (guaranteed") == 4
    assert len(list((tmp_path / "out").rglob("delivery.json"))) == 1


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_load_is_scaled_progressively_at_smoke(tmp_path: Path) -> None:
    said = carried_out("progressive_load_scaling", tmp_path / "out")
    assert "Progressive Scaling Test Results" in said
    assert [len(list((tmp_path / "out").rglob(name))) for name in ("scaling.json", "record.log")] == [1, 5]
