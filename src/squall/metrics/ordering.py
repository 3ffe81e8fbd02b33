"""In what order messages came, as the summary has it. Pure; each figure is that of the metric of its name."""

from __future__ import annotations

from typing import Final

from squall.metrics.cells import MessageTotals
from squall.metrics.figures import ratio
from squall.metrics.summary_document import Ordering
from squall.metrics.totals import Selection, Totals

__all__ = ["CAUSAL_PAIRS_MIN", "ordering_of"]

CAUSAL_PAIRS_MIN: Final = 1_000
"""Fewer pairs of cause and effect say nothing."""

_NS_PER_MS: Final = 1_000_000


def ordering_of(totals: Totals, selection: Selection) -> Ordering:
    """The order of what arrived; None for what was not kept account of."""
    if not totals.seconds:
        return Ordering()
    messages, tracking = totals.messages(selection), totals.tracking
    found: dict[str, float | int | None] = {}
    if tracking.sequence_numbers and totals.is_seen(selection):
        found |= _order(messages)
    if tracking.causality and messages.causal_pairs:
        enough = messages.causal_pairs >= CAUSAL_PAIRS_MIN
        found["causal_pairs"] = messages.causal_pairs
        found["causal_violations"] = messages.causal_violations if enough else None
    if tracking.timestamps and messages.timestamps_judged:
        found["timestamps_judged"] = messages.timestamps_judged
        found["timestamps_wrong"] = messages.timestamps_wrong
    return Ordering(**found)  # type: ignore[arg-type] # each under the name of its field


def _order(messages: MessageTotals) -> dict[str, float | int | None]:
    arrived = messages.delivered
    waited_ms = None if messages.order_wait_unmeasured else messages.order_wait_ns_sum / _NS_PER_MS
    return {
        "accuracy": ratio(arrived - messages.reordered, arrived),
        "in_type": ratio(arrived - messages.reordered_in_type, arrived),
        "latency_mean_ms": None if waited_ms is None else ratio(waited_ms, arrived),
        "waited": messages.order_waited,
        "latency_mean_waited_ms": None if waited_ms is None else ratio(waited_ms, messages.order_waited),
        "wait_unmeasured": messages.order_wait_unmeasured,
        "out_of_order": messages.reordered,
        "gaps": messages.gaps,
        "in_gaps": messages.messages_in_gaps,
    }
