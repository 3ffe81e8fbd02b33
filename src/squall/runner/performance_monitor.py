"""The monitor of a load test: what it saw, which alerts that raised, and what follows from it.

    monitor = PerformanceMonitor(metrics_interval=5, alert_thresholds=AlertThresholds(cpu_usage=0.7))
    async with LoadTester(url, monitor=monitor) as tester:
        await tester.execute_ramp_up()
        …
    report = await monitor.generate_report()

Given to a `LoadTester`, it sets interval and bounds of the run's alerts, and reports on the run. Alone it knows what
`record_metrics` is told, and nothing of phases: its alerts are then those of the recorded figures, the mean of each
interval that is over, and their times are those since the first of them. An interval is over once a figure from its
end or later is recorded. What is recorded tells of no drops: `connection_drop_rate` needs a run.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from squall.analysis.advice import Findings, recommendations
from squall.analysis.findings import highest_cpu
from squall.charts.chart import Chart, Line
from squall.charts.svg import svg_file
from squall.errors import PlanError
from squall.metrics.alerts import Alert, AlertTotals, AlertWatch, Reading
from squall.metrics.figures import number, percent
from squall.metrics.history import History
from squall.metrics.leftovers import Leftovers
from squall.reports.backdrop import backdrop
from squall.reports.machine_pictures import resources
from squall.reports.pictures import overview
from squall.runner.active import ActiveRun
from squall.runner.performance_report import (
    PerformanceReport,
    RecordedMetrics,
    alerts_in,
    phase_report,
    phases_named,
)
from squall.runner.rereading import summary_of
from squall.runner.settings import AlertThresholds, Duration
from squall.scenario.monitoring import Monitoring
from squall.store.reader import open_run

__all__ = ["RECORDED_KEPT", "PerformanceMonitor"]

RECORDED_KEPT: Final = 20_000
"""The latest records that are kept: those of a day, and more, at an interval of 5 s."""

_NS: Final = 1_000_000_000


class PerformanceMonitor:
    """See the module.

    Args:
        metrics_interval: how often figures are held against their thresholds; seconds, or text like "5s".
        alert_thresholds: the figure above which each alert is raised.

    Raises:
        PlanError: an interval or a threshold that cannot be.
    """

    def __init__(
        self,
        *,
        metrics_interval: Duration = 5.0,
        alert_thresholds: AlertThresholds = AlertThresholds(),
    ) -> None:
        self._thresholds = alert_thresholds
        self._monitoring = _monitoring(metrics_interval, alert_thresholds)
        self._recorded: deque[RecordedMetrics] = deque(maxlen=RECORDED_KEPT)
        self._recorded_count = 0
        self._group: list[RecordedMetrics] = []
        self._first_s = 0.0
        self._watch = AlertWatch(self._monitoring)
        self._alerts = AlertTotals()
        self._run: Callable[[], ActiveRun | None] = _no_run

    @property
    def metrics_interval_s(self) -> float:
        """The interval, in seconds."""
        return self._monitoring.interval

    def settings(self) -> dict[str, Any]:
        """The same as settings of a scenario, by path."""
        return {
            "monitoring.interval": self._monitoring.interval,
            "monitoring.alerts": msgspec.structs.asdict(self._thresholds),
        }

    def follow(self, run: Callable[[], ActiveRun | None]) -> None:
        """Report on this run from now on, as soon as there is one; a `LoadTester` says so."""
        self._run = run

    async def record_metrics(
        self,
        *,
        timestamp: float,
        active_connections: int | None = None,
        connection_rate: float | None = None,
        latency: float | None = None,
        errors: int | None = None,
        memory_usage: float | None = None,
        cpu_usage: float | None = None,
    ) -> None:
        """Keep what a callback has seen; None is not measured.

        Args:
            timestamp: seconds, of any clock that goes forward.
            active_connections: how many are held.
            connection_rate: new ones per second.
            latency: milliseconds, on average.
            errors: how many there were.
            memory_usage: of what the target may use, from 0 to 1.
            cpu_usage: of what the target may use, from 0 to 1.

        Raises:
            PlanError: a figure is no finite number, or the clock went back.
        """
        record = RecordedMetrics(
            timestamp=timestamp,
            active_connections=active_connections,
            connection_rate=connection_rate,
            latency=latency,
            errors=errors,
            memory_usage=memory_usage,
            cpu_usage=cpu_usage,
        )
        _check(record, self._recorded[-1] if self._recorded else None)
        if not self._recorded_count:
            self._first_s = timestamp
        self._recorded.append(record)
        self._recorded_count += 1
        if self._group and timestamp >= self._group[0].timestamp + self._monitoring.interval:
            self._look()
        self._group.append(record)

    async def generate_report(
        self,
        *,
        test_phases: Sequence[str] = ("ramp-up", "sustained-load", "ramp-down"),
        include_graphs: bool = True,
        include_recommendations: bool = True,
    ) -> PerformanceReport:
        """What was seen so far, or in the whole run once that is over.

        Args:
            test_phases: which phases; by the names that they were given, or by what they are.
            include_graphs: with pictures of the run and of what was recorded, as SVG.
            include_recommendations: with advice from the alerts and verdicts, each with its evidence.

        Raises:
            PlanError: no phase, and no kind of phase, is called so.
            StoreError: the record, which pictures are drawn from, cannot be read.
        """
        run = self._run()
        phases, missing = phases_named(test_phases, () if run is None else run.phases)
        alerts = self._alerts.kept if run is None else alerts_in(run.totals.alerts.kept, phases)
        verdict = None if run is None else run.verdict
        graphs: dict[str, str] = {}
        if include_graphs:
            graphs = await asyncio.to_thread(_drawn, list(self._recorded))
            if run is not None:
                graphs |= await asyncio.to_thread(_drawn_of, run)
        cpu_while: dict[Alert, float] = {}
        if run is not None and include_recommendations:
            cpu_while = await asyncio.to_thread(_cpu_while, run, alerts)
        findings = Findings(
            alerts=tuple(alerts),
            judgements=() if verdict is None else verdict.judgements,
            validity=None if verdict is None else verdict.validity,
            left=Leftovers() if run is None else run.left,
            faults=None if run is None else run.totals.reconciliation,
            cpu_bound=None if run is None else run.plan.scenario.monitoring.alerts.cpu_usage,
            cpu_while=cpu_while,
        )
        return PerformanceReport(
            metrics_interval_s=self._monitoring.interval,
            alert_thresholds=self._thresholds,
            phases=() if run is None else tuple(phase_report(run.totals, phase) for phase in phases),
            phases_missing=missing,
            alerts=tuple(alerts),
            recorded=tuple(self._recorded),
            recorded_left_out=self._recorded_count - len(self._recorded),
            outcome=None if verdict is None else verdict.outcome,
            graphs=graphs,
            recommendations=recommendations(findings) if include_recommendations else None,
        )

    def _look(self) -> None:
        """Hold the recorded figures of an interval against the thresholds, and begin another."""
        group, self._group = self._group, []
        at_ns = round((group[-1].timestamp - self._first_s) * _NS)
        for event in self._watch.look(at_ns, _readings(group)):
            self._alerts.add(event)


def _monitoring(interval: Duration, thresholds: AlertThresholds) -> Monitoring:
    try:
        return Monitoring.model_validate({"interval": interval, "alerts": msgspec.structs.asdict(thresholds)})
    except ValidationError as error:
        found = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise PlanError("; ".join(found)) from None


def _no_run() -> None:
    """Nobody has said which."""


def _check(record: RecordedMetrics, before: RecordedMetrics | None) -> None:
    for name, value in msgspec.structs.asdict(record).items():
        if value is None and name != "timestamp":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise PlanError(f"record_metrics: {name} is {value!r}, not a finite number")
    if before is not None and record.timestamp < before.timestamp:
        raise PlanError("record_metrics: timestamp goes back", hint="take a clock that goes forward")


def _readings(group: Sequence[RecordedMetrics]) -> dict[str, Reading]:
    """The mean of each figure that an alert looks at."""
    found = {}
    for name, field in (
        ("connection_latency", "latency"),
        ("memory_usage", "memory_usage"),
        ("cpu_usage", "cpu_usage"),
    ):
        values = [value for each in group if (value := getattr(each, field)) is not None]
        if values:
            mean = sum(values) / len(values)
            words = f"{number(mean)} ms" if field == "latency" else percent(mean)
            found[name] = Reading(mean, f"a recorded mean of {words}")
    return found


def _cpu_while(run: ActiveRun, alerts: Sequence[Alert]) -> dict[Alert, float]:
    """How busy the target's processor was while each of these alerts stood, from the run's record."""
    slow = [alert for alert in alerts if alert.name == "connection_latency"]
    if not slow:
        return {}
    interval_s = run.plan.scenario.monitoring.interval
    return highest_cpu(slow, open_run(run.folder).resources, interval_s=interval_s)


def _drawn_of(run: ActiveRun) -> dict[str, str]:
    """The pictures of a run, from its record as far as that goes."""
    record = open_run(run.folder)
    history = History.of(record)
    summary = summary_of(record, run.folder)
    charts = overview(history, summary)
    for chart in resources(history, backdrop(history, summary.outages)):
        charts["-".join(re.findall(r"[a-z0-9]+", chart.title.lower()))] = chart
    return {name: svg_file(chart) for name, chart in charts.items()}


def _drawn(recorded: Sequence[RecordedMetrics]) -> dict[str, str]:
    """The pictures of what was recorded."""
    found = {}
    for name, title, field, unit in (
        ("recorded-connections", "Recorded: active connections", "active_connections", "count"),
        ("recorded-latency", "Recorded: latency", "latency", "ms"),
        ("recorded-memory", "Recorded: memory usage", "memory_usage", "share"),
        ("recorded-processor", "Recorded: processor usage", "cpu_usage", "share"),
    ):
        points = [(each.timestamp, value) for each in recorded if (value := getattr(each, field)) is not None]
        if points:
            line = Line(
                name=field.replace("_", " "),
                x=[at - recorded[0].timestamp for at, _ in points],
                y=[float(value) for _, value in points],
            )
            found[name] = svg_file(Chart(title=title, lines=[line], unit=unit))  # type: ignore[arg-type] # from a table
    return found
