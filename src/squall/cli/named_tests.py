"""What `squall scaling`, `delivery`, `ordering` and `acks` have in common: their scale, their target, their flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import typer

from squall.cli.flags import FLAGS
from squall.cli.loading import Settings, loaded
from squall.cli.running import view_of
from squall.cli.state import State
from squall.live.base import LiveView
from squall.reports.figures import duration
from squall.runner.active import RunResult
from squall.scale import SCALES, Scale
from squall.scenario.models import Scenario

__all__ = [
    "SCALE",
    "base_of",
    "folder_of_series",
    "left_flags",
    "names_a_target",
    "one_value",
    "scale_of",
    "tell_of_run",
    "views_of",
]

SCALE: Final = "SQUALL_SCALE"
"""The variable that says how large a test is, where no flag does."""


def scale_of(state: State, given: str | None) -> Scale:
    """How large the test is to be; full where nothing says.

    Raises:
        typer.BadParameter: there is no such scale.
    """
    text = given or state.environment.get(SCALE) or "full"
    for each in SCALES:
        if each == text:
            return each
    raise typer.BadParameter(f"{text!r} is none of {', '.join(SCALES)}", param_hint="--scale")


def names_a_target(state: State, url: str | None, flags: Mapping[str, Any]) -> bool:
    """Whether anything says where the service under test is; else it is the bundled one."""
    return bool(url or flags.get("target")) or any(
        name.startswith("SQUALL_TARGET") for name in state.settings
    )


def left_flags(flags: Mapping[str, Any], why_not: Callable[[str], str | None], test: str) -> dict[str, Any]:
    """The flags, if none of them is for what the test decides by itself.

    Args:
        flags: as they were given.
        why_not: why a setting cannot be given; None where it can.
        test: what the test is called, as in "a scaling test".

    Raises:
        typer.BadParameter: one cannot be given.
    """
    for flag in FLAGS:
        why = why_not(flag.setting)
        if why is not None and flags.get(flag.key) not in (None, []):
            raise typer.BadParameter(f"{test} takes none: {why}", param_hint=flag.name)
    return dict(flags)


def one_value(flags: dict[str, Any], key: str) -> str | None:
    """The value of a flag that a command reads itself, which is taken out; None where it was not given.

    Raises:
        typer.BadParameter: it was given several times.
    """
    given = flags.pop(key, None) or []
    if len(given) > 1:
        name = f"--{key.replace('_', '-')}"
        raise typer.BadParameter(f"is given {len(given)} times, and takes one value", param_hint=name)
    return given[0] if given else None


def folder_of_series(state: State, flags: dict[str, Any]) -> str | None:
    """The folder of a series, from the flag for that of a run, which is taken out."""
    given = one_value(flags, "out")
    return None if given is None else str(state.cwd / given)


def base_of(
    state: State, url: str | None, flags: Mapping[str, Any], of_service: Mapping[str, Any]
) -> Scenario:
    """The scenario that the runs of a series vary, aimed at the target that is given.

    Args:
        state: the world.
        url: of the target; None where none was given as an argument.
        flags: those of a run.
        of_service: the settings that aim at the bundled service, where that is the target.

    Raises:
        SquallError: it makes no scenario.
    """
    fixed: Settings = {path: (value, "the bundled service") for path, value in of_service.items()}
    if url is not None:
        fixed = {"target.url": ([url], "argument URL")}
    return loaded(state, None, flags, fixed=fixed, instead={}).scenario


def views_of(state: State, called: str | None = None) -> Callable[[Scenario], list[LiveView]]:
    """Who is shown each run of a series, which is announced; `called`: by this rather than by its scenario's name."""

    def views(scenario: Scenario) -> list[LiveView]:
        load = scenario.load
        state.tell(f"{called or scenario.name}: {load.connections:,} connections for {duration(load.hold)}")
        return [view_of(state, scenario)]

    return views


def tell_of_run(state: State, run: RunResult, words: str) -> None:
    """Say what came of one run of a series, its error first."""
    if run.error is not None:
        state.complain(run.error.message, run.error.hint)
    state.tell(words)
