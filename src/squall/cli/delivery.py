"""`squall delivery`: from its size to the run, and from its result to the exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import typer

from squall.cli.loading import Settings
from squall.cli.named_tests import left_flags, names_a_target, one_value, scale_of
from squall.cli.running import Ending, carry_out
from squall.cli.state import State
from squall.reports.delivery_report import delivery_lines
from squall.runner.active import RunResult
from squall.runner.bundled import processes_for, serve
from squall.runner.delivery import delivered, delivery_settings, delivery_size, why_not
from squall.scenario.models import Scenario
from squall.units import parse_count, parse_duration_s

__all__ = ["carry_out_delivery", "carry_out_test", "read"]

T = TypeVar("T")


def carry_out_delivery(state: State, url: str | None, flags: Mapping[str, Any], *, scale: str | None) -> int:
    """Carry out a delivery test and show what came of it; returns the exit code.

    Raises:
        SquallError: it could not begin.
        typer.BadParameter: a flag's value is not written as it must be.
    """
    left = left_flags(flags, why_not, "a delivery test")
    size = delivery_size(
        scale_of(state, scale),
        connections=read(left, "connections", parse_count),
        duration=read(left, "hold", parse_duration_s, name="--duration"),
        messages_per_connection=read(left, "messages", parse_count),
    )
    return carry_out_test(
        state, url, left, delivery_settings(size), size.connections, command="delivery", ending=_ending
    )


def _ending(scenario: Scenario, run: RunResult) -> Sequence[str]:
    return delivery_lines(delivered(scenario, run))


def carry_out_test(
    state: State,
    url: str | None,
    flags: Mapping[str, Any],
    settings: Mapping[str, Any],
    connections: int,
    *,
    command: str,
    ending: Ending,
    path: str = "",
) -> int:
    """Carry out a test of one run on the target that is given, else on the bundled service; returns the exit code.

    Args:
        state: the world.
        url: of the target; None where none was given as an argument.
        flags: those that are left to the scenario.
        settings: what the test means, by path.
        connections: held at once, at most.
        command: what it is called.
        ending: what is said at the end.
        path: that of the bundled service which does what the test needs.
    """
    own = not names_a_target(state, url, flags)
    with serve(processes=processes_for(connections)) if own else nullcontext() as service:
        fixed: dict[str, tuple[Any, str]] = {
            name: (value, f"command {command}") for name, value in settings.items()
        }
        if service is not None:
            fixed |= {name: (value, "the bundled service") for name, value in service.settings(path).items()}
        if url is not None:
            fixed["target.url"] = ([url], "argument URL")
        given: Settings = fixed
        return carry_out(state, None, flags, fixed=given, instead={}, ending=ending)


def read(flags: dict[str, Any], key: str, parse: Callable[[str], T], *, name: str = "") -> T | None:
    """What a flag says that the command reads itself; None where it was not given.

    Raises:
        typer.BadParameter: its value is not written as it must be.
    """
    text = one_value(flags, key)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name or f"--{key}") from None
