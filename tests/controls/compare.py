"""squall's counts beside the oracle's: from the record's cells, and as summary.json shows them."""

from __future__ import annotations

from dataclasses import asdict, fields

from controls.oracle import Counts, Truth
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.runner.rereading import totals_of
from squall.testing import Run

__all__ = ["TIMES", "differences", "squall_counts"]

OF_CONNECTIONS = frozenset({"corrupted_header", "unexpected", "ack_unexpected"})
"""Counted by connection: what belongs to no message."""

TIMES = frozenset({"reorder_late_ns_sum", "reorder_late_ns_max", "order_wait_ns_sum"})
"""Times: the service's clock stops when a frame goes out, squall's when it comes in."""

IN_SUMMARY = (
    "sent",
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "recovered",
    "late",
    "corrupted_body",
    "corrupted_header",
    "unexpected",
)


def squall_counts(totals: Totals, selection: Selection = EVERYTHING) -> dict[str, int]:
    """Every counter that the oracle has, as squall has it."""
    messages, connections = totals.messages(selection), totals.connections(selection)
    return {
        each.name: getattr(connections if each.name in OF_CONNECTIONS else messages, each.name)
        for each in fields(Counts)
    }


def differences(run: Run, truth: Truth, *, exact_times: bool = False) -> list[str]:
    """Each counter in which squall and the log do not agree: in all, by type, and in the summary.

    Args:
        run: squall's.
        truth: the log's. Where it does not decide which messages were late, that is left out.
        exact_times: whether both clocks are one, and the way between them always as long.
    """
    totals = totals_of(run.record)
    without = frozenset() if exact_times else TIMES
    if truth.close_calls and not exact_times:
        without |= {"late"}
    found = _differ("", squall_counts(totals), asdict(truth.total), without)
    for index, name in enumerate(totals.types[0]):
        of_type = squall_counts(totals, Selection(type=name))
        found += _differ(f"{name}: ", of_type, asdict(truth.of_type(index)), without | OF_CONNECTIONS)
    shown = {name: getattr(run.summary.delivery, name) for name in IN_SUMMARY}
    if run.summary.evidence == "acknowledgement":  # nobody sees what the service delivers
        assert shown.pop("duplicated") is None
        assert shown.pop("reordered") is None
    found += _differ("summary: ", shown, asdict(truth.total), without)
    if truth.forged or truth.bad_in:
        found.append(f"the log contradicts itself: {truth.forged} forged, {truth.bad_in} bad messages in")
    return found


def _differ(where: str, got: dict[str, int], wanted: dict[str, int], left_out: frozenset[str]) -> list[str]:
    """One line for each counter of `got` that is another one in `wanted`."""
    return [
        f"{where}{name}: squall says {got[name]}, the log {wanted[name]}"
        for name in got
        if name not in left_out and got[name] != wanted[name]
    ]
