"""A run by its plan: from the scenario to the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from squall.clock import Clock, RealClock
from squall.engine.machine import this_machine
from squall.engine.preflight import check
from squall.fleet.base import Fleet
from squall.fleet.local import LocalFleet
from squall.live.base import LiveView
from squall.runner.active import ActiveRun, RunResult
from squall.runner.plan import Plan, make_plan, phases_after
from squall.runner.stopping import StopSwitch
from squall.scenario.models import Scenario

__all__ = ["NOTHING_CONNECTED", "run_scenario"]

NOTHING_CONNECTED = "no connection could be established"
"""What a run is stopped by where the whole ramp up was in vain."""


async def run_scenario(
    scenario: Scenario,
    *,
    views: Sequence[LiveView] = (),
    switch: StopSwitch | None = None,
    command: str = "",
    fleet: Fleet | None = None,
    clock: Clock | None = None,
) -> RunResult:
    """Plan, check, ramp up, hold, ramp down, audit, judge and report.

    Args:
        scenario: what is run.
        views: shown what happens, while it does.
        switch: by which somebody outside may end the run.
        command: what was typed, its secrets masked; kept in the record.
        fleet: where workers run; as processes of this host by default.
        clock: where time comes from.

    Raises:
        PlanError: what is asked contradicts itself.
        PreflightError: this machine cannot carry it.
        StoreError: the run folder cannot be made.
        FleetError: the workers cannot be started.
    """
    machine = this_machine(scenario.target.source_addresses)
    plan = make_plan(scenario, machine)
    check(plan.demand, machine)
    workers = fleet or LocalFleet(plan.workers)
    async with ActiveRun(
        plan, machine, workers, clock or RealClock(), views=views, switch=switch, command=command
    ) as run:
        await _follow(plan, run)
        return await run.finish()


async def _follow(plan: Plan, run: ActiveRun) -> None:
    """Carry out the phases, one after another, until the run is over."""
    ramp_up, *rest = plan.phases
    if not await run.carry_out(ramp_up):
        return
    connections = run.totals.connections()
    if connections.attempted and not connections.established:
        run.stop(NOTHING_CONNECTED)
        return
    if run.level != ramp_up.spec.target:
        rest = list(phases_after(plan.scenario, run.level))
    for planned in rest:
        if not await run.carry_out(planned):
            return
