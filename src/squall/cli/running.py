"""`squall run`, `echo`, `connect` and tests of one run: from a scenario to the run, and from its result to the exit code.

Progress and warnings go to standard error, the summary to standard output; with `--progress json` standard
output has the lines for machines and no summary, which is in the run folder. Once a run has begun, nothing that
goes wrong with showing it changes its exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import uvloop

from squall._native import reason_for_sources
from squall.cli.loading import Settings, loaded
from squall.cli.showing import show_report
from squall.cli.state import State
from squall.engine.machine import this_machine
from squall.engine.preflight import warnings
from squall.errors import EnvironmentFailure, StoreError
from squall.live.base import LiveView
from squall.live.choose import view_for
from squall.live.endpoints import served
from squall.live.picture import Title
from squall.runner.active import RunResult
from squall.runner.plan import make_plan
from squall.runner.reporting import HTML_FILE
from squall.runner.run import run_scenario
from squall.runner.stopping import StopSwitch, stopped_by_signals
from squall.scenario.models import Scenario
from squall.scenario.redact import public_url
from squall.store.reader import open_run
from squall.units import format_duration

__all__ = ["Ending", "carry_out"]

_SERVED = {"web": "live page", "prometheus": "metrics"}
"""What is said of it that a setting lets be served."""


Ending = Callable[[Scenario, RunResult], Sequence[str]]
"""What a command says at the end of its run."""


def carry_out(
    state: State,
    file: str | None,
    flags: Mapping[str, Any],
    *,
    fixed: Settings,
    instead: Settings,
    ending: Ending | None = None,
) -> int:
    """Carry out a run and show what came of it; returns the exit code.

    Args:
        state: the world.
        file: a scenario file; None where there is none.
        flags: as the command was given them.
        fixed: what the command itself means.
        instead: what it has instead of defaults.
        ending: what is said at the end, after the report.

    Raises:
        SquallError: it could not begin.
    """
    scenario = loaded(state, file, flags, fixed=fixed, instead=instead).scenario
    _warn(state, scenario)
    view = view_of(state, scenario)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(_run(state, scenario, view, ending))
    finally:
        view.finish()  # of a run that did not begin, nobody else does
    return result.exit_code


def view_of(state: State, scenario: Scenario) -> LiveView:
    """What is shown of a run while it goes on, to whoever looks on at the command line."""
    title = Title(scenario.name, ", ".join(map(public_url, scenario.target.url)))
    return view_for(
        scenario.outputs.progress,
        state.stderr,
        title,
        is_terminal=state.is_terminal,
        is_dumb=state.is_dumb,
        results=state.stdout,
    )


async def _run(state: State, scenario: Scenario, view: LiveView, ending: Ending | None) -> RunResult:
    """The run, with all that watches it; what is served stays a while longer, where that is asked for."""
    switch = StopSwitch()
    outputs = scenario.outputs
    async with served(scenario.name, outputs) as others:
        for setting, url in others.urls.items():
            state.tell(f"{_SERVED[setting]}: {url}")
        with stopped_by_signals(switch):
            views = [view, *others.views]
            result = await run_scenario(scenario, views=views, switch=switch, command=state.command)
            with contextlib.suppress(BrokenPipeError, EnvironmentFailure):
                _show(state, result, for_people=outputs.progress != "json")
                if ending is not None:
                    _say(state, ending(scenario, result), for_people=outputs.progress != "json")
            if others.urls and outputs.linger and not switch.times:
                left = f"for {format_duration(outputs.linger)}, or until Ctrl-C"
                state.tell(f"still served {left}: {', '.join(others.urls.values())}")
                await switch.wait(outputs.linger)
    return result


def _say(state: State, lines: Sequence[str], *, for_people: bool) -> None:
    if for_people:
        state.say("\n".join(["", *lines]))


def _warn(state: State, scenario: Scenario) -> None:
    """What may make the run suffer, before it begins."""
    machine = this_machine(scenario.target.source_addresses)
    found = warnings(make_plan(scenario, machine).demand, machine)
    if reason := reason_for_sources():
        found.append(f"the hot path runs from its Python sources, several times slower: {reason}")
    if not scenario.target.tls.verify:
        found.append("certificates are not verified")
    for warning in found:
        state.tell(f"warning: {warning}")


def _show(state: State, result: RunResult, *, for_people: bool) -> None:
    """The report, where the run is, and what went wrong beside what it measured; to machines only the last."""
    if result.error is not None:
        state.complain(result.error.message, result.error.hint)
    if not for_people:
        return
    try:
        record = open_run(result.folder)
    except StoreError as error:
        state.complain(error.message, error.hint)
    else:
        show_report(state, record, result.summary)
    state.say(f"\nrun folder: {result.folder}")
    if (page := result.folder / HTML_FILE).exists():
        state.say(f"report: {page}")
