"""`squall plan`: what a run would do, where its settings come from, and what this machine cannot carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from squall.cli.running import loaded_scenario
from squall.cli.state import State
from squall.errors import ExitCode

__all__ = ["show_plan"]


def show_plan(state: State, file: str | None, flags: Mapping[str, Any]) -> int:
    """Print the plan; returns 113 where this machine cannot carry it, else 0.

    Raises:
        ScenarioError: what was asked cannot be understood.
        PlanError: it cannot be planned.
    """
    from squall.engine.machine import this_machine
    from squall.engine.preflight import problems, warnings
    from squall.runner.plan import make_plan
    from squall.runner.words import plan_lines, setting_lines

    loaded = loaded_scenario(state, file, {}, flags)
    machine = this_machine(loaded.scenario.target.source_addresses)
    plan = make_plan(loaded.scenario, machine)
    for line in plan_lines(plan):
        state.say(line)
    state.say("\nsettings:")
    for line in setting_lines(loaded):
        state.say(f"  {line}")
    found = problems(plan.demand, machine)
    state.say("\nthis machine:")
    for warning in warnings(plan.demand, machine):
        state.say(f"  warning: {warning}")
    for problem in found:
        state.say(f"  cannot carry it: {problem.what}\n    change: {problem.change}")
    if not found:
        state.say("  can carry it")
    return int(ExitCode.CANNOT_CARRY) if found else int(ExitCode.PASSED)
