"""The plugin as a user has it: a test suite of its own, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SUITE = """
import asyncio
import urllib.request

SHORT = {
    "load": {"connections": 5, "ramp_up": {"kind": "constant"}, "hold": 0.5, "ramp_down": {"kind": "constant"}},
    "traffic": {"rate": 10},
    "engine": {"workers": 1},
    "test_environment": "a laptop",
}


def test_a_scenario_of_the_bundled_service(squall):
    result = squall.run(SHORT)
    assert result.verdict.outcome in ("passed", "warning")  # a busy machine may make it invalid
    assert squall.scale == "smoke"
    assert squall.at_scale(smoke=1, standard=2, full=3) == 1
    run = squall.read_run()
    assert run.folder.is_relative_to(squall.out)
    assert run.record.header.scenario["test_environment"] == "a laptop"
    assert run.summary.resources["target"].run["memory_share"].peak > 0  # the bundled service is watched


def test_that_fails(squall):
    result = squall.run(SHORT, thresholds=[{"metric": "ws_sessions", "threshold": "count<1"}], load={"hold": 0.2})
    assert result.exit_code == 0


def test_that_uses_nothing():
    assert 1 == 2
"""


def pytest_of(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite with the plugin alone."""
    (folder / "test_it.py").write_text(SUITE)
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "squall.pytest_plugin"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_suite_uses_the_fixture_and_a_failure_shows_the_verdict(tmp_path: Path) -> None:
    done = pytest_of(tmp_path, "--squall-out", "kept")
    said = done.stdout + done.stderr
    assert re.search(r"2 failed, 1 passed", said), said
    (shown,) = re.findall(r"^-+ squall -+\n(.*\n)(?:.*\n)*?run folder: (.*)$", said, re.MULTILINE)
    assert shown[0].startswith("FAILED: ws_sessions count<1 does not hold (")
    assert sorted(each.name for each in (tmp_path / "kept").iterdir()) == [
        "test_a_scenario_of_the_bundled_service",
        "test_that_fails",
    ]
    assert Path(shown[1]) == tmp_path / "kept" / "test_that_fails" / "run"
    assert (Path(shown[1]) / "summary.json").exists()


def test_options_are_explained_and_a_wrong_scale_is_refused(tmp_path: Path) -> None:
    helped = pytest_of(tmp_path, "--help").stdout
    assert {"--squall-scale={smoke,standard,full}", "--squall-target=URL", "--squall-out=DIR"} <= set(
        helped.split()
    )
    refused = pytest_of(tmp_path, "--squall-scale", "huge")
    assert refused.returncode != 0
    assert "'smoke', 'standard', 'full'" in refused.stderr


def test_loading_it_loads_nothing_heavy() -> None:
    program = "import sys, pytest; before = set(sys.modules); import squall.pytest_plugin; "
    program += (
        "print(*sorted(m for m in set(sys.modules) - before if '.' not in m or m.startswith('squall')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    own = {"squall", "squall._native", "squall._built", "squall.scale", "squall.pytest_plugin"}
    assert loaded <= own | {"cython"}, loaded


def test_the_package_declares_it() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"squall": "squall.pytest_plugin"}
    assert hasattr(import_module(declared["squall"]), "pytest_addoption")


@pytest.mark.parametrize("module", ["squall.testing", "squall.pytest_plugin"])
def test_its_public_names_are_there(module: str) -> None:
    loaded = import_module(module)
    assert all(hasattr(loaded, name) for name in loaded.__all__)
