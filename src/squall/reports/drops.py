"""The outages of a run as a table of the HTML report: when, how many were dropped, who came back and after how long."""

from __future__ import annotations

from squall.metrics.outages import Outage
from squall.metrics.summary_document import Summary
from squall.reports.figures import count, duration
from squall.reports.markup import table
from squall.reports.remarks import when

__all__ = ["outages"]


def outages(summary: Summary) -> str:
    """Every outage that is kept, also one that never ended; "" where there was none."""
    if not summary.outages:
        return ""
    head = ("outage", "dropped", "reconnected", "back after", "abandoned", "connects failed")
    marks = ["passed" if each.reconnected >= each.dropped else "failed" for each in summary.outages]
    more = f"<p>{summary.outages_more:,} more are in the record.</p>" if summary.outages_more else ""
    return table(head, [_row(each) for each in summary.outages], caption="Outages", marks=marks) + more


def _row(each: Outage) -> tuple[str, ...]:
    return (
        f"from {when(each.start_s)}, not over" if each.end_s is None else when(each.start_s, each.end_s),
        count(each.dropped),
        count(each.reconnected),
        "nobody came back" if each.back_s is None else duration(each.back_s),
        count(each.abandoned),
        count(each.connects_failed),
    )
