"""What kinds of fields the cells have, read from the cells themselves.

The rule: whoever fills, adds up or empties cells asks here, so that a new figure is a new field of its cell, and whatever
adds fields up takes it along. A count whose name ends in `_max` is the greatest, every other one a sum.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from squall.record.snapshots import ConnectionCell, MessageCell, SparseHistogram

__all__ = [
    "CONNECTION_SUMS",
    "CONNECTION_TIMES",
    "COUNTED_BY_WORD",
    "MESSAGE_COUNTS",
    "MESSAGE_MAXIMA",
    "MESSAGE_SUMS",
    "MESSAGE_TIMES",
    "STANDS_FOR",
]

_KEYS: Final = frozenset({"population", "phase", "type", "place"})

STANDS_FOR: Final = {"pacer_lag": "lag", "unlagged": "service"}
"""Histograms that a cell leaves out where they equal another one of its own."""


def _fields_of(cell: type[msgspec.Struct], kind: Any) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in msgspec.structs.fields(cell)
        if field.type == kind and field.name not in _KEYS and field.name not in STANDS_FOR
    )


MESSAGE_COUNTS: Final = _fields_of(MessageCell, int)
MESSAGE_MAXIMA: Final = tuple(name for name in MESSAGE_COUNTS if name.endswith("_max"))
MESSAGE_SUMS: Final = tuple(name for name in MESSAGE_COUNTS if name not in MESSAGE_MAXIMA)
MESSAGE_TIMES: Final = _fields_of(MessageCell, SparseHistogram | None)
"""Its histograms, those apart that others stand for."""

CONNECTION_SUMS: Final = _fields_of(ConnectionCell, int)
CONNECTION_TIMES: Final = _fields_of(ConnectionCell, SparseHistogram | None)
COUNTED_BY_WORD: Final = _fields_of(ConnectionCell, dict[str, int])
