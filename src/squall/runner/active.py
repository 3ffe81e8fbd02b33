"""One run while it lasts: its workers, its record, and its phases one after another.

A run follows a plan (`squall.runner.run`) or a caller who says what comes next (`squall.api`); both use this.
Whatever happens, on leaving it no worker is left and the record is closed.

A ramp up lasts until its level is held: at least as long as its profile, at most `settle_s` longer, and no
longer than `STILL_S` without a new connection. A ramp down that leaves connections lasts until the others
have drained and closed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from squall.clock import Clock
from squall.engine.awake import KeptAwake
from squall.engine.base import PhaseOrder
from squall.engine.coordinator import Coordinator
from squall.engine.machine import Machine
from squall.engine.preflight import is_local
from squall.errors import ExitCode, SquallError, StoreError
from squall.fleet.base import Fleet
from squall.live.base import LiveView
from squall.metrics.leftovers import Leftovers
from squall.metrics.summary import summarise
from squall.metrics.summary_document import Summary
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.run import FORMAT_VERSION, Phase, RunHeader
from squall.record.verdicts import Verdict
from squall.runner.callback import MonitoringCallback
from squall.runner.elsewhere import target_descriptors
from squall.runner.faulted import RunFaults
from squall.runner.leftovers import left_at, waiting_at, waiting_before
from squall.runner.masking import masker
from squall.runner.phase_results import RampAccount
from squall.runner.plan import Plan, PlannedPhase, settle_s
from squall.runner.recording import Recording
from squall.runner.reporting import write_all
from squall.runner.rules import Rules
from squall.runner.steering import Steering
from squall.runner.stopping import StopSwitch
from squall.runner.surroundings import run_number_of, squall_version, surroundings
from squall.runner.watching import Watching
from squall.runner.words import plan_lines
from squall.sampling.lookout import Lookout
from squall.sampling.make import make_samplers
from squall.scenario.codec import to_bytes
from squall.scenario.models import Scenario
from squall.scenario.redact import redacted
from squall.store.folder import create_run_folder
from squall.store.reader import open_run
from squall.store.writer import RunWriter

__all__ = ["ActiveRun", "RunResult"]

LEAD_NS: Final = 30_000_000
"""How far ahead a phase that follows no plan begins, so that every worker has its order in time."""

AHEAD_NS: Final = 150_000_000
"""How long before its start a planned phase is ordered, so that it follows the one before without a gap."""

STILL_S: Final = 3.0
"""Seconds without a new connection after which a ramp up waits no longer for its level."""

_INTERVAL_MAX_S: Final = 5.0
"""How long to wait for a report before going on without it."""

_LEFT_LOOKS: Final = 20
_LEFT_PAUSE_S: Final = 0.1
"""The target has these many looks at its sockets, this far apart, to close what we have closed."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A run that is over: where its record is, what it came to, what it ends with."""

    folder: Path
    header: RunHeader
    phases: tuple[Phase, ...]
    summary: Summary
    verdict: Verdict
    error: SquallError | None
    """What went wrong in squall or around it, beside the verdict; None where nothing did."""

    @property
    def exit_code(self) -> int:
        """The exit code that the run leads to."""
        return self.verdict.exit_code


class ActiveRun:
    """See the module. An async context manager.

    Args:
        plan: what is run; its phases are the caller's to carry out.
        machine: where.
        fleet: starts the workers.
        clock: the one clock.
        views: shown what happens, while it does.
        switch: by which somebody outside may end the run.
        command: what was typed, its secrets masked.

    Raises:
        StoreError: the record cannot be begun.
        FleetError: the workers cannot.
    """

    def __init__(
        self,
        plan: Plan,
        machine: Machine,
        fleet: Fleet,
        clock: Clock,
        *,
        views: Sequence[LiveView] = (),
        switch: StopSwitch | None = None,
        command: str = "",
    ) -> None:
        self.plan = plan
        self._machine = machine
        self._fleet = fleet
        self._clock = clock
        self._views = views
        self._switch = switch or StopSwitch()
        self._command = command
        self._recording = Recording(plan.scenario, views)
        self._stack = AsyncExitStack()
        self._workers = AsyncExitStack()
        self._phase_end_ns = 0
        self._begun = 0
        self.verdict: Verdict | None = None
        """What it came to; None until it has finished."""
        self.left = Leftovers()
        """What was left of the run once it had finished; not measured before."""
        self.level = 0
        """The level that the plan has reached."""
        self._steering: Steering | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def totals(self) -> Totals:
        """All that has been reported so far."""
        return self._recording.totals

    @property
    def folder(self) -> Path:
        """Where its record is."""
        return self._writer.folder

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases begun so far."""
        return tuple(self._recording.phases)

    @property
    def is_hold_begun(self) -> bool:
        """Whether a level is or was held: faults go by the first such phase."""
        return self._faults.is_hold_begun

    @property
    def stopped_by(self) -> str:
        """What stopped the run; empty while nothing has."""
        return self._coordinator.stopped_by

    def stop(self, reason: str) -> None:
        """End the run gracefully, from now on."""
        self._coordinator.stop(reason)

    def kill(self, reason: str) -> None:
        """End every worker at once."""
        self._coordinator.kill(reason)

    def reached_s(self, phase: Phase) -> float | None:
        """How long after its start a phase's last level was reported held; None where it never was."""
        at_ns = self._recording.reached_ns.get(phase.id)
        return None if at_ns is None else (at_ns - phase.start_ns) / 1e9

    async def begin(
        self, planned: PlannedPhase, *, open_ended: bool = False, traffic: Scenario | None = None
    ) -> Phase | None:
        """Let a phase follow the one before; at once, if that is over. None where the run is.

        `traffic` is a scenario that says what is sent from now on; only as long as nothing was.
        """
        if self.is_over:
            return None
        start_ns = self._phase_end_ns
        if self._begun:
            start_ns = max(start_ns, self._coordinator.now_ns() + LEAD_NS)
        order = planned.order(self._begun, start_ns)
        if traffic is not None:
            order = self._with_traffic(order, traffic)
        self._begun += 1
        self.level = planned.spec.target
        self._phase_end_ns = start_ns + round(planned.duration_s * 1e9)
        if self._begun == 1:
            await self._faults.begin()
        await self._coordinator.begin(order)
        if self._begun == 1:
            await self._watching.start()
        if order.hold_ns:
            self._faults.hold(order.phase.start_ns, order.hold_ns)
        self._watching.look_now()
        self._recording.begin_phase(
            order.phase, None if open_ended else planned.duration_s, planned.stability
        )
        return order.phase

    async def carry_out(
        self,
        planned: PlannedPhase,
        *,
        ahead_ns: int = AHEAD_NS,
        traffic: Scenario | None = None,
        callback: MonitoringCallback | None = None,
    ) -> bool:
        """Begin a phase and wait for its end, or `ahead_ns` less. False where the run ended meanwhile.

        `callback` is asked each interval of an adaptive ramp; what it raised, `ramp_account` raises.
        """
        phase = await self.begin(planned, traffic=traffic)
        if phase is None:
            return False
        if planned.rules is not None:
            return await self._steer(phase, planned.rules, callback)
        if planned.kind == "ramp_up" and self.plan.scenario.load.arrivals is None:
            return await self._coordinator.wait_until(self._phase_end_ns) and await self._settle(
                phase.level_end
            )
        if planned.kind == "ramp_down" and phase.level_end > 0:
            return await self._coordinator.wait_until(self._phase_end_ns) and await self._let_go(phase)
        return await self._coordinator.wait_until(self._phase_end_ns - ahead_ns)

    def ramp_account(self) -> RampAccount:
        """How the last adaptive ramp was steered.

        Raises:
            UserCodeError: its callback raised.
        """
        if self._steering is None:
            return RampAccount()
        if self._steering.failure is not None:
            raise self._steering.failure
        return self._steering.account

    async def reported(self, at_ns: int) -> None:
        """Wait until the totals have all up to a time of the run; not for ever."""
        while self.totals.last_at_ns < at_ns and not self.is_over:
            if not await self._recording.next_interval(_INTERVAL_MAX_S):
                return

    def has_checked(self, phase: Phase) -> bool:
        """Whether every stability check of a phase that is over is known; at its deadline each is."""
        return self._recording.has_checked(phase)

    def now_ns(self) -> int:
        """The time of the run."""
        return self._coordinator.now_ns()

    async def finish(self) -> RunResult:
        """Drain and close, wait for every worker to be gone, audit, judge, and close the record."""
        await self._coordinator.wait_until(self._phase_end_ns)
        self._watching.look_now()
        await self._coordinator.end()
        await self._faults.heal()
        end_ns = self._coordinator.now_ns()
        self._recording.end_phase(end_ns)
        await self._watching.aclose()
        self._recording.finish()
        self.left = await self._leave_nothing()
        reconciliation = await self._faults.reconciled(self.totals)
        if reconciliation is not None:
            self._recording.reconciled(reconciliation)
        verdict = self._judge()
        try:
            self._writer.finish(verdict)
        except StoreError as error:
            self._recording.failure = self._recording.failure or error
            verdict = self._judge()
        summary = summarise(self.header, self.phases, self.totals, verdict)
        try:
            self._write_reports(summary)
        except StoreError as error:
            self._recording.failure = self._recording.failure or error
            verdict = self._judge()
            summary = summarise(self.header, self.phases, self.totals, verdict)
        self.verdict = verdict
        for view in self._views:
            view.concluded(verdict)
        return RunResult(
            folder=self._writer.folder,
            header=self.header,
            phases=self.phases,
            summary=summary,
            verdict=verdict,
            error=self._coordinator.failure or self._recording.failure or self._faults.failure,
        )

    def _write_reports(self, summary: Summary) -> None:
        outputs = self.plan.scenario.outputs
        folder = self._writer.folder
        write_all(
            open_run(folder),
            summary,
            folder,
            csv=outputs.csv,
            markdown=outputs.markdown,
            html=outputs.html,
            junit=outputs.junit,
        )

    # --- setting up and tearing down ---

    async def _open(self) -> None:
        scenario = self.plan.scenario
        wall_ns = self._clock.wall_ns()
        run_number = run_number_of(wall_ns, os.getpid())
        self._before = waiting_before(self._local_ports())
        self._descriptors_before = await self._descriptors()
        awake = self._stack.enter_context(KeptAwake(wanted=scenario.engine.keep_awake))
        channels = await self._fleet.start()
        mask = masker(scenario, with_rows=True)
        coordinator = Coordinator(scenario, channels, self._recording, self._clock, run_number, mask)
        self._coordinator = await self._workers.enter_async_context(coordinator)
        await self._coordinator.start()
        folder = create_run_folder(scenario.outputs.out, scenario.name, wall_ns)
        self.header = self._header(folder, wall_ns, run_number, workers=len(channels), processors=awake.words)
        faults = RunFaults(scenario, folder, coordinator, self._recording.happened, self._clock)
        self._faults = await self._workers.enter_async_context(faults)
        coordinator.routes = faults.routes
        self._writer = self._stack.enter_context(RunWriter(folder, self.header))
        self._recording.open(self._writer)
        for view in self._views:
            view.begin_run(self.header, folder, self.totals)
        self._watching = self._watch(scenario)
        self._stack.push_async_callback(self._watching.aclose)
        self._recording.stop = self._coordinator.stop
        self._switch.bind(self._coordinator.stop, self._coordinator.kill)
        self._stack.callback(self._switch.release)

    def _watch(self, scenario: Scenario) -> Watching:
        """Who looks at the machines. Samplers that need to be let go of are so by it."""
        coordinator = self._coordinator
        ports = [each.port for each in self.plan.demand.destinations]
        here = self._before is not None
        samplers = make_samplers(scenario.watch, lambda: coordinator.pids, ports, here=here)
        return Watching(
            [Lookout(each, lambda: (coordinator.now_ns(), self._clock.monotonic_ns())) for each in samplers],
            interval_s=scenario.watch.interval,
            timeout_s=scenario.watch.timeout,
            sampled=self._recording.sampled,
        )

    async def _close(self) -> None:
        try:
            await self._workers.aclose()
        finally:
            await self._stack.aclose()
            for view in self._views:
                view.finish()

    def _header(
        self, folder: Path, wall_ns: int, run_number: int, *, workers: int, processors: str
    ) -> RunHeader:
        scenario = self.plan.scenario
        return RunHeader(
            format_version=FORMAT_VERSION,
            run_id=f"{folder.name}-{run_number:08x}",
            name=scenario.name,
            squall_version=squall_version(),
            started_wall_ns=wall_ns,
            seed=scenario.seed,
            run_number=run_number,
            scenario=redacted(scenario),
            populations=list(self.totals.populations),
            types=[list(names) for names in self.totals.types],
            plan=plan_lines(self.plan),
            environment=surroundings(self._machine, workers, processors),
            command=self._command,
        )

    # --- phases ---

    def _with_traffic(self, order: PhaseOrder, scenario: Scenario) -> PhaseOrder:
        """The order with what is sent from now on; header and plan say so, too."""
        types = [[each.name for each in population.traffic.types] for population in scenario.populations]
        self.plan = replace(self.plan, scenario=scenario)
        self.header = msgspec.structs.replace(self.header, types=types)
        phase = msgspec.structs.replace(order.phase, types=types)
        return msgspec.structs.replace(order, phase=phase, traffic=to_bytes(scenario))

    async def _steer(self, phase: Phase, rules: Rules, callback: MonitoringCallback | None) -> bool:
        """An adaptive ramp, to its level or to where it was frozen. False where the run ended meanwhile."""
        steering = self._steering = Steering(
            self._coordinator, self._recording, phase, rules, self.reported, callback
        )

        async def settle() -> None:
            self._phase_end_ns = min(steering.end_ns, self._coordinator.now_ns())
            if steering.freeze is not None:
                self.level = steering.freeze.level
            await self._settle(self.level)

        await steering.carry_out(settle)
        return not self.is_over

    async def _settle(self, level: int) -> bool:
        """Wait, within bounds, until the level of a ramp up is held. False where the run ended meanwhile."""
        coordinator = self._coordinator
        planned_end_ns = self._phase_end_ns
        latest_ns = planned_end_ns + round(settle_s(self.plan.scenario.target) * 1e9)
        established, still_since_ns = self._established, coordinator.now_ns()
        while not self.is_over:
            recent = self.totals.recent
            if recent and recent[-1].at_ns >= planned_end_ns and self._recording.is_reached(level):
                break
            now_ns = coordinator.now_ns()
            if self._established > established:
                established, still_since_ns = self._established, now_ns
            if now_ns >= latest_ns or now_ns - still_since_ns >= STILL_S * 1e9:
                break
            await self._recording.next_interval(1.0)
        self._phase_end_ns = max(planned_end_ns, coordinator.now_ns())
        return not self.is_over

    async def _let_go(self, phase: Phase) -> bool:
        """Wait, within bounds, until those that leave have drained and closed. False where the run ended."""
        planned_end_ns = self._phase_end_ns
        scenario = self.plan.scenario
        latest_ns = planned_end_ns + round((scenario.drain_s + scenario.target.close_timeout) * 1e9)
        while not self.is_over and self._coordinator.now_ns() < latest_ns:
            recent = self.totals.recent
            if recent and recent[-1].at_ns >= planned_end_ns and recent[-1].held <= phase.level_end:
                break
            await self._recording.next_interval(1.0)
        self._phase_end_ns = max(planned_end_ns, self._coordinator.now_ns())
        return not self.is_over

    @property
    def _established(self) -> int:
        return self.totals.connections().established

    @property
    def is_over(self) -> bool:
        """Whether the run was stopped, or has no worker left."""
        return bool(self._coordinator.stopped_by) or self._coordinator.workers_left == 0

    # --- the end ---

    async def _leave_nothing(self) -> Leftovers:
        """Let every worker be gone; what is left of the run."""
        by_workers = self._coordinator.resources_left
        await self._workers.aclose()
        for _ in range(_LEFT_LOOKS):
            left = await self._left_at_target()
            if not left:
                break
            await asyncio.sleep(_LEFT_PAUSE_S)
        return Leftovers(at_squall=by_workers, at_target=left)

    async def _left_at_target(self) -> int | None:
        """By the socket table where it listens here, else by its metrics; None where neither tells."""
        if self._before is not None:
            return left_at(self._before, waiting_at(self._local_ports()))
        before, after = self._descriptors_before, await self._descriptors()
        return None if before is None or after is None else max(0, after - before)

    async def _descriptors(self) -> int | None:
        """What a target that the socket table does not show has open, where it tells that."""
        if self._before is not None:
            return None
        return await target_descriptors(self.plan.scenario.watch, lambda: (0, self._clock.monotonic_ns()))

    def _local_ports(self) -> list[int]:
        """The ports of the target, where all of it is on this machine; none elsewhere."""
        found = self.plan.demand.destinations
        if not all(is_local(each.host, self._machine) for each in found):
            return []
        return [each.port for each in found]

    def _judge(self) -> Verdict:
        befell = set()
        if self._switch.times:
            befell.add(ExitCode.INTERRUPTED)
        for failure in (self._recording.failure, self._faults.failure):
            if failure is not None:
                befell.add(failure.exit_code)
        if self._coordinator.failure is not None:
            befell.add(self._coordinator.failure.exit_code)
        return judge(
            self.plan.scenario,
            self.totals,
            befell=befell,
            stopped_by=self._coordinator.stopped_by,
            aborted=self._recording.aborted,
            left=self.left,
        )
