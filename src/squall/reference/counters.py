"""What each node counts, in memory that every process of the service can read.

One anonymous shared mapping holds a row of 64-bit cells for each node. A row has a single writer, its node;
anyone may read. A cell is written in one store, so that a reader never sees half a number; two cells of one
row may differ by what happened between their stores, at most one publishing interval.

The hot path counts in a `Tally` of its own process, because a store into shared memory costs several times
an attribute; the node's beat publishes the tally. It does not know HTTP or the loop.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["NOT_MEASURED", "CounterBoard", "CounterRow", "NodeFigures", "Tally"]

NOT_MEASURED = -1
"""What the cells of the beat hold until there was one."""

_CELL_BYTES = 8


class _Cell(IntEnum):
    """The cells of a row."""

    PID = 0
    BEAT_NS = 1
    LAG_NS = 2
    LAG_MAX_NS = 3
    CONNECTIONS = 4
    CONNECTIONS_TOTAL = 5
    MESSAGES_RECEIVED = 6
    MESSAGES_SENT = 7
    BYTES_RECEIVED = 8
    BYTES_SENT = 9


class Tally:
    """The counts of one process, as its hot path keeps them; bytes are those of the messages' payloads."""

    __slots__ = (
        "bytes_received",
        "bytes_sent",
        "connections",
        "connections_total",
        "messages_received",
        "messages_sent",
    )

    def __init__(self) -> None:
        self.connections = 0
        self.connections_total = 0
        self.messages_received = 0
        self.messages_sent = 0
        self.bytes_received = 0
        self.bytes_sent = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFigures:
    """One node's row, read at one moment. `pid` is 0 until the node runs.

    `beat_ns` is the monotonic clock's reading at the last beat, None until the loop runs; `lag_ns` is the
    longest lateness of a beat within the last one to two seconds, `lag_max_ns` that since the start, both
    None until the first beat was due.
    """

    pid: int
    beat_ns: int | None
    lag_ns: int | None
    lag_max_ns: int | None
    connections: int
    connections_total: int
    messages_received: int
    messages_sent: int
    bytes_received: int
    bytes_sent: int


class CounterRow:
    """The one writer of one node's row."""

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells

    def publish(self, tally: Tally) -> None:
        """Copy the tally into the row."""
        cells = self._cells
        cells[_Cell.CONNECTIONS] = tally.connections
        cells[_Cell.CONNECTIONS_TOTAL] = tally.connections_total
        cells[_Cell.MESSAGES_RECEIVED] = tally.messages_received
        cells[_Cell.MESSAGES_SENT] = tally.messages_sent
        cells[_Cell.BYTES_RECEIVED] = tally.bytes_received
        cells[_Cell.BYTES_SENT] = tally.bytes_sent

    def publish_beat(self, *, beat_ns: int, lag_ns: int, lag_max_ns: int) -> None:
        """Say when the loop last ran its beat, and how late; `NOT_MEASURED` before the first was due."""
        cells = self._cells
        cells[_Cell.LAG_NS] = lag_ns
        cells[_Cell.LAG_MAX_NS] = lag_max_ns
        cells[_Cell.BEAT_NS] = beat_ns

    def publish_pid(self, pid: int) -> None:
        """Say which process the row belongs to."""
        self._cells[_Cell.PID] = pid


class CounterBoard:
    """All rows. Made by the parent before it starts the nodes, which inherit the mapping."""

    def __init__(self, nodes: int) -> None:
        self._row_bytes = len(_Cell) * _CELL_BYTES
        self._map = mmap.mmap(-1, nodes * self._row_bytes)
        self._rows = [self._cells_of(index) for index in range(nodes)]
        for cells in self._rows:
            cells[_Cell.BEAT_NS] = cells[_Cell.LAG_NS] = cells[_Cell.LAG_MAX_NS] = NOT_MEASURED

    def _cells_of(self, index: int) -> memoryview:
        start = index * self._row_bytes
        return memoryview(self._map)[start : start + self._row_bytes].cast("q")

    def row(self, index: int) -> CounterRow:
        """The row that node `index`, and nobody else, writes."""
        return CounterRow(self._rows[index])

    def figures(self) -> list[NodeFigures]:
        """Every node's row, as it stands."""
        return [_figures_of(cells) for cells in self._rows]


def _figures_of(cells: memoryview) -> NodeFigures:
    return NodeFigures(
        pid=cells[_Cell.PID],
        beat_ns=_measured(cells[_Cell.BEAT_NS]),
        lag_ns=_measured(cells[_Cell.LAG_NS]),
        lag_max_ns=_measured(cells[_Cell.LAG_MAX_NS]),
        connections=cells[_Cell.CONNECTIONS],
        connections_total=cells[_Cell.CONNECTIONS_TOTAL],
        messages_received=cells[_Cell.MESSAGES_RECEIVED],
        messages_sent=cells[_Cell.MESSAGES_SENT],
        bytes_received=cells[_Cell.BYTES_RECEIVED],
        bytes_sent=cells[_Cell.BYTES_SENT],
    )


def _measured(cell: int) -> int | None:
    return None if cell == NOT_MEASURED else cell
