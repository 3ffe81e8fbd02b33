"""The delivery test for people: the specification's console line for each type, and the figures below it.

Renders, computes nothing.
"""

from __future__ import annotations

from squall.metrics.delivery_test import DeliveryGuaranteeResult, TypeDelivery
from squall.metrics.summary_document import Judged
from squall.reports.figures import NOT_MEASURED, count, milliseconds, percent, rate
from squall.reports.wording import printable

__all__ = ["bound_lines", "delivery_lines", "shown"]

TITLE = "Message Delivery Guarantee Test Results"


def delivery_lines(result: DeliveryGuaranteeResult) -> list[str]:
    """The console lines, the verdict last."""
    overall = result.overall
    offered = "" if overall.messages_offered is None else f" of {count(overall.messages_offered)} offered"
    lines = [TITLE, "", *map(_type_line, result.results_by_message_type.values())]
    lines += [
        "",
        f"messages processed: {count(overall.total_messages_processed)}{offered}",
        f"throughput: {rate(overall.system_throughput, 'msg')} of {rate(overall.offered_throughput, 'msg')} offered",
        f"duplicates: {percent(overall.duplicate_message_rate)}, out of order: {percent(overall.out_of_order_rate)}",
        *bound_lines(result.bounds),
        "",
        result.verdict,
    ]
    return [shown(each) for each in lines]


def bound_lines(bounds: tuple[Judged, ...]) -> list[str]:
    """What did not hold, or is not known, with its evidence."""
    return [
        f"{each.truth}{'' if each.required else ' (not required)'}: {each.name} {each.bound} ({each.evidence})"
        for each in bounds
        if each.truth != "passed"
    ]


def shown(line: str) -> str:
    """A line as a terminal may have it, with its indent."""
    text = line.lstrip()
    return " " * (len(line) - len(text)) + printable(text)


def _type_line(each: TypeDelivery) -> str:
    mark = {True: "✅", False: "❌", None: "❔"}[each.guarantee_kept]
    guarantee = "" if each.delivery_guarantee is None else f" (guaranteed {percent(each.delivery_guarantee)})"
    limit = "" if each.max_latency is None else f" (at most {milliseconds(each.max_latency)})"
    return (
        f"{mark} {each.type}: {_delivery_rate(each)} delivery rate{guarantee};"
        f" latency {milliseconds(each.average_latency)}{limit}, p99 {milliseconds(each.latency.p99)};"
        f" checksums {percent(each.checksum_validation_success)}, in order {percent(each.sequence_order_correct)}"
    )


def _delivery_rate(each: TypeDelivery) -> str:
    """Both ends where they differ."""
    success = each.delivery_success_rate
    if success is None:
        return NOT_MEASURED
    if success.lower == success.upper:
        return percent(success.lower)
    return f"{percent(success.lower)} to {percent(success.upper)}"
