"""Runs one after another, each of its own: what the scaling test and the ordering test are made of.

Each run has new workers and new connections, and leaves the service alone for a while before the next. One that fails
does not end the series, as the next ones tell where it goes; what ends a run by force (Ctrl-C, a bug, a disk that is
full) does, and the runs after it are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from squall.errors import ExitCode, PlanError
from squall.fleet.base import Fleet
from squall.live.base import LiveView
from squall.runner.active import RunResult
from squall.runner.run import run_scenario
from squall.runner.stopping import StopSwitch
from squall.scenario.models import Scenario
from squall.store.folder import write_whole
from squall.units import parse_duration_s

__all__ = ["Series", "checked_settle_s", "no_views", "write_series"]

T = TypeVar("T")

_ENDS: Final = frozenset((ExitCode.BUG, ExitCode.INTERRUPTED, ExitCode.ENVIRONMENT, ExitCode.CANNOT_CARRY))
"""What a run may have met that ends the series."""


def no_views(_scenario: Scenario) -> Sequence[LiveView]:
    """Nobody looks on."""
    return ()


def write_series(file: Path, result: msgspec.Struct, markdown: str) -> None:
    """A finished series as JSON, and beside it as Markdown.

    Raises:
        StoreError: a file cannot be written.
    """
    write_whole(file, msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    write_whole(file.with_suffix(".md"), markdown.encode())


@dataclass(frozen=True, kw_only=True)
class Series:
    """How the runs of a series are carried out.

    `settle_s` is how long the service is left alone between two, `views` who is shown a run, `fleet` what makes where
    its workers run (processes of this host by default), `command` what was typed, its secrets masked.
    """

    settle_s: float
    switch: StopSwitch = field(default_factory=StopSwitch)
    views: Callable[[Scenario], Sequence[LiveView]] = no_views
    fleet: Callable[[], Fleet] | None = None
    command: str = ""

    async def carry_out(self, runs: Iterable[tuple[T, Scenario]]) -> AsyncIterator[tuple[T, RunResult]]:
        """Each run that was carried out, as soon as it is over, with what it is for.

        Raises:
            StoreError: a folder cannot be made or written.
            FleetError: the workers cannot be started.
        """
        for number, (asked, scenario) in enumerate(runs):
            if number:
                await self.switch.wait(self.settle_s)
            if self.switch.times:
                return
            run = await run_scenario(
                scenario,
                views=self.views(scenario),
                switch=self.switch,
                command=self.command,
                fleet=None if self.fleet is None else self.fleet(),
            )
            yield asked, run
            if run.exit_code in _ENDS:
                return


def checked_settle_s(given: float | str) -> float:
    """How long to leave the service alone between two runs, in seconds.

    Raises:
        PlanError: it is no duration.
    """
    try:
        return parse_duration_s(given)
    except ValueError as error:
        raise PlanError(f"settle: {error}") from None
