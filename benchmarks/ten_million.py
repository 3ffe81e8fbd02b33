"""Ten million messages through envelope, ledger and tallies, and the memory of the process on the way.

`python -m benchmarks.ten_million MESSAGES clean|troubled` prints, as JSON, the resident bytes after each tenth. The
messages are those of the delivery test: 10,000 streams, four types. Where they are troubled, of each 9,973 (a prime, so
that all streams have their turn) one is lost, one comes twice, one comes behind the next of its stream. The steps are
those of a session, called from Python, without sockets; each second's cells are taken as for a report.
"""

from __future__ import annotations

import json
import sys
from typing import Final

import psutil

from squall.delivery.envelope import GOOD, Codec
from squall.delivery.ledger import DUPLICATE, REORDERED, Stream
from squall.engine.tally import NEVER_NS, Tallies

__all__ = ["Fed", "fed"]

STREAMS: Final = 10_000
TYPES: Final = 4
A_SECOND: Final = 5_556
"""Messages a second in the delivery test: 10 million in half an hour."""
TROUBLE_EVERY: Final = 9_973
LOST, TWICE, LATE = 2_500, 5_000, 7_500

Fed = dict[str, int]


def fed(messages: int, *, troubled: bool) -> tuple[list[int], Fed]:
    """Feed so many; the resident bytes after each tenth, and what was counted."""
    codec = Codec(7, False, (128,), 1)
    streams = [Stream() for _ in range(STREAMS)]
    for stream in streams:
        stream.begin_segment(0, 0)
    tallies = Tallies(0, 0, 0, 0, max_latencies_ns=[NEVER_NS] * TYPES, sends=True)
    counted: Fed = {"sent": 0, "delivered": 0, "duplicated": 0, "reordered": 0}
    process, resident = psutil.Process(), []
    late: dict[int, bytes] = {}
    for at in range(messages):
        number, trouble = at % STREAMS, at % TROUBLE_EVERY if troubled else 0
        sequence = streams[number].assign()
        payload = _payload(codec, number, sequence, at)
        tallies.types[sequence % TYPES].intended += 1
        if trouble == LATE:
            late[number] = payload
        elif trouble != LOST:
            overtaken = late.pop(number, None)
            for copy in (payload, payload if trouble == TWICE else None, overtaken):
                if copy is not None:
                    _arrive(codec, streams[number], tallies, copy, at)
        if at % A_SECOND == 0:
            _take(tallies, counted)
        if (at + 1) % (messages // 10) == 0:
            resident.append(process.memory_info().rss)
    _take(tallies, counted)
    return resident, counted


def _payload(codec: Codec, number: int, sequence: int, at: int) -> bytes:
    size = codec.encode(number, 0, sequence, sequence % TYPES, sequence // TYPES, 1, at * 180_000, 0)
    return bytes(codec.buffer[codec.offset : codec.offset + size])


def _arrive(codec: Codec, stream: Stream, tallies: Tallies, payload: bytes, at: int) -> None:
    if codec.decode_bytes(payload, False) != GOOD:
        raise RuntimeError("a message that was just written does not read as good")
    tally = tallies.types[codec.type_index]
    found = stream.arrive(codec.sequence, at * 180_000)
    if found == DUPLICATE:
        tally.duplicated += 1
        return
    if found == REORDERED:
        tally.reordered_by(stream.extent, stream.late_ns)
    tally.delivered_after(400_000 + at % 1000, 400_000)


def _take(tallies: Tallies, counted: Fed) -> None:
    for cell in tallies.take()[0]:
        counted["sent"] += cell.sent
        counted["delivered"] += cell.delivered
        counted["duplicated"] += cell.duplicated
        counted["reordered"] += cell.reordered


if __name__ == "__main__":
    print(json.dumps(fed(int(sys.argv[1]), troubled=sys.argv[2] == "troubled")))
