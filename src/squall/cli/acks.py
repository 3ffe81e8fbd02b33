"""`squall acks`: from its size and its faults to the series of runs, and from its result to the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import typer
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
from squall.metrics.ack_test import (
    PARTS,
    AcknowledgmentResult,
    AckSize,
    FaultInjection,
    MessageConfiguration,
    PartResult,
    ack_size,
)
from squall.reports.ack_report import ack_lines
from squall.runner.acks import run_acks, why_not
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.stopping import StopSwitch, stopped_by_signals
from squall.units import parse_count, parse_duration_s

__all__ = ["carry_out_acks"]


def carry_out_acks(
    state: State,
    url: str | None,
    flags: Mapping[str, Any],
    *,
    scale: str | None,
    messages: Mapping[str, Any],
    faults: Mapping[str, Any],
) -> int:
    """Carry out an acknowledgement test and show what came of it; returns the exit code.

    Args:
        state: the world.
        url: of the target; None where none was given as an argument.
        flags: those of a run.
        scale: how large the test is to be, where that is said.
        messages: fields of `MessageConfiguration`; None: not said.
        faults: fields of `FaultInjection`; None: not said.

    Raises:
        SquallError: it could not begin.
        typer.BadParameter: a flag's value is not written as it must be.
    """
    left = left_flags(flags, why_not, "an acknowledgement test")
    size = ack_size(
        scale_of(state, scale),
        connections=read(left, "connections", parse_count),
        duration=read(left, "hold", parse_duration_s, name="--duration"),
    )
    configuration = _with(MessageConfiguration(), messages)
    injection = _with(FaultInjection(), faults)
    said = [name for name, value in messages.items() if value is not None]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_carried_out(state, url, left, size, configuration, injection, said))
    state.say("\n".join(ack_lines(result)))
    return result.exit_code


def _with(usual: Any, given: Mapping[str, Any]) -> Any:
    """A group of settings with those that were given."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(msgspec.structs.asdict(usual) | chosen, type(usual))
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None


async def _carried_out(
    state: State,
    url: str | None,
    flags: dict[str, Any],
    size: AckSize,
    messages: MessageConfiguration,
    faults: FaultInjection,
    said: Sequence[str],
) -> AcknowledgmentResult:
    """On the target that is given, else on the bundled service."""
    own = not names_a_target(state, url, flags)
    out, switch = folder_of_series(state, flags), StopSwitch()

    def finished(result: PartResult, run: RunResult) -> None:
        tell_of_run(state, run, f"{result.part}: {result.outcome}")

    if size.quicker != 1:
        state.tell(f"time-outs, pauses, delays and silences: 1/{size.quicker:g} of those at full scale")
    async with service_for(size.connections if own else None) as of_service:
        base = base_of(state, url, flags, of_service)
        with stopped_by_signals(switch):
            result = await run_acks(
                base,
                size,
                messages=messages,
                faults=faults,
                parts=PARTS if own else PARTS[:1],
                out=out,
                switch=switch,
                views=views_of(state),
                finished=finished,
                command=state.command,
                said=said,
            )
    state.tell(f"folder of the series: {result.folder}")
    return result
