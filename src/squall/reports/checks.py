"""The stability checks of a run as tables of the HTML report: those that failed first, every other folded away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from squall.metrics.history import History
from squall.record.stability import StabilityCheck
from squall.reports.figures import count, percent
from squall.reports.markup import table
from squall.reports.remarks import when

__all__ = ["stability_checks"]

_OPEN: Final = 12
"""As many stand there without being asked for."""


def stability_checks(history: History) -> str:
    """How many passed, and the checks one by one as far as they are kept; "" where there was none."""
    checks = history.checks
    if not checks:
        return ""
    seen, failed = history.checks_seen.total(), [each for each in checks if not each.passed]
    said = f"<p>{history.checks_seen['passed']:,} of {seen:,} checks passed.</p>"
    if seen <= _OPEN:
        return said + _table(checks)
    first = _table(failed[:_OPEN]) if failed else ""
    if len(failed) > _OPEN:
        first += f"<p>{len(failed) - _OPEN:,} more that failed stand under “Every check”.</p>"
    left = f"<p>{seen - len(checks):,} more are in the record.</p>" if seen > len(checks) else ""
    return f"{said}{first}<details><summary>Every check</summary>{_table(checks)}{left}</details>"


def _table(checks: Sequence[StabilityCheck]) -> str:
    head = ("check", "when", "verdict", "held", "drops", "slow connections", "undelivered")
    marks = ["passed" if each.passed else "failed" for each in checks]
    return table(head, [_row(each) for each in checks], caption="Stability checks", marks=marks)


def _row(each: StabilityCheck) -> tuple[str, ...]:
    return (
        f"{each.index + 1}",
        when(each.start_ns / 1e9, each.end_ns / 1e9),
        "passed" if each.passed else "failed",
        count(each.held),
        f"{percent(each.drop_share)} (at most {percent(each.drop_tolerance)})",
        f"{percent(each.spike_share)} (at most {percent(each.spike_tolerance)})",
        f"{percent(each.failure_share)} (at most {percent(each.failure_tolerance)})",
    )
