"""The monitor on its own: what it is told, and what that raises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import squall
from squall.errors import PlanError
from squall.runner import performance_monitor
from squall.runner.performance_monitor import PerformanceMonitor
from squall.runner.performance_report import PerformanceReport
from squall.runner.settings import AlertThresholds


def told(monitor: PerformanceMonitor, *records: dict[str, Any], **asked: Any) -> PerformanceReport:
    async def both() -> PerformanceReport:
        for record in records:
            await monitor.record_metrics(**record)
        return await monitor.generate_report(**asked)

    return asyncio.run(both())


def seconds(*figures: float, name: str = "latency", every_s: float = 5) -> list[dict[str, Any]]:
    return [{"timestamp": 1000.0 + at * every_s, name: figure} for at, figure in enumerate(figures)]


def test_the_public_name_is_this_one() -> None:
    assert squall.PerformanceMonitor is PerformanceMonitor


def test_the_seven_figures_are_kept_and_drawn() -> None:
    record = {
        "timestamp": 17.5,
        "active_connections": 10,
        "connection_rate": 2.5,
        "latency": 12.0,
        "errors": 0,
        "memory_usage": 0.5,
        "cpu_usage": 0.25,
    }
    report = told(PerformanceMonitor(), record, record | {"timestamp": 18, "cpu_usage": None})
    assert [each.cpu_usage for each in report.recorded] == [0.25, None]
    assert {name: getattr(report.recorded[0], name) for name in record} == record
    assert sorted(report.graphs) == [
        "recorded-connections",
        "recorded-latency",
        "recorded-memory",
        "recorded-processor",
    ]
    assert all(graph.startswith("<svg") for graph in report.graphs.values())
    assert report.phases == ()
    assert report.phases_missing == ("ramp-up", "sustained-load", "ramp-down")
    assert (report.outcome, report.recommendations) == (None, ())


def test_what_was_not_asked_for_is_not_made() -> None:
    report = told(PerformanceMonitor(), *seconds(1), include_graphs=False, include_recommendations=False)
    assert (report.graphs, report.recommendations) == ({}, None)


def test_recorded_figures_raise_and_clear_alerts_by_the_mean_of_an_interval() -> None:
    quick = PerformanceMonitor(
        metrics_interval="10s", alert_thresholds=AlertThresholds(connection_latency="80ms")
    )
    figures = [60, 90, 60, 110, 60, 110, 20, 20, 20, 20, 20, 20]  # means of 75, 85, 85, 20, 20, 20
    report = told(quick, *seconds(*figures))
    (alert,) = report.alerts
    assert (alert.name, alert.bound, alert.figure) == ("connection_latency", 80, 85)
    assert (alert.raised_s, alert.cleared_s) == (15, 45)
    assert report.metrics_interval_s == 10


def test_what_was_recorded_has_its_advice() -> None:
    report = told(PerformanceMonitor(), *seconds(0.5, 0.99, 0.99, name="cpu_usage"))
    assert [(alert.name, alert.raised_s) for alert in report.alerts] == [("cpu_usage", 5)]
    assert report.recommendations is not None
    assert ["processor" in each.advice for each in report.recommendations] == [True]


def test_asking_twice_changes_no_alert_and_an_interval_is_judged_once_it_is_over() -> None:
    monitor = PerformanceMonitor(metrics_interval="10s")
    figures = seconds(0.9, 0.9, 0.1, 0.1, 0.1, 0.1, name="cpu_usage")  # means of 0.9, 0.1, 0.1
    (alert,) = told(monitor, *figures[:3]).alerts
    assert (alert.figure, alert.raised_s, alert.cleared_s) == (0.9, 5, None)
    for records in ([], [], figures[3:], []):
        assert [each.cleared_s for each in told(monitor, *records).alerts] == [None]
    later = {"timestamp": figures[-1]["timestamp"] + 5, "cpu_usage": 0.9}
    assert [each.cleared_s for each in told(monitor, later).alerts] == [25]


def test_an_interval_that_is_not_over_raises_nothing() -> None:
    monitor = PerformanceMonitor(metrics_interval="10s")
    assert told(monitor, *seconds(0.99, name="cpu_usage")).alerts == ()


def test_records_are_kept_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance_monitor, "RECORDED_KEPT", 3)
    report = told(PerformanceMonitor(), *seconds(1, 2, 3, 4, 5), include_graphs=False)
    assert [each.latency for each in report.recorded] == [3, 4, 5]
    assert report.recorded_left_out == 2


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"timestamp": 1, "latency": float("nan")}, "latency is nan"),
        ({"timestamp": None}, "timestamp is None"),
        ({"timestamp": 1, "errors": "3"}, "errors is '3'"),
        ({"timestamp": 0.5}, "goes back"),
    ],
)
def test_figures_that_are_none_are_refused(record: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        told(PerformanceMonitor(), {"timestamp": 1.0}, record)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metrics_interval": "soon"}, "interval"),
        ({"metrics_interval": 0.1}, "interval"),
        ({"alert_thresholds": AlertThresholds(cpu_usage=80)}, r"alerts\.cpu_usage"),
    ],
)
def test_thresholds_that_cannot_be_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        PerformanceMonitor(**given)


def test_a_phase_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(PlanError, match="soak"):
        told(PerformanceMonitor(), test_phases=["soak"])
