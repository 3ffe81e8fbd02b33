"""`squall scaling`: from its levels to the series of runs, and from its result to the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
import uvloop

from squall.cli.named_tests import (
    base_of,
    folder_of_series,
    left_flags,
    names_a_target,
    scale_of,
    tell_of_run,
    views_of,
)
from squall.cli.state import State
from squall.metrics.scaling import (
    LevelResult,
    ScalingLevel,
    ScalingResult,
    checked_levels,
    levels_at,
    settle_at,
)
from squall.reports.figures import duration
from squall.reports.scaling_report import scaling_lines
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.scaling import most_of, run_scaling, why_not
from squall.runner.series import checked_settle_s
from squall.runner.series_report import SCALING_HTML_FILE
from squall.runner.stopping import StopSwitch, stopped_by_signals
from squall.units import parse_count, parse_duration_s

__all__ = ["carry_out_scaling"]


def carry_out_scaling(
    state: State,
    url: str | None,
    flags: Mapping[str, Any],
    *,
    scale: str | None,
    levels: Sequence[str],
    settle: str | None,
    growth_floor: str,
) -> int:
    """Carry out a scaling test and show what came of it; returns the exit code.

    Raises:
        SquallError: it could not begin.
        typer.BadParameter: a flag's value is not written as it must be.
    """
    size = scale_of(state, scale)
    asked = checked_levels(map(_level, levels) if levels else levels_at(size))
    settle_s = settle_at(size) if settle is None else checked_settle_s(settle)
    test = _Test(state, flags, asked, settle_s, _milliseconds(growth_floor, "--growth-floor"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(test.carry_out(url))
    state.say("\n".join(scaling_lines(result)))
    state.say(f"\nfolder of the series: {result.folder}")
    if (page := Path(result.folder) / SCALING_HTML_FILE).exists():
        state.say(f"report: {page}")
    return result.exit_code


class _Test:
    """What the command line has of a scaling test."""

    def __init__(
        self,
        state: State,
        flags: Mapping[str, Any],
        levels: tuple[ScalingLevel, ...],
        settle_s: float,
        growth_floor_ms: float,
    ) -> None:
        self._state = state
        self._flags = left_flags(flags, why_not, "a scaling test")
        self._out = folder_of_series(state, self._flags)
        self._levels = levels
        self._settle_s = settle_s
        self._growth_floor_ms = growth_floor_ms

    async def carry_out(self, url: str | None) -> ScalingResult:
        """On the target that is given, else on the bundled service."""
        state = self._state
        own = not names_a_target(state, url, self._flags)
        switch = StopSwitch()
        async with service_for(most_of(self._levels) if own else None) as of_service:
            base = base_of(state, url, self._flags, of_service)
            hold_s = sum(level.duration_s for level in self._levels)
            state.tell(f"{len(self._levels)} levels, {duration(hold_s)} of holding them, one after another")
            with stopped_by_signals(switch):
                return await run_scaling(
                    base,
                    self._levels,
                    settle_s=self._settle_s,
                    growth_floor_ms=self._growth_floor_ms,
                    out=self._out,
                    switch=switch,
                    views=views_of(state, called="level"),
                    finished=self._finished,
                    command=state.command,
                )

    def _finished(self, level: LevelResult, run: RunResult) -> None:
        words = f"level: {level.connection_level:,} connections {level.outcome}"
        tell_of_run(self._state, run, words)


def _level(text: str) -> ScalingLevel:
    """A level from CONNECTIONS:DURATION:LATENCY."""
    parts = text.split(":")
    if len(parts) != 3:
        raise typer.BadParameter(
            f"{text!r}: a level is written CONNECTIONS:DURATION:LATENCY, as in 1000:5m:50ms",
            param_hint="--level",
        )
    try:
        connections, held_s = parse_count(parts[0]), parse_duration_s(parts[1])
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--level") from None
    return ScalingLevel(
        connections=connections, duration=held_s, expected_latency=_milliseconds(parts[2], "--level")
    )


def _milliseconds(text: str, flag: str) -> float:
    """A latency: a number of milliseconds, or text like "50ms"."""
    try:
        return float(text) if text.replace(".", "", 1).isdigit() else parse_duration_s(text) * 1000
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint=flag) from None
