"""`squall run`, `echo`, `connect`: from the arguments to the run, and from its result to the exit code."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from squall.cli.flags import flag_values
from squall.cli.secrecy import command_line, scrubbed
from squall.cli.state import State
from squall.scenario.loader import Loaded, Override, load_scenario

__all__ = ["loaded_scenario", "run_scenario"]


def loaded_scenario(
    state: State,
    file: str | None,
    in_short: Mapping[str, tuple[Any, str]],
    flags: Mapping[str, Any],
) -> Loaded:
    """The scenario of a call: its file, or what the command stands for; environment and flags go above.

    Raises:
        ScenarioError: with every mistake, thresholds included.
        typer.BadParameter: a flag is not written as it should be.
    """
    from squall.errors import ScenarioError
    from squall.metrics.expressions import problems

    overrides = {path: Override(value, source) for path, (value, source) in in_short.items()}
    for flag, value in flag_values(flags):
        overrides[flag.setting] = Override(value, flag.source)
    loaded = load_scenario(file if file is not None else {}, overrides=overrides, environment=state.settings)
    if found := problems(loaded.scenario.thresholds, loaded.scenario):
        raise ScenarioError("\n".join(["the thresholds cannot be judged:", *(f"  {each}" for each in found)]))
    return loaded


def run_scenario(
    state: State,
    file: str | None,
    in_short: Mapping[str, tuple[Any, str]],
    flags: Mapping[str, Any],
) -> int:
    """Carry out a run and show what came of it; returns the exit code.

    Raises:
        SquallError: it could not be carried out.
    """
    import uvloop

    loaded = loaded_scenario(state, file, in_short, flags)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(state, loaded))


async def _run(state: State, loaded: Loaded) -> int:
    from squall.live.choose import view_for
    from squall.live.picture import Title
    from squall.reports.terminal_report import terminal_report
    from squall.runner.run import run_scenario as carry_out
    from squall.runner.stopping import StopSwitch, stopped_by_signals
    from squall.scenario.redact import public_url
    from squall.store.reader import open_run

    scenario = loaded.scenario
    title = Title(scenario.name, ", ".join(public_url(url) for url in scenario.target.url))
    view = view_for(scenario.outputs.progress, state.stderr, title, is_terminal=state.is_terminal)
    switch = StopSwitch()
    with stopped_by_signals(switch):
        result = await carry_out(scenario, views=[view], switch=switch, command=command_line(state.arguments))
    report = terminal_report(open_run(result.folder), result.summary)
    _show(state, report.plain if not state.is_terminal else _coloured(report))
    state.say(f"\nRun folder: {result.folder}{os.sep}")
    if result.error is not None:
        state.tell(scrubbed(f"squall: {result.error}", state.secrets))
    return result.exit_code


def _show(state: State, text: str) -> None:
    state.say(text.rstrip("\n"))


def _coloured(report: Any) -> str:
    """The report with the terminal's colours."""
    from io import StringIO

    from rich.console import Console

    page = StringIO()
    Console(file=page, force_terminal=True, width=110, highlight=False).print(report, soft_wrap=True)
    return page.getvalue()
