"""What came unasked, as push exchanges count it: in figures, and judged.

Every message that is not declared foreign is **received**. One with a number in its `sequence` field is
**sequenced**; only of those can anything be *missing* (skipped by a later number, and not come since, on the
same connection and key), in a **gap** (a run of missing numbers), **duplicated** or **reordered**. Where no
message carried a number these are not measured. A **delay** is from the sender's time stamp to the arrival, by
two clocks; a negative one is counted as that, and is in no distribution.

Integrity: nothing received at all is a failure; so is anything missing, reordered or, unless the promise is
at-least-once, duplicated; where the scenario says the promise, `promise` tells of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from squall.metrics.cells import ConnectionTotals
from squall.metrics.figures import Figure, judged, number
from squall.metrics.phases import settled
from squall.metrics.summary_document import Percentiles, Push
from squall.metrics.totals import Selection, Totals
from squall.record.run import Phase
from squall.record.verdicts import Judgement
from squall.scenario.exchanges import EXCHANGES
from squall.scenario.models import Scenario

__all__ = ["FOLLOWED", "counts_pushes", "judge_pushes", "push_figure", "push_figures"]

FOLLOWED: Final = ("missing", "gaps", "duplicated", "reordered")
"""What is known of a sequence."""


def counts_pushes(exchange: dict[str, Any]) -> bool:
    """Whether an exchange of a recorded scenario counts what comes unasked."""
    kind = EXCHANGES.get(exchange.get("kind", ""))
    return kind is not None and kind.counts_pushes


def push_figure(connections: ConnectionTotals, name: str) -> int | None:
    """One of `FOLLOWED`; None where no message carried a number."""
    return int(getattr(connections, f"push_{name}")) if connections.push_sequenced else None


def push_figures(
    totals: Totals, phases: Sequence[Phase], delay: Percentiles, population: str | None = None
) -> Push:
    """The figures of a population, or of all. The rate is that of the settled phases, or of all without any."""
    connections = totals.connections(Selection(population=population))
    hold = Selection(population=population, phases=settled(phases) or None)
    length_s = totals.length_s(hold)
    return Push(
        received=connections.pushed,
        per_s=totals.connections(hold).pushed / length_s if length_s > 0 else None,
        sequenced=connections.push_sequenced,
        **{name: push_figure(connections, name) for name in FOLLOWED},
        delay=delay,
        negative_delays=connections.push_early if connections.push_early or delay.count else None,
    )


def judge_pushes(scenario: Scenario, totals: Totals) -> list[Judgement]:
    """The judgements on pushes; none where no population counts any."""
    exchanges = [each.exchange for each in scenario.populations if each.exchange.counts_pushes]
    if not exchanges:
        return []
    received = totals.connections().pushed
    words = Figure.exact(received, f"{number(received)} messages pushed")
    found = [judged(words, ">", 0, name="any pushed", source="integrity", bound="> 0")]
    if any(getattr(each, "sequence", None) is not None for each in exchanges):
        found.append(_followed("none missing of what was pushed", "missing", totals))
        found.append(_followed("no push reordered", "reordered", totals))
        if scenario.delivery.promise != "at-least-once" and not scenario.delivery.is_promise_said:
            found.append(_followed("no push duplicated", "duplicated", totals))
    return found


def _followed(name: str, figure: str, totals: Totals) -> Judgement:
    connections = totals.connections()
    count = push_figure(connections, figure)
    words = f"{number(count or 0)} {figure}, of {number(connections.push_sequenced)} with a number"
    known = None if count is None else Figure.exact(count, words)
    if count is not None and not totals.events_complete:
        known = Figure(count, math.inf, f"{words}, at least: a worker ended before it had told all")
    return judged(
        known,
        "==",
        0,
        name=name,
        source="integrity",
        bound="== 0",
        missing="not measured: no message carried a number in the field that is its sequence",
    )
