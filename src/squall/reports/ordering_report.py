"""The ordering test for people: a line for each pattern, and a table. Renders, computes nothing."""

from __future__ import annotations

from squall.metrics.ordering_test import LATENCY_MAX_MS, OrderingResult, OrderingSeriesResult
from squall.reports.delivery_report import bound_lines, shown
from squall.reports.figures import NOT_MEASURED, count, milliseconds, percent
from squall.reports.wording import printable

__all__ = ["ordering_lines", "ordering_markdown"]

TITLE = "Message Ordering Test Results"
_HEAD = (
    "scenario",
    "connections",
    "messages",
    "accuracy",
    "expected",
    "ordering latency",
    "out of order",
    "gaps",
    "in gaps",
    "causal violations",
)


def ordering_lines(result: OrderingSeriesResult) -> list[str]:
    """The console lines, the verdict last."""
    lines = [TITLE, ""]
    for each in result.tests:
        lines += [_line(each), *_types(each), *(f"  {line}" for line in bound_lines(each.bounds))]
    if result.left_out:
        lines.append(f"not carried out: {', '.join(result.left_out)}")
    return [shown(each) for each in (*lines, "", result.verdict)]


def ordering_markdown(result: OrderingSeriesResult) -> str:
    """The same as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, result.tests)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    parts = [f"# {TITLE}", f"**{printable(result.verdict)}**", table]
    notes = [f"{each.scenario}: {line}" for each in result.tests for line in bound_lines(each.bounds)]
    parts += ["\n".join(f"- {printable(line)}" for line in notes)] if notes else []
    parts += [f"- [{each.scenario}]({each.folder}/summary.md)" for each in result.tests]
    return "\n\n".join(parts) + "\n"


def _line(each: OrderingResult) -> str:
    mark = {"passed": "✅", "failed": "❌"}.get(each.outcome, "❔")
    expected = each.test.expected_ordering_accuracy
    asked = "" if expected is None else f" (expected {percent(expected)})"
    causal = each.causal_order_violations
    violations = "" if causal is None else f"; {count(causal)} causal violations"
    return (
        f"{mark} {each.scenario}: {percent(each.ordering_accuracy)} ordering accuracy{asked};"
        f" ordering latency {milliseconds(each.average_ordering_latency)} (at most {LATENCY_MAX_MS} ms);"
        f" {count(each.out_of_order_messages)} out of order, {count(each.sequence_gaps)} gaps with"
        f" {count(each.messages_in_gaps)} messages{violations}"
    )


def _types(each: OrderingResult) -> list[str]:
    """What priorities did, where there are several."""
    if len(each.types) < 2:
        return []
    return [
        f"  {name}: {percent(of.order_in_type)} in order, latency {milliseconds(of.latency.mean)} on average,"
        f" p99 {milliseconds(of.latency.p99)}"
        for name, of in each.types.items()
    ]


def _row(each: OrderingResult) -> tuple[str, ...]:
    expected = each.test.expected_ordering_accuracy
    return (
        each.scenario,
        count(each.test.connections),
        count(each.test.messages_per_connection),
        percent(each.ordering_accuracy),
        "-" if expected is None else f">= {percent(expected)}",
        milliseconds(each.average_ordering_latency),
        count(each.out_of_order_messages),
        count(each.sequence_gaps),
        count(each.messages_in_gaps),
        NOT_MEASURED if each.causal_order_violations is None else count(each.causal_order_violations),
    )
