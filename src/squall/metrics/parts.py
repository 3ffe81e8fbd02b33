"""A run cut by labels, so that a metric can be read of each part: what `sum by (label)` adds up again.

The rule: every cell is in exactly one part, so that the parts together are the whole. Phases of one name are
one part. Parts come in the order in which they first occurred; what comes after `most` of them is in one that
is called `OTHER`, so that labels are bounded, and a part once seen keeps its cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.metrics.totals import EVERYTHING, Selection, Totals

__all__ = ["OTHER", "Labels", "Part", "connection_parts", "message_parts"]

OTHER: Final = "_other"
"""The value of every label of the part that takes what is past the limit."""

Labels = dict[str, str]


_NO_MESSAGES: Final = MessageTotals()
_NO_CONNECTIONS: Final = ConnectionTotals()


class Part(Totals):
    """The messages, or the connections, of one combination of labels. They are added up once, not at each look."""

    def __init__(
        self,
        whole: Totals,
        labels: Labels,
        messages: MessageTotals = _NO_MESSAGES,
        connections: ConnectionTotals = _NO_CONNECTIONS,
    ) -> None:
        population = labels["population"]
        by_whom = {name: who for name, who in whole.acknowledged.items() if name == population}
        super().__init__(
            (population,),
            ((),),
            unseen=whole.unseen & {population},
            acknowledged=by_whom,
            unconfirmed=whole.unconfirmed & {population},
        )
        self.labels = labels
        self.sum_of_messages = messages
        self.sum_of_connections = connections

    def messages(self, selection: Selection = EVERYTHING) -> MessageTotals:  # noqa: ARG002 - the form of all totals
        """Its messages; a part is not cut any further."""
        return self.sum_of_messages

    def connections(self, selection: Selection = EVERYTHING) -> ConnectionTotals:  # noqa: ARG002 - the form of all totals
        """Its connections; a part is not cut any further, but for what the metrics themselves pick of them."""
        return self.sum_of_connections


def message_parts(totals: Totals, *, most: int) -> Iterator[Part]:
    """By `population`, `type` and `phase`."""
    sums: dict[tuple[str, ...], MessageTotals] = {}
    for (population, phase, kind, _place), cell in totals.message_cells.items():
        values = (totals.populations[population], totals.types[population][kind], _phase(totals, phase))
        sums.setdefault(_within(values, sums, most), MessageTotals()).merge(cell)
    for labels, messages in sums.items():
        yield Part(totals, dict(zip(("population", "type", "phase"), labels, strict=True)), messages=messages)


def connection_parts(totals: Totals, *, most: int) -> Iterator[Part]:
    """By `population` and `phase`."""
    sums: dict[tuple[str, ...], ConnectionTotals] = {}
    for (population, phase, _place), cell in totals.connection_cells.items():
        values = (totals.populations[population], _phase(totals, phase))
        sums.setdefault(_within(values, sums, most), ConnectionTotals()).merge(cell)
    for labels, connections in sums.items():
        yield Part(totals, dict(zip(("population", "phase"), labels, strict=True)), connections=connections)


def _within(values: tuple[str, ...], known: Mapping[tuple[str, ...], object], most: int) -> tuple[str, ...]:
    """The values themselves, or those of the part for all that is past the limit."""
    return values if values in known or len(known) < most else (OTHER,) * len(values)


def _phase(totals: Totals, phase: int) -> str:
    known = totals.phases.get(phase)
    return known.name if known is not None else str(phase)
