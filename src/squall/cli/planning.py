"""`squall plan`: what a run would do, where each setting comes from, and what this machine cannot carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from squall.cli.loading import loaded
from squall.cli.state import State
from squall.engine.machine import this_machine
from squall.engine.preflight import check, warnings
from squall.runner.plan import make_plan
from squall.runner.words import plan_lines, setting_lines

__all__ = ["show_plan"]


def show_plan(state: State, file: str | None, flags: Mapping[str, Any]) -> None:
    """Say it all.

    Raises:
        ScenarioError: with every mistake there is.
        PlanError: what is asked contradicts itself.
        PreflightError: this machine cannot carry it; the plan is shown all the same.
    """
    found = loaded(state, file, flags, fixed={}, instead={})
    machine = this_machine(found.scenario.target.source_addresses)
    plan = make_plan(found.scenario, machine)
    for line in plan_lines(plan):
        state.say(line)
    state.say("\nsettings:")
    for line in setting_lines(found):
        state.say(f"  {line}")
    state.say()
    for warning in warnings(plan.demand, machine):
        state.say(f"warning: {warning}")
    check(plan.demand, machine)
    state.say("this machine can carry it")
