"""The specification's console table: what a load test came to, in eight lines.

The rule: the names are the specification's, the figures are the run's. *Achieved* and *peak* are the most that
were held at once; memory and CPU are the target's peaks while the level was held, of several sources the highest.
A run that did not come to its planned end is not called complete.
"""

from __future__ import annotations

from squall.metrics.summary_document import Summary
from squall.reports.figures import count, milliseconds, percent
from squall.reports.wording import delivered_share

__all__ = ["performance_summary"]


def performance_summary(summary: Summary) -> list[str]:
    """The lines of the table."""
    connections = summary.connections
    ended = summary.verdict.outcome is not None and not summary.verdict.stopped_by
    rows = (
        ("Peak Concurrent Connections", count(connections.peak)),
        ("Average Latency", milliseconds(summary.latency.response.mean)),
        ("Message Delivery Rate", delivered_share(summary.delivery_success)),
        ("Connection Stability", percent(connections.stability)),
        ("Peak Memory Usage", percent(_peak(summary, "memory_share"))),
        ("Peak CPU Usage", percent(_peak(summary, "cpu_share"))),
    )
    complete = "Complete" if ended else "Incomplete"
    return [
        f"Load Test {complete} - {count(connections.peak)} Concurrent Connections Achieved",
        "Performance Summary:",
        *(f"  - {name}: {figure}" for name, figure in rows),
    ]


def _peak(summary: Summary, figure: str) -> float | None:
    """The target's, in the sustained phases; None where it was not watched."""
    found = [
        source.sustained[figure].peak
        for source in summary.resources.values()
        if source.role == "target" and figure in source.sustained
    ]
    return max((peak for peak in found if peak is not None), default=None)
