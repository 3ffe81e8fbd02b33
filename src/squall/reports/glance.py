"""A run in a few sentences, at the top of its page; what was not measured is left out."""

from __future__ import annotations

from collections.abc import Iterator

from squall.metrics.summary_document import Push, Summary
from squall.reports.figures import count, milliseconds, percent, rate

__all__ = ["glance"]


def glance(summary: Summary) -> str:
    """What was held, sent, pushed, and how long it took."""
    return " ".join(_sentences(summary)) or "Nothing was measured."


def _sentences(summary: Summary) -> Iterator[str]:
    held, response = summary.connections, summary.latency.response
    if held.peak is not None:
        dropped = f", {count(held.dropped)} of them dropped" if held.dropped else ", none of them dropped"
        yield (
            f"{count(held.peak)} connections were held at once, out of {count(held.attempted)} attempts"
            f" ({percent(held.success_rate)} successful{dropped})."
        )
    if summary.delivery.sent:
        yield f"{count(summary.delivery.sent)} messages were sent and {_arrived(summary)}."
    if response.count:
        yield (
            f"Half of the answers came within {milliseconds(response.p50)}, 99 of 100 within"
            f" {milliseconds(response.p99)}, the slowest after {milliseconds(response.max)}."
        )
    yield from _pushes(summary.push)


def _pushes(push: Push) -> Iterator[str]:
    """What came unasked; nothing where nobody waited for any."""
    if push.received is None:
        return
    at = "" if push.per_s is None else f", {rate(push.per_s, 'messages')} while the load was held"
    missing = "" if push.missing is None else f"; by their numbers {count(push.missing)} are missing"
    yield f"{count(push.received)} messages were pushed{at}{missing}."
    if push.delay.count:
        yield (
            f"Half of the pushes came within {milliseconds(push.delay.p50)} of their time stamp, 99 of 100 within"
            f" {milliseconds(push.delay.p99)}, the slowest after {milliseconds(push.delay.max)}."
        )


def _arrived(summary: Summary) -> str:
    success = summary.delivery_success
    if success.lower is None or success.upper is None:
        return "what arrived was not measured"
    if success.lower == success.upper:
        return f"{percent(success.lower)} of them arrived"
    return f"{percent(success.lower)} of them arrived for certain, {percent(success.upper)} at most"
