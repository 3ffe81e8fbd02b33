"""squall from Python: one open run, to which each call adds a phase.

    pattern = MessagePattern(frequency="1/s", payload_variation=(100, "1KiB"))
    async with LoadTester("ws://127.0.0.1:8080/", max_connections=1000) as tester:
        ramp_up = await tester.execute_ramp_up(start_connections=10, duration="30s")
        load = await tester.execute_sustained_load(duration="5m", message_pattern=pattern)
        ramp_down = await tester.execute_ramp_down(duration="10s")
    assert tester.result.exit_code == 0

**The run** opens with the first call. Between calls level and traffic go on (phase `idle`: in the accounting,
outside the phases' results). A ramp down to nothing ends it, and so does leaving the block:
it ramps down, drains, audits, judges. Then `tester.result` has the verdict, the summary and the run folder;
the results of single calls are provisional as far as messages are concerned.

**What is sent** is fixed once: by `message_pattern`, by `scenario` or the setting `traffic` where the tester
is made, and then from the first connection on; or by the first `execute_sustained_load`, and then nothing is
sent before it.

Durations are seconds as numbers, or text like "5m"; rates are per second and connection, or text like
"30/min".
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from squall.clock import RealClock
from squall.engine.machine import this_machine
from squall.engine.preflight import check, choose_workers
from squall.errors import PlanError
from squall.fleet.base import Fleet
from squall.fleet.local import LocalFleet
from squall.live.base import LiveView
from squall.live.endpoints import Served, served
from squall.metrics.ack_test import AcknowledgmentResult, FaultInjection, MessageConfiguration, PartResult
from squall.metrics.delivery_test import DeliveryGuaranteeResult, OverallDelivery, TypeDelivery
from squall.metrics.ordering_test import (
    OrderingChecks,
    OrderingResult,
    OrderingSeriesResult,
    OrderingTest,
    OrderingValidation,
    SendPattern,
)
from squall.metrics.ramp_statistics import RampStatistics
from squall.metrics.scaling import LatencyGrowth, LevelResult, ScalingLevel, ScalingResult
from squall.metrics.totals import Selection
from squall.record.run import Phase, PhaseKind
from squall.runner.acks import execute_acknowledgment_test
from squall.runner.active import ActiveRun, RunResult
from squall.runner.callback import MonitoringCallback, RampDecision
from squall.runner.connections import ConnectionManager
from squall.runner.delivery import DeliveryTracking, MessageTypeConfiguration, execute_delivery_guarantee_test
from squall.runner.fault_windows import check_faults
from squall.runner.named import check_functions, check_rows
from squall.runner.ordering import execute_message_ordering_test, execute_message_ordering_tests
from squall.runner.performance_monitor import PerformanceMonitor
from squall.runner.performance_report import PerformanceReport
from squall.runner.phase_results import (
    DeliverySuccess,
    PhaseError,
    RampDownResult,
    RampUpResult,
    SustainedLoadResult,
    ramp_down_result,
    ramp_up_result,
    sustained_load_result,
)
from squall.runner.plan import Plan, PlannedPhase, demand_of, plan_phase, steered
from squall.runner.ramps import held, spec_of
from squall.runner.rules import Rules, rules_of
from squall.runner.saving import (
    LoadTestResults,
    ResultFormat,
    SavedResults,
    checked_formats,
    checked_results,
    checked_test_id,
    default_test_id,
    save,
)
from squall.runner.scaling import execute_scaling_test
from squall.runner.settings import (
    AlertThresholds,
    Duration,
    LoadTestConfig,
    MessagePattern,
    StabilityMonitoring,
    Tolerances,
)
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import AdaptiveRamp, Ramp, RampUp, Scenario
from squall.units import parse_duration_s

__all__ = [
    "AcknowledgmentResult",
    "AlertThresholds",
    "ConnectionManager",
    "DeliveryGuaranteeResult",
    "DeliverySuccess",
    "DeliveryTracking",
    "FaultInjection",
    "LatencyGrowth",
    "LevelResult",
    "LoadTestConfig",
    "LoadTestResults",
    "LoadTester",
    "MessageConfiguration",
    "MessagePattern",
    "MessageTypeConfiguration",
    "MonitoringCallback",
    "OrderingChecks",
    "OrderingResult",
    "OrderingSeriesResult",
    "OrderingTest",
    "OrderingValidation",
    "OverallDelivery",
    "PartResult",
    "PerformanceMonitor",
    "PerformanceReport",
    "PhaseError",
    "RampDecision",
    "RampDownResult",
    "RampStatistics",
    "RampUpResult",
    "RunResult",
    "SavedResults",
    "ScalingLevel",
    "ScalingResult",
    "SendPattern",
    "StabilityMonitoring",
    "Strategy",
    "SustainedLoadResult",
    "Tolerances",
    "TypeDelivery",
]

Strategy = Literal["constant", "linear", "exponential", "stepped", "adaptive"]
"""The shape of a ramp."""

OUTCOME_REPORTS: Final = 2
"""Reports, a second each, that the result of a held level waits for what was on its way at its end."""


class LoadTester:
    """One load test of one service; an async context manager. See the module.

    Args:
        url: the entry point, or several; may be left out where `scenario` names it.
        max_connections: the level that a ramp up leads to by default; no call goes above it.
        ramp_up_strategy: the shape of a ramp up, where the call names none.
        message_pattern: what is sent, from the first connection on.
        scenario: a scenario, or a file with one; what stands here besides is stronger.
        config: sizes and durations in one place; what stands here besides is stronger.
        out: the run folder; by default a new one under runs/.
        monitor: reports on this run; its interval and thresholds are those of the run's alerts.
        views: shown what happens, while it does.
        fleet: where workers run; as processes of this host by default.
        settings: any other setting of a scenario (`engine={"workers": 2}`, `thresholds={…}`, `seed=7`).

    Raises:
        ScenarioError: the settings have mistakes.
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        *,
        max_connections: int | str | None = None,
        ramp_up_strategy: Strategy | None = None,
        message_pattern: MessagePattern | None = None,
        scenario: Scenario | str | Path | Mapping[str, Any] | None = None,
        config: LoadTestConfig | None = None,
        out: str | Path | None = None,
        monitor: PerformanceMonitor | None = None,
        views: Sequence[LiveView] = (),
        fleet: Fleet | None = None,
        **settings: Any,
    ) -> None:
        self._has_traffic = (
            scenario is not None
            or message_pattern is not None
            or not settings.keys().isdisjoint(("traffic", "populations", "exchange"))
        )
        self._default_pattern = MessagePattern()
        chosen: dict[str, Any] = {}
        if scenario is None:
            chosen["threshold_sets"] = ["readiness"]
        if not self._has_traffic:
            chosen["traffic"] = {"rate": 0}
        if config is not None:
            chosen |= config.settings()
            self._default_pattern = MessagePattern(
                frequency=config.message_frequency, payload_variation=config.payload_sizes
            )
        if monitor is not None:
            chosen |= monitor.settings()
            monitor.follow(lambda: self._run)
        named = {
            "target.url": url if url is None or isinstance(url, str) else list(url),
            "load.connections": max_connections,
            "load.ramp_up.kind": ramp_up_strategy,
            "traffic": None if message_pattern is None else message_pattern.traffic(),
            "outputs.out": None if out is None else str(out),
        }
        chosen |= {path: value for path, value in named.items() if value is not None}
        overrides = {path: Override(value, "code") for path, value in (chosen | settings).items()}
        self._scenario = load_scenario({} if scenario is None else scenario, overrides=overrides).scenario
        self._views = views
        self._fleet = fleet
        self._entered = False
        self._busy = False
        self._served = Served()
        self._serving = AsyncExitStack()
        self._run: ActiveRun | None = None
        self._result: RunResult | None = None
        self._connections = ConnectionManager(lambda: self._run)

    @property
    def scenario(self) -> Scenario:
        """All settings, with their defaults."""
        return self._scenario

    @property
    def connections(self) -> ConnectionManager:
        """Its connections, to look at: by state and by place, at most about a second old."""
        return self._connections

    @property
    def urls(self) -> dict[str, str]:
        """Where the run can be watched, inside the block: what the setting `outputs` asks to be served."""
        return dict(self._served.urls)

    @property
    def result(self) -> RunResult:
        """The run, once it is over.

        Raises:
            PlanError: it is not.
        """
        if self._result is None:
            raise PlanError("the run is not over", hint="leave the `async with` block first")
        return self._result

    async def execute_ramp_up(
        self,
        *,
        start_connections: int | None = None,
        target_connections: int | None = None,
        duration: Duration | None = None,
        strategy: Strategy | RampUp | None = None,
        double_every: Duration | None = None,
        monitoring_callback: MonitoringCallback | None = None,
        monitoring_interval: Duration = 5.0,
        name: str = "ramp_up",
    ) -> RampUpResult:
        """Raise the level; returns once it is held, or cannot be reached.

        Args:
            start_connections: opened at once; the level held now, once there is one.
            target_connections: the level that it leads to; `max_connections` by default.
            duration: how long it takes; that of `double_every`, or of the scenario's ramp up, by default.
            strategy: its shape, or a ramp of `squall.scenario.models` with all that it takes.
            double_every: of an exponential ramp, the time of one doubling, instead of its duration.
            monitoring_callback: a function or coroutine function, given the `RampStatistics` of each interval;
                the `RampDecision` that it returns slows the ramp, or freezes it. A slow one slows nothing:
                intervals that end while it runs are left out.
            monitoring_interval: how long an interval is; an adaptive ramp has its own.
            name: what the phase is called; the tag `phase` of its figures.

        Raises:
            PlanError: what is asked contradicts itself, or the run is over.
            UserCodeError: the callback raised; the run was stopped in order, and `result` has what it came to
                once the block is left.
            PreflightError: this machine cannot carry it.
            StoreError: the run folder cannot be made.
            FleetError: the workers cannot be started.
        """
        run = await self._open_run()
        before = run.level
        target = self._target_of_ramp_up(before, start_connections, target_connections)
        ramp = self._ramp(
            "ramp_up",
            strategy,
            connections=target,
            start=None if before else start_connections,
            duration=duration,
            double_every=double_every,
        )
        planned = self._phase(name, "ramp_up", ramp, before=before, to=target)
        rules = rules_of(ramp, self._scenario) if isinstance(ramp, AdaptiveRamp) else None
        if rules is None and monitoring_callback is not None:
            rules = Rules(interval_s=_interval_s(monitoring_interval))
        if rules is not None:
            planned = steered(planned, rules, self._scenario)
        phase = await self._carry_out(run, planned, callback=monitoring_callback)
        return ramp_up_result(
            run.totals,
            phase,
            duration_s=_length_s(phase, run),
            reached_s=run.reached_s(phase),
            stopped_by=run.stopped_by,
            account=None if rules is None else run.ramp_account(),
        )

    def _target_of_ramp_up(self, before: int, start: int | None, target: int | None) -> int:
        """The level that a ramp up leads to from the one that is held."""
        most = self._scenario.load.connections
        target = most if target is None else target
        if not max(before, 1) <= target <= most:
            raise PlanError(
                f"a ramp up from {before} connections leads to {before} … {most}, not to {target}"
            )
        if before and start not in (None, before):
            raise PlanError(f"a ramp up cannot start at {start} connections: {before} are held")
        return target

    async def execute_sustained_load(
        self,
        *,
        duration: Duration | None = None,
        message_pattern: MessagePattern | None = None,
        stability_monitoring: StabilityMonitoring | None = None,
        name: str = "hold",
    ) -> SustainedLoadResult:
        """Hold the level that was reached, and the traffic on it.

        Args:
            duration: how long; the scenario's hold by default.
            message_pattern: what is sent, where that was not said before; by default 1 message a second and
                connection, of 128 bytes and four types.
            stability_monitoring: how often its stability is checked, and what a check lets pass; what the scenario
                says by default. The call waits for its checks: at most one `drain_timeout` where messages are missing.
            name: what the phase is called; the tag `phase` of its figures.

        Raises:
            PlanError: another pattern than the one that is being sent, or the run is over.
        """
        run = await self._open_run()
        hold = self._with({"load.hold": duration}).load.hold
        traffic = self._traffic_from(message_pattern)
        checked = self._with({} if stability_monitoring is None else stability_monitoring.settings())
        if not run.is_hold_begun:
            check_faults(checked, hold)
        planned = plan_phase(checked, name, "sustained", held(run.level, hold), before=run.level)
        planned = replace(planned, hold_s=hold)
        phase = await self._carry_out(run, planned, traffic)
        await _outcomes(run, phase)
        return sustained_load_result(
            run.totals, phase, duration_s=_length_s(phase, run), stopped_by=run.stopped_by
        )

    async def execute_ramp_down(
        self,
        *,
        target_connections: int = 0,
        duration: Duration | None = None,
        strategy: Strategy | Ramp | None = None,
        connection_cleanup: Literal["graceful_close"] = "graceful_close",
        name: str = "ramp_down",
    ) -> RampDownResult:
        """Lower the level; each leaving connection drains, then closes. To no connection it ends the run.

        Args:
            target_connections: the level that it leads to.
            duration: how long it takes; that of the scenario's ramp down by default.
            strategy: its shape, linear by default.
            connection_cleanup: connections are closed by the close handshake; there is no other way.
            name: what the phase is called; the tag `phase` of its figures.

        Raises:
            PlanError: what is asked contradicts itself, or the run is over.
        """
        if connection_cleanup != "graceful_close":
            raise PlanError(f"connection_cleanup is {connection_cleanup!r}; there is only graceful_close")
        run = await self._open_run()
        if not 0 <= target_connections <= run.level:
            raise PlanError(f"a ramp down from {run.level} cannot lead to {target_connections}")
        ramp = self._ramp("ramp_down", strategy, duration=duration)
        planned = self._phase(name, "ramp_down", ramp, before=run.level, to=target_connections)
        ends = target_connections == 0
        phase = await self._carry_out(run, planned, then_idle=not ends)
        if ends:
            self._result = await run.finish()
        return ramp_down_result(
            run.totals,
            phase,
            duration_s=_length_s(phase, run),
            left=run.left,
            stopped_by=run.stopped_by,
        )

    async def save_results(
        self,
        *,
        results: LoadTestResults | Mapping[str, Any],
        test_id: str | None = None,
        format: Sequence[ResultFormat] = ("json", "csv", "html_report"),  # noqa: A002 - the specification's name for it
        folder: str | Path | None = None,
    ) -> SavedResults:
        """Save what the operations returned, as files in `folder`/`test_id`.

        Args:
            results: by operation; a mapping has the fields of `LoadTestResults` as keys.
            test_id: the identity of these results; `websocket-load-test-<ms since the epoch>` by default.
            format: which files; see `squall.runner.saving`.
            folder: where; the run folder by default.

        Raises:
            PlanError: something here cannot be, or there is no run yet, or (for the report) it is not over.
            StoreError: results of that identity are there already, or cannot be written.
        """
        run = self._run
        if run is None:
            raise PlanError("there is no run yet, so there are no results to save")
        wall_ns = RealClock().wall_ns()
        return await asyncio.to_thread(  # beside the run, which may go on
            save,
            checked_results(results),
            checked_formats(format),
            run.folder if folder is None else Path(folder),
            test_id=checked_test_id(default_test_id(wall_ns) if test_id is None else test_id),
            header=run.header,
            verdict=None if self._result is None else self._result.verdict,
            wall_ns=wall_ns,
            run_folder=run.folder,
        )

    execute_scaling_test = staticmethod(execute_scaling_test)
    execute_delivery_guarantee_test = staticmethod(execute_delivery_guarantee_test)
    execute_message_ordering_test = staticmethod(execute_message_ordering_test)
    execute_message_ordering_tests = staticmethod(execute_message_ordering_tests)
    execute_acknowledgment_test = staticmethod(execute_acknowledgment_test)
    execute_acknowledment_test = execute_acknowledgment_test
    """As the specification spells it."""

    async def __aenter__(self) -> Self:
        self._served = await self._serving.enter_async_context(
            served(self._scenario.name, self._scenario.outputs)
        )
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        async with self._serving:
            run = self._run
            if run is None:
                return
            try:
                if self._result is None:
                    await self._end(run, error)
            finally:
                await run.__aexit__(kind, error, trace)

    async def _end(self, run: ActiveRun, error: BaseException | None) -> None:
        """What is still open is ramped down, or stopped where the caller met an error."""
        if isinstance(error, Exception):
            run.stop(f"the caller raised {type(error).__name__}")
        elif error is not None:  # cancelled, or Ctrl-C: there is no time to drain
            run.kill(f"the caller was ended by {type(error).__name__}")
        elif run.level and not run.is_over:
            ramp = self._ramp("ramp_down", None)
            await run.carry_out(self._phase("end", "end", ramp, before=run.level, to=0))
        self._result = await run.finish()

    async def _open_run(self) -> ActiveRun:
        """The one run, opened by the first call."""
        if not self._entered:
            raise PlanError("a LoadTester is used inside `async with`")
        if self._result is not None:
            raise PlanError("the run is over", hint="a ramp down to no connection ends it; make a new tester")
        if self._busy:
            raise PlanError(
                "another call is under way", hint="phases come one after another: await each call"
            )
        if self._run is None:
            scenario = self._scenario
            machine = this_machine(scenario.target.source_addresses)
            demand = demand_of(scenario, scenario.load.connections)
            check(demand, machine)
            check_functions(scenario)
            check_rows(scenario, scenario.load.connections)
            workers = choose_workers(demand, machine)
            plan = Plan(scenario=scenario, phases=(), demand=demand, workers=workers)
            fleet = self._fleet or LocalFleet(workers)
            views = [*self._views, *self._served.views]
            run = ActiveRun(plan, machine, fleet, RealClock(), views=views, command="Python API")
            self._run = await run.__aenter__()
        return self._run

    async def _carry_out(
        self,
        run: ActiveRun,
        planned: PlannedPhase,
        traffic: Scenario | None = None,
        *,
        then_idle: bool = True,
        callback: MonitoringCallback | None = None,
    ) -> Phase:
        """A phase from its beginning to its last report; after it the level is held."""
        if run.is_over:
            raise PlanError(f"the run was stopped: {run.stopped_by or 'no worker is left'}")
        number = len(run.phases)
        self._busy = True
        try:
            await run.carry_out(planned, ahead_ns=0, traffic=traffic, callback=callback)
        finally:
            self._busy = False
        end_ns = run.now_ns()
        if then_idle:
            spec = held(run.level, 0.0)
            idle = plan_phase(self._scenario, "idle", "idle", spec, before=run.level)
            await run.begin(self._sending(idle), open_ended=True)
            await run.reported(end_ns)
        return run.phases[number]

    def _phase(self, name: str, kind: PhaseKind, ramp: RampUp, *, before: int, to: int) -> PlannedPhase:
        spec = spec_of(ramp, before=before, to=to)
        return self._sending(plan_phase(self._scenario, name, kind, spec, before=before))

    def _sending(self, planned: PlannedPhase) -> PlannedPhase:
        """The phase, silent as long as nobody has said what to send."""
        return planned if self._has_traffic else replace(planned, sends=False)

    def _ramp(
        self, which: Literal["ramp_up", "ramp_down"], strategy: Strategy | RampUp | None, **given: Any
    ) -> RampUp:
        """The scenario's ramp with what a call says otherwise; `connections` are those that it is for."""
        if strategy is not None and not isinstance(strategy, str):
            return strategy
        chosen = {f"load.{which}.{key}": value for key, value in given.items() if key != "connections"}
        chosen |= {"load.connections": given.get("connections"), f"load.{which}.kind": strategy}
        load = self._with(chosen).load
        return load.ramp_up if which == "ramp_up" else load.ramp_down

    def _with(self, chosen: Mapping[str, Any]) -> Scenario:
        """The scenario with some settings changed; those that are None are left."""
        overrides = {path: Override(value, "the call") for path, value in chosen.items() if value is not None}
        return load_scenario(self._scenario, overrides=overrides).scenario if overrides else self._scenario

    def _traffic_from(self, pattern: MessagePattern | None) -> Scenario | None:
        """A scenario with the traffic that begins now; None where it goes on as it is."""
        if self._has_traffic and pattern is None:
            return None
        asked = self._with({"traffic": (pattern or self._default_pattern).traffic()})
        if not self._has_traffic:
            self._scenario, self._has_traffic = asked, True
            return asked
        if asked.populations != self._scenario.populations:
            raise PlanError(
                "another message_pattern than the one that is being sent: what a run sends is fixed once",
                hint="without one in LoadTester(…), the first execute_sustained_load fixes it",
            )
        return None


def _duration_s(name: str, given: Duration) -> float:
    try:
        return parse_duration_s(given)
    except ValueError as error:
        raise PlanError(f"{name}: {error}") from None


def _interval_s(given: Duration) -> float:
    """The length of a monitoring interval, in seconds."""
    interval_s = _duration_s("monitoring_interval", given)
    if interval_s < 1:
        raise PlanError("monitoring_interval is less than the second in which workers report")
    return interval_s


def _length_s(phase: Phase, run: ActiveRun) -> float:
    end_ns = run.now_ns() if phase.end_ns is None else phase.end_ns
    return (end_ns - phase.start_ns) / 1e9


async def _outcomes(run: ActiveRun, phase: Phase) -> None:
    """Wait a little for the outcomes of what was on its way when a phase ended, and until all its checks are known."""
    selection = Selection(phases=frozenset((phase.id,)))
    for _ in range(OUTCOME_REPORTS):
        if run.is_over or run.totals.messages(selection).unsettled == 0:
            break
        await run.reported(run.totals.last_at_ns + 1)
    while not run.is_over and not run.has_checked(phase):
        await run.reported(run.totals.last_at_ns + 1)
