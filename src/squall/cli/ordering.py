"""`squall ordering`: from its patterns to the series of runs, and from its result to the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import uvloop

from squall.cli.delivery import read
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
from squall.metrics.ordering_test import (
    OrderingResult,
    OrderingSeriesResult,
    OrderingTest,
    checked_tests,
    settle_at,
    test_at,
)
from squall.reports.ordering_report import ordering_lines
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.ordering import run_ordering, usual_tests, why_not
from squall.runner.series import checked_settle_s
from squall.runner.stopping import StopSwitch, stopped_by_signals
from squall.units import parse_count

__all__ = ["carry_out_ordering"]


def carry_out_ordering(
    state: State,
    url: str | None,
    flags: Mapping[str, Any],
    *,
    scale: str | None,
    patterns: Sequence[str],
    settle: str | None,
) -> int:
    """Carry out an ordering test and show what came of it; returns the exit code.

    Raises:
        SquallError: it could not begin.
        typer.BadParameter: a flag's value is not written as it must be.
    """
    size = scale_of(state, scale)
    left = left_flags(flags, why_not, "an ordering test")
    given = {
        "connections": read(left, "connections", parse_count),
        "messages_per_connection": read(left, "messages", parse_count),
    }
    changed = {name: value for name, value in given.items() if value is not None}
    own = not names_a_target(state, url, left)
    tests = [test_at(size, each) for each in patterns] if patterns else usual_tests(size, bundled=own)
    asked = checked_tests(msgspec.structs.replace(each, **changed) for each in tests)
    settle_s = settle_at(size) if settle is None else checked_settle_s(settle)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_carried_out(state, url, left, asked, settle_s))
    state.say("\n".join(ordering_lines(result)))
    return result.exit_code


async def _carried_out(
    state: State, url: str | None, flags: dict[str, Any], tests: Sequence[OrderingTest], settle_s: float
) -> OrderingSeriesResult:
    """On the target that is given, else on the bundled service."""
    own = not names_a_target(state, url, flags)
    out, switch = folder_of_series(state, flags), StopSwitch()

    def finished(result: OrderingResult, run: RunResult) -> None:
        tell_of_run(state, run, f"{result.scenario}: {result.outcome}")

    async with service_for(max(each.connections for each in tests) if own else None) as of_service:
        base = base_of(state, url, flags, of_service)
        state.tell(f"{len(tests)} patterns, one after another")
        with stopped_by_signals(switch):
            result = await run_ordering(
                base,
                tests,
                bundled=own,
                settle_s=settle_s,
                out=out,
                switch=switch,
                views=views_of(state),
                finished=finished,
                command=state.command,
            )
    state.tell(f"folder of the series: {result.folder}")
    return result
