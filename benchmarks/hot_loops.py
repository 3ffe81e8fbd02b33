"""Times the innermost steps of the hot path, one by one, and prints nanoseconds as JSON; a process of its own.

Each step is called from Python, as in a run without a C compiler. Compiled, a run calls them from C: there the
cost of an empty call, which is printed too, falls away. Best of five rounds: what disturbs only adds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final

from squall import _native
from squall.delivery.envelope import GOOD, Codec
from squall.delivery.ledger import FIRST, Stream
from squall.metrics.histogram import Histogram

__all__ = ["measured"]

CALLS: Final = 20_000
ROUNDS: Final = 5
BODY_BYTES: Final = 128


def measured() -> dict[str, float]:
    """Nanoseconds a call, by step."""
    return {
        "empty call": _best(_empty_calls),
        "envelope encode": _best(_encodes),
        "envelope decode": _best(_decodes),
        "ledger arrive": _best(_arrivals),
        "histogram record": _best(_records),
    }


def _best(loop: Callable[[], int]) -> float:
    return min(loop() for _ in range(ROUNDS)) / CALLS


def _empty_calls() -> int:
    return _timed(lambda _at: None, range(CALLS))


def _encodes() -> int:
    codec = _codec()
    return _timed(lambda at: codec.encode(7, 0, at, 0, at, 1, at, 0), range(CALLS))


def _decodes() -> int:
    codec = _codec()
    size = codec.encode(7, 0, 1, 0, 1, 1, 123_456_789, 0)
    payload = bytes(codec.buffer[codec.offset : codec.offset + size])
    if codec.decode_bytes(payload, False) != GOOD:
        raise RuntimeError("a message that was just written does not read as good")
    return _timed(lambda _: codec.decode_bytes(payload, False), range(CALLS))


def _arrivals() -> int:
    stream = Stream()
    stream.begin_segment(0, 0)
    numbers = [stream.assign() for _ in range(CALLS + 1)]
    if stream.arrive(numbers[0], 0) != FIRST:
        raise RuntimeError("the first message of a stream is not its first")
    return _timed(lambda at: stream.arrive(at, at), numbers[1:])


def _records() -> int:
    histogram = Histogram()
    took_ns = _timed(histogram.record, range(1_000_000, 1_000_000 + CALLS))
    if histogram.count != CALLS:
        raise RuntimeError(f"a histogram counted {histogram.count} of {CALLS}")
    return took_ns


def _timed(step: Callable[[int], object], values: Iterable[int]) -> int:
    begun_ns = time.perf_counter_ns()
    for value in values:
        step(value)
    return time.perf_counter_ns() - begun_ns


def _codec() -> Codec:
    return Codec(1, False, (BODY_BYTES,), 1)


if __name__ == "__main__":
    json.dump({"sources": _native.reason_for_sources(), "ns": measured()}, sys.stdout)
