"""The faults of a run at their times: each on in its window, and off again whatever ends the run.

The rule: whatever was switched on is switched off in `finally`; a fault that cannot be switched ends the run. Faults of
squall's own sessions are theirs to carry out; here they only have their windows.

Times are nanoseconds of the run, by whoever is asked to wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from squall.errors import SquallError
from squall.faults.base import FaultSite
from squall.metrics.recovery import FAULT, FAULT_HEALED
from squall.record.snapshots import Event
from squall.scenario.run_faults import ClientFault, RunFault, is_whole_run, window_s
from squall.units import format_duration

__all__ = ["FaultSchedule"]

_NS = 1_000_000_000


class FaultSchedule:
    """See the module. An async context manager: on leaving it, nothing is on.

    Args:
        faults: those of the scenario.
        site: where those of the network are switched; None where there are none.
        now_ns: the time of the run.
        wait_until: waits for a time of the run; false where the run was stopped before.
        happened: told as a fault begins, and as it is over.
        failed: told of an error, which ends the run.
    """

    def __init__(
        self,
        faults: Sequence[RunFault],
        site: FaultSite | None,
        *,
        now_ns: Callable[[], int],
        wait_until: Callable[[int], Awaitable[bool]],
        happened: Callable[[Event], None],
        failed: Callable[[SquallError], None],
    ) -> None:
        self._faults = list(faults)
        self._site = site
        self._now_ns = now_ns
        self._wait_until = wait_until
        self._happened = happened
        self._failed = failed
        self._on: dict[str, RunFault] = {}
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.heal()
        finally:
            await self._group.__aexit__(None, None, None)

    async def begin(self) -> None:
        """Switch on what is on for the whole run; before its first connection.

        Raises:
            EnvironmentFailure: one cannot be.
        """
        for fault in self._faults:
            if is_whole_run(fault):
                await self._switch_on(fault, None)

    def hold(self, from_ns: int, hold_ns: int) -> None:
        """The hold begins at this time of the run and takes so long: each window has its time now."""
        for fault in self._faults:
            if not is_whole_run(fault):
                from_s, until_s = window_s(fault, hold_ns / _NS)
                ends = fault.lasts is not None or isinstance(fault, ClientFault)
                until_ns = from_ns + round(until_s * _NS) if ends else None
                window = self._window(fault, from_ns + round(from_s * _NS), until_ns)
                self._tasks.append(self._group.create_task(window))

    async def heal(self) -> None:
        """Switch off all that is on, and nothing on any more. May be repeated."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for fault in list(self._on.values()):
            await self._switch_off(fault)

    async def _window(self, fault: RunFault, from_ns: int, until_ns: int | None) -> None:
        """One fault in its window; without an end it goes on until the schedule is closed, or the run is stopped."""
        try:
            if not await self._wait_until(from_ns):
                return
            length_s = None
            if until_ns is not None and {"at", "lasts"} & fault.model_fields_set:
                length_s = (until_ns - from_ns) / _NS
            await self._switch_on(fault, length_s)
            await self._wait_until(1 << 62 if until_ns is None else until_ns)
        except SquallError as error:
            self._failed(error)
        finally:
            if fault.label in self._on:
                await asyncio.shield(self._switch_off(fault))

    async def _switch_on(self, fault: RunFault, length_s: float | None) -> None:
        if self._site is not None and not isinstance(fault, ClientFault):
            await self._site.switch_on(fault)
        self._on[fault.label] = fault
        how_long = "for the whole run"
        if isinstance(fault, ClientFault):
            how_long = "until the end of the hold"
        elif not is_whole_run(fault):
            how_long = "until the end"
        if length_s is not None:
            how_long = f"for {format_duration(length_s)}"
        self._say(FAULT, fault, f"{fault.label} ({fault.kind}) is on, {how_long}", length_s)

    async def _switch_off(self, fault: RunFault) -> None:
        del self._on[fault.label]
        try:
            if self._site is not None and not isinstance(fault, ClientFault):
                await self._site.switch_off(fault)
        except SquallError as error:
            self._failed(error)
        else:
            self._say(FAULT_HEALED, fault, f"{fault.label} ({fault.kind}) is off", None)

    def _say(self, kind: str, fault: RunFault, text: str, length_s: float | None) -> None:
        self._happened(Event(at_ns=self._now_ns(), kind=kind, text=text, name=fault.label, figure=length_s))
