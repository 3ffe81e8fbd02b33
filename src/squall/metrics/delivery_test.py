"""What a delivery test came to: its types, the whole, and how every bound came out. Pure.

- **delivery_success_rate**: delivered / sent to (delivered + unknown) / sent; it is above a bound if all of it is.
- **average_latency**: the mean response_time of the hold, in milliseconds; `latency` has the tails.
- **checksum_validation_success**: 1 − damaged copies / copies that came as envelopes.
- **sequence_order_correct**: by the sequence within the type, as priorities may reorder across types.
- **total_messages_processed**: delivered; **system_throughput**: those per second of sending.
- **duplicate_message_rate**, **out_of_order_rate**: duplicated, reordered / distinct arrived.

None is not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from squall.metrics.delivery_bounds import (
    CHECKSUMS,
    DUPLICATES,
    LATENCY,
    ORDER_IN_TYPE,
    OUT_OF_ORDER,
    SUCCESS,
    THROUGHPUT,
    of_type,
    offered_hz,
    offered_messages,
)
from squall.metrics.figures import percent, ratio
from squall.metrics.success import DeliverySuccess
from squall.metrics.summary_document import Delivery, Judged, Percentiles, Summary
from squall.record.verdicts import Outcome
from squall.scenario.models import MessageType, Scenario

__all__ = [
    "DeliveryGuaranteeResult",
    "OverallDelivery",
    "TypeDelivery",
    "delivery_result",
    "outcome_of",
    "sentence_of",
]

_OUTCOMES: Final[dict[str | None, Outcome]] = {"passed": "passed", "failed": "failed"}


class TypeDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages of one type. Latencies in milliseconds."""

    type: str
    priority: str | None
    delivery_guarantee: float | None
    max_latency: float | None
    delivery_success_rate: DeliverySuccess | None
    average_latency: float | None
    latency: Percentiles
    checksum_validation_success: float | None
    sequence_order_correct: float | None
    delivery: Delivery
    guarantee_kept: bool | None
    """Whether every bound on it held; None where that is not known."""


class OverallDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. `messages_offered` and `offered_throughput` are what was planned."""

    total_messages_processed: int | None
    messages_offered: int | None
    system_throughput: float | None
    offered_throughput: float | None
    duplicate_message_rate: float | None
    out_of_order_rate: float | None
    delivery: Delivery


class DeliveryGuaranteeResult(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery test. `bounds` are all that were judged, each with its figure and its evidence."""

    results_by_message_type: dict[str, TypeDelivery]
    overall: OverallDelivery
    bounds: tuple[Judged, ...]
    outcome: Outcome
    valid: bool
    exit_code: int
    reasons: tuple[str, ...]
    verdict: str
    """In one sentence."""
    folder: str


def delivery_result(scenario: Scenario, summary: Summary, folder: str) -> DeliveryGuaranteeResult:
    """The result of a delivery test, from the summary of its run."""
    judged = tuple(summary.verdict.judgements or ())
    kinds = {each.name: each for population in scenario.populations for each in population.traffic.types}
    offered, rate_hz = offered_messages(scenario), offered_hz(scenario)
    throughput = summary.throughput.delivered_per_s
    return DeliveryGuaranteeResult(
        results_by_message_type={
            name: _type(kind, summary, judged, ["", *summary.populations]) for name, kind in kinds.items()
        },
        overall=OverallDelivery(
            total_messages_processed=summary.delivery.delivered,
            messages_offered=None if offered is None else round(offered),
            system_throughput=throughput
            if _figure(judged, THROUGHPUT) is None
            else _figure(judged, THROUGHPUT),
            offered_throughput=rate_hz,
            duplicate_message_rate=_figure(judged, DUPLICATES),
            out_of_order_rate=_figure(judged, OUT_OF_ORDER),
            delivery=summary.delivery,
        ),
        bounds=judged,
        outcome=outcome_of(summary),
        valid=bool(summary.verdict.valid),
        exit_code=summary.verdict.exit_code or 0,
        reasons=tuple(summary.verdict.reasons or ()),
        verdict=sentence_of(summary, _kept(summary)),
        folder=folder,
    )


def outcome_of(summary: Summary) -> Outcome:
    """The outcome of a run; a warning where it has none."""
    return _OUTCOMES.get(summary.verdict.outcome, "warning")


def sentence_of(summary: Summary, kept: str) -> str:
    """The verdict on a run in one sentence; `kept` says what it showed where it passed."""
    outcome, reasons = outcome_of(summary), summary.verdict.reasons or ()
    if outcome == "passed" or not reasons:
        return f"{outcome.upper()}: {kept}."
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{outcome.upper()}: {reasons[0].removeprefix('failed: ')}{more}."


def _type(
    kind: MessageType, summary: Summary, judged: tuple[Judged, ...], populations: Sequence[str]
) -> TypeDelivery:
    delivery = summary.delivery_by_type[kind.name]
    latency = summary.latency_by_type[kind.name].response
    return TypeDelivery(
        type=kind.name,
        priority=kind.priority,
        delivery_guarantee=kind.guarantee,
        max_latency=None if kind.max_latency is None else kind.max_latency * 1000,
        delivery_success_rate=_success(delivery, summary.window_exceeded),
        average_latency=latency.mean,
        latency=latency,
        checksum_validation_success=_figure(judged, of_type(CHECKSUMS, kind.name)),
        sequence_order_correct=_figure(judged, of_type(ORDER_IN_TYPE, kind.name)),
        delivery=delivery,
        guarantee_kept=_all_hold(kind.name, judged, populations),
    )


def _success(delivery: Delivery, window_exceeded: int | None) -> DeliverySuccess | None:
    if not delivery.sent or delivery.delivered is None or delivery.lost is None or window_exceeded:
        return None
    return DeliverySuccess(delivery.delivered / delivery.sent, 1 - delivery.lost / delivery.sent)


def _figure(judged: tuple[Judged, ...], name: str) -> float | None:
    """What was measured for a bound."""
    return next((each.figure for each in judged if each.name == name), None)


def _all_hold(name: str, judged: tuple[Judged, ...], populations: Sequence[str]) -> bool | None:
    """Whether every required bound on a type holds, in whichever of these populations ("": in all as one)."""
    metrics = (SUCCESS, LATENCY, CHECKSUMS, ORDER_IN_TYPE)
    names = {of_type(metric, name, each) for metric in metrics for each in populations}
    truths = {each.truth for each in judged if each.name in names and each.required}
    if "failed" in truths:
        return False
    return None if not truths or "unknown" in truths else True


def _kept(summary: Summary) -> str:
    sent, delivered = summary.delivery.sent or 0, summary.delivery.delivered or 0
    share = ratio(delivered, sent)
    shown = "nothing was sent" if share is None else f"{percent(share)} of {sent:,} messages were delivered"
    return f"every bound held; {shown}"
