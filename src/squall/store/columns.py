"""The columns of a record: the order of the fields in what is stored by position instead of by name.

A log's header names them. Within a format version fields are only ever appended, with a default: a reader
that knows more of them than the writer takes the defaults, one that knows fewer leaves out the rest. So two
lists fit if one begins with the other; anything else would be read into the wrong fields and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from squall.errors import FormatError
from squall.record.outcomes import Trouble
from squall.record.snapshots import (
    CheckCell,
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    SparseHistogram,
    WorkerSample,
)
from squall.record.streams import SentSecond, StreamTrouble

__all__ = ["COLUMNS", "check_columns"]

COLUMNS: dict[str, list[str]] = {
    shape.__name__: list(shape.__struct_fields__)
    for shape in (
        Interval,
        MessageCell,
        ConnectionCell,
        WorkerSample,
        SparseHistogram,
        Place,
        Event,
        Trouble,
        CheckCell,
        StreamTrouble,
        SentSecond,
    )
}
"""By the name of the record, its fields in the order in which they are stored."""

ADDED = frozenset({"CheckCell", "StreamTrouble", "SentSecond"})
"""Records that came to the format later: a log that does not name them has none."""


def check_columns(found: Mapping[str, Sequence[str]], path: Path) -> None:
    """Make sure that what a log's header names can be read by position.

    Raises:
        FormatError: a record's fields stand in another order than the one known here.
    """
    for name, known in COLUMNS.items():
        if name in ADDED and name not in found:
            continue
        written = list(found.get(name, ()))
        shared = min(len(written), len(known))
        if not written or written[:shared] != known[:shared]:
            raise FormatError(
                f"{path}: the fields of {name} are {', '.join(written) or 'not named'}; "
                f"this squall knows {', '.join(known)}",
                hint="read it with the squall that wrote it (its version stands in run.json)",
            )
