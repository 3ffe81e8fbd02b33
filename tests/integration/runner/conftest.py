"""The bundled service for a module's runs, and runs of a scenario in this process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from squall.fleet.base import Fleet
from squall.live.base import LiveView
from squall.runner.active import RunResult
from squall.runner.run import run_scenario
from squall.runner.stopping import StopSwitch
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario

RUN_MAX_S = 60


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The URL of a bundled service."""
    process = subprocess.Popen(
        [sys.executable, "-m", "squall.reference", "serve", "--stdin-lifeline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.kill()
        process.communicate()


Make = Callable[..., Scenario]


@pytest.fixture
def make(service: str, tmp_path: Path) -> Make:
    """A small scenario against the service: 40 connections, 5 messages a second each, about three seconds."""

    def made(load: dict[str, Any] | None = None, **rest: Any) -> Scenario:
        given: dict[str, Any] = {
            "target": {"url": service, "close_timeout": 2},
            "load": {
                "connections": 40,
                "ramp_up": {"kind": "linear", "duration": 0.5},
                "hold": 1.5,
                "ramp_down": {"kind": "linear", "duration": 0.5},
            }
            | (load or {}),
            "traffic": {"rate": 5},
            "delivery": {"drain_timeout": 3},
            "engine": {"workers": 2},
            "outputs": {"out": str(tmp_path / "run")},
        }
        return load_scenario(given | rest).scenario

    return made


Run = Callable[..., RunResult]


@pytest.fixture
def run() -> Run:
    """Carry out a run to its end."""

    def carried_out(
        scenario: Scenario,
        *views: LiveView,
        fleet: Fleet | None = None,
        switch: StopSwitch | None = None,
    ) -> RunResult:
        doing = run_scenario(scenario, views=views, fleet=fleet, switch=switch, command="squall run x")
        return asyncio.run(asyncio.wait_for(doing, RUN_MAX_S))

    return carried_out
