"""The plan refuses faults that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from squall.engine.machine import Machine, this_machine
from squall.errors import ExitCode, PlanError
from squall.runner.plan import make_plan
from squall.scenario.loader import load_scenario


@pytest.fixture(scope="module")
def machine() -> Machine:
    return this_machine(())


def refused(machine: Machine, fault: dict[str, Any], **rest: Any) -> str:
    given = {"target": "ws://127.0.0.1:1/", "load": {"connections": 10, "hold": "20s"}, "faults": [fault]}
    with pytest.raises(PlanError) as caught:
        make_plan(load_scenario(given | rest).scenario, machine)
    assert caught.value.exit_code == ExitCode.SCENARIO
    return caught.value.message


def test_a_window_outside_the_run_is_refused(machine: Machine) -> None:
    assert "faults[0].at: drop would begin 25 s after the start of the hold of 20 s" in refused(
        machine, {"kind": "drop", "at": 25}
    )


def test_what_nobody_acknowledges_nobody_can_stop_acknowledging(machine: Machine) -> None:
    words = refused(machine, {"kind": "stop_acknowledging", "pause": 1})
    assert "no exchange of the scenario acknowledges anything" in words


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"url": "ws://127.0.0.1:1/", "source_addresses": ["127.0.0.2"]}, "target.source_addresses"),
        ({"url": "wss://127.0.0.1:1/", "tls": {"server_name": "other"}}, "target.tls.server_name"),
    ],
)
def test_what_a_proxy_cannot_pass_on_is_refused(machine: Machine, target: dict[str, Any], words: str) -> None:
    assert words in refused(machine, {"kind": "drop"}, target=target)
    given = {"target": target, "load": {"hold": "20s"}, "faults": [{"kind": "cut"}]}
    assert make_plan(load_scenario(given).scenario, machine).scenario.faults
