"""The console table of a load test: the specification's names, and figures of the run."""

from __future__ import annotations

import msgspec

from squall.metrics.summary_document import ResourceFigure, SourceSummary, VerdictSummary
from squall.reports.performance_summary import performance_summary
from unit.reports import reported


def test_every_line_has_the_figure_of_its_name() -> None:
    _, summary = reported.passed()
    watched = {
        name: SourceSummary(
            role=role,
            looks=3,
            sustained={"memory_share": ResourceFigure(peak=memory), "cpu_share": ResourceFigure(peak=cpu)},
        )
        for name, role, memory, cpu in (
            ("one", "target", 0.125, 0.5),
            ("two", "target", 0.5, 0.25),
            ("host", "host", 0.9, 0.9),
        )
    }
    assert performance_summary(msgspec.structs.replace(summary, resources=watched)) == [
        "Load Test Complete - 10 Concurrent Connections Achieved",
        "Performance Summary:",
        "  - Peak Concurrent Connections: 10",
        "  - Average Latency: 25.6 ms",
        "  - Message Delivery Rate: 100 % of sent",
        "  - Connection Stability: 100 %",
        "  - Peak Memory Usage: 50 %",
        "  - Peak CPU Usage: 50 %",
    ]


def test_what_was_not_measured_says_so() -> None:
    lines = performance_summary(reported.nothing()[1])
    assert lines[0] == "Load Test Incomplete - not measured Concurrent Connections Achieved"
    assert all(line.endswith(": not measured") for line in lines[2:])


def test_an_average_and_a_delivery_rate_are_not_rounded_up() -> None:
    lines = performance_summary(reported.troubled()[1])
    assert lines[4] == "  - Message Delivery Rate: between 90 % and 92.5 % of sent"


def test_a_run_that_was_stopped_is_not_complete() -> None:
    _, summary = reported.passed()
    stopped = msgspec.structs.replace(summary.verdict, stopped_by="interrupted")
    assert isinstance(stopped, VerdictSummary)
    lines = performance_summary(msgspec.structs.replace(summary, verdict=stopped))
    assert lines[0].startswith("Load Test Incomplete - 10 ")
