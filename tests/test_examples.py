"""Every file in examples/: it is planned as it stands, and run, in short, against the bundled service."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle.services import chat_service
from squall.engine.machine import this_machine
from squall.errors import ExitCode
from squall.runner.plan import make_plan
from squall.runner.run import run_scenario
from squall.scenario.loader import Override, load_scenario

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[1] / "examples").iterdir()
    if path.suffix in (".yaml", ".toml", ".py")
)

SPEAK_JSON = ("json-chat.yaml", "push-feed.yaml")
"""Those that are for a service that does not echo."""

PATHS = {"acknowledgements.yaml": "ack/echo", "rooms.yaml": "room"}
"""Where the bundled service has what an example is for; elsewhere it echoes at any path."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The URL of a bundled service; it ends with its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "squall.reference", "serve", "--stdin-lifeline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.stdin.close()


@pytest.fixture(scope="module")
def chat() -> Iterator[str]:
    """The URL of the JSON chat and feed of the tests."""
    with chat_service() as running:
        yield running.url


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_example_is_planned_as_it_stands(file: Path) -> None:
    scenario = load_scenario(file).scenario
    plan = make_plan(scenario, this_machine(scenario.target.source_addresses))
    assert plan.demand.connections == scenario.level


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_example_runs_in_short(file: Path, service: str, chat: str, tmp_path: Path) -> None:
    base = chat if file.name in SPEAK_JSON else service
    urls = [
        base + PATHS.get(file.name, "") + url.partition("?")[1] + url.partition("?")[2]
        for url in load_scenario(file).scenario.target.url
    ]
    short = {
        "target.url": urls,
        "load.connections": 20,
        "load.ramp_up": {"kind": "linear", "start": 5, "duration": 0.4},
        "load.hold": 1.2,
        "load.warm_up": 0,
        "load.ramp_down": {"kind": "linear", "duration": 0.2},
        "engine.workers": 1,
        "outputs.out": str(tmp_path / "run"),
    }
    scenario = load_scenario(
        file, overrides={path: Override(value, "the test") for path, value in short.items()}
    ).scenario
    result = asyncio.run(asyncio.wait_for(run_scenario(scenario), 60))
    # A busy machine may make it invalid or slow; what it sent must have come back all the same.
    assert result.exit_code in (ExitCode.PASSED, ExitCode.INVALID, ExitCode.FAILED)
    assert [
        each.name
        for each in result.verdict.judgements
        if each.source == "integrity" and each.truth != "passed"
    ] == []
    assert result.summary.connections.peak == 20
    delivery = result.summary.delivery
    assert delivery.delivered == delivery.sent
    assert delivery.sent or result.summary.push.received
