"""The acknowledgement test for people: the specification's console lines, and what did not hold. Computes nothing."""

from __future__ import annotations

from squall.metrics.ack_test import AcknowledgmentResult, PartResult
from squall.reports.delivery_report import bound_lines, shown
from squall.reports.figures import count, milliseconds, percent
from squall.reports.wording import printable

__all__ = ["ack_lines", "ack_markdown"]

TITLE = "Acknowledgment Test Results"


def ack_lines(result: AcknowledgmentResult) -> list[str]:
    """The console lines, the verdict last."""
    lines = [TITLE, "", *(f"  - {name}: {figure}" for name, figure in _figures(result)), ""]
    lines += [line for each in result.parts for line in _part(each)]
    if result.left_out:
        lines.append(f"not carried out: {', '.join(result.left_out)}")
    return [shown(each) for each in (*lines, "", result.verdict)]


def ack_markdown(result: AcknowledgmentResult) -> str:
    """The same as Markdown."""
    rows = [("figure", ""), ("---", "---"), *_figures(result)]
    parts = [f"# {TITLE}", f"**{printable(result.verdict)}**"]
    parts.append("\n".join(f"| {name} | {figure} |" for name, figure in rows))
    parts += ["\n".join(f"- {printable(line.strip())}" for line in _part(each)) for each in result.parts]
    parts += [f"- [{each.part}]({each.folder}/summary.md)" for each in result.parts]
    return "\n\n".join(parts) + "\n"


def _figures(result: AcknowledgmentResult) -> list[tuple[str, str]]:
    return [
        ("Success Rate", percent(result.acknowledgment_success_rate)),
        ("Average ACK Time", milliseconds(result.average_acknowledgment_time)),
        ("Average ACK Time, retries included", milliseconds(result.average_acknowledgment_time_total)),
        ("Retry Success", percent(result.retry_success_rate)),
        ("Duplicate Deliveries", percent(result.duplicate_delivery_rate)),
        ("Fault Recovery", milliseconds(result.network_fault_recovery_time)),
        ("Fault Recovery, p99", milliseconds(result.network_fault_recovery_time_p99)),
        ("Server Delays Handled", percent(result.server_delay_handling)),
        ("Client Timeouts Handled", percent(result.client_timeout_handling)),
    ]


def _part(each: PartResult) -> list[str]:
    mark = {"passed": "✅", "failed": "❌"}.get(each.outcome, "❔")
    acks = each.acknowledgements
    lines = [
        f"{mark} {each.part}: {count(each.delivery.sent)} sent, {count(acks.acknowledged)} acknowledged,"
        f" {count(acks.retried)} needed a retry, {count(acks.gave_up)} given up,"
        f" {count(acks.duplicate_arrivals)} copies before de-duplication"
    ]
    return [*lines, *(f"  {line}" for line in bound_lines(each.bounds))]
