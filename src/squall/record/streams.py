"""Where it went wrong: the streams with the most missing, and when what is missing was sent.

A stream's trouble is told once a session has ended, since only then is anything lost; so both come late, and belong
to the time of sending and not to that of the report. Times are nanoseconds since the start of the run. Of a
worker that died nothing of this is known.
"""

from __future__ import annotations

import msgspec

__all__ = ["RANGES_MAX", "UNTIMED", "SentSecond", "StreamTrouble"]

RANGES_MAX = 32
"""Ranges of numbers that are told of a stream; `lost` and `unknown` count all."""
UNTIMED = -1
"""The second of messages of which it is not known any more when they were sent."""


class StreamTrouble(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What went wrong on one stream. Ranges are (first number, last number), the earliest `RANGES_MAX` of each kind.

    `first_sent_ns` and `last_sent_ns` are when the first and the last of the missing were sent, as far as that
    is remembered. `why` says how its last connection ended: "drained", or "died". In a room it is what one `member`
    was owed of the stream; else that is -1. `is_whole` false: more of the stream may have been told before, and gone.
    """

    population: int
    stream: int
    worker: int
    lost: int = 0
    unknown: int = 0
    duplicated: int = 0
    reordered: int = 0
    lost_ranges: list[tuple[int, int]] = []
    unknown_ranges: list[tuple[int, int]] = []
    first_sent_ns: int | None = None
    last_sent_ns: int | None = None
    why: str = ""
    member: int = -1
    is_whole: bool = True


class SentSecond(msgspec.Struct, frozen=True, array_like=True):
    """Of what was sent in the `width_s` seconds from `second` on, how many messages ended in which way.

    `retried` needed a second send. Seconds count from the start of the run.
    """

    second: int
    width_s: int = 1
    lost: int = 0
    unknown: int = 0
    retried: int = 0
