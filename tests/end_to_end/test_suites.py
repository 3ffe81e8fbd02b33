"""The suites of the specification, at their smallest, as `make suite` runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from squall.errors import SquallError
from squall.testing import read_results, read_run

ROOT = Path(__file__).parents[2]
PLUGINS = ("squall.pytest_plugin", "pytest_timeout")


def invalid_runs(out: Path) -> list[str]:
    """Of each run in which squall itself was too late to judge: why."""
    found: list[str] = []
    for log in out.rglob("record.log"):
        try:
            verdict = read_run(log.parent).record.verdict
        except SquallError:
            continue
        found += [] if verdict is None or verdict.validity.valid else verdict.validity.reasons
    return found


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_specifications_tests_pass_at_smoke(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    command += [word for plugin in PLUGINS for word in ("-p", plugin)]
    done = subprocess.run(
        [*command, "suites", "--squall-scale", "smoke", "--squall-out", str(tmp_path / "out")],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode and (reasons := invalid_runs(tmp_path / "out")):
        pytest.skip(f"this machine is too busy to judge a service: {reasons[0]}")
    assert done.returncode == 0, said
    assert "Load Test Complete - 500 Concurrent Connections Achieved" in said
    (saved,) = (tmp_path / "out").rglob("websocket-load-test-*")
    assert {path.name for path in saved.iterdir()} == {"results.json", "results.csv", "report.html"}
    report = read_results(saved).results.performance_metrics
    assert report is not None
    assert (len(report.phases), report.phases_missing) == (3, ())
    assert report.recorded
    assert report.graphs
