"""The order of what arrived, as the summary has it."""

from __future__ import annotations

from typing import Any

from made_runs import a_run, messages, some_totals
from squall.metrics.ordering import CAUSAL_PAIRS_MIN, ordering_of
from squall.metrics.summary_document import Ordering
from squall.metrics.totals import EVERYTHING, Selection
from squall.scenario.models import Tracking

FAULTS: dict[str, Any] = {
    "reordered": 5,
    "reordered_in_type": 1,
    "order_waited": 10,
    "order_wait_ns_sum": 500_000_000,
    "gaps": 2,
    "messages_in_gaps": 3,
    "causal_pairs": CAUSAL_PAIRS_MIN,
    "causal_violations": 4,
    "timestamps_judged": 50,
    "timestamps_wrong": 6,
}


def test_every_figure_is_of_the_messages_that_arrived() -> None:
    assert ordering_of(a_run(messages(0, **FAULTS)), EVERYTHING) == Ordering(
        accuracy=0.9,
        in_type=0.98,
        latency_mean_ms=10,
        waited=10,
        latency_mean_waited_ms=50,
        wait_unmeasured=0,
        out_of_order=5,
        gaps=2,
        in_gaps=3,
        causal_pairs=CAUSAL_PAIRS_MIN,
        causal_violations=4,
        timestamps_judged=50,
        timestamps_wrong=6,
    )
    assert ordering_of(a_run(messages(0, **FAULTS)), Selection(type="critical")).accuracy is None


def test_what_was_not_kept_account_of_is_not_measured() -> None:
    totals = a_run(messages(0, **FAULTS))
    totals.tracking = Tracking(sequence_numbers=False, timestamps=False, causality=False)
    assert ordering_of(totals, EVERYTHING) == Ordering()
    assert ordering_of(some_totals(), EVERYTHING) == Ordering()


def test_too_few_pairs_and_a_wait_known_in_part_are_no_figures() -> None:
    few = ordering_of(a_run(messages(0, **(FAULTS | {"causal_pairs": 9}))), EVERYTHING)
    assert (few.causal_pairs, few.causal_violations) == (9, None)
    part = ordering_of(a_run(messages(0, **(FAULTS | {"order_wait_unmeasured": 1}))), EVERYTHING)
    assert (part.latency_mean_ms, part.latency_mean_waited_ms, part.wait_unmeasured) == (None, None, 1)
    none = ordering_of(a_run(), EVERYTHING)
    assert (none.causal_pairs, none.causal_violations, none.timestamps_judged) == (None, None, None)


def test_order_is_not_measured_where_nobody_sees_what_is_delivered() -> None:
    totals = a_run(messages(0, **FAULTS))
    totals.unseen = frozenset({"main"})
    assert ordering_of(totals, EVERYTHING).accuracy is None
    assert ordering_of(totals, Selection(population="other")).out_of_order == 0
