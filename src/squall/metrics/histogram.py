"""The recorder of the hot path, and the compiled form of the bytes in which counts travel.

The rule: `record` touches no Python object when compiled and cannot fail; the buckets are those of
`squall.metrics.buckets`; count, sum, least and greatest are exact. It does not know what it measures, and
grows only until it is taken. Percentiles are `squall.metrics.distribution`'s.
"""

from __future__ import annotations

from array import array

import cython
import numpy as np

from squall.metrics.buckets import BUCKETS, pack, unpack
from squall.record.snapshots import SparseHistogram

if not cython.compiled:

    def leading_zeros(value: int) -> int:
        """How many of the 64 bits stand above the highest one set; compiled, one instruction."""
        return 64 - value.bit_length()


__all__ = ["Histogram", "decode_into", "encode"]


@cython.final
@cython.cclass
class Histogram:
    """Counts durations since the last `take`, in nanoseconds; `sum_ns`, `min_ns`, `max_ns` of none are 0."""

    def __init__(self) -> None:
        self._counts = array("q", bytes(8 * BUCKETS))
        self._clear()

    @cython.ccall
    @cython.exceptval(check=False)
    def record(self, value_ns: cython.longlong) -> cython.void:
        """Count one value. Below zero is possible (a clock mapped from another host) and kept in the sum."""
        clamped: cython.longlong
        exponent: cython.int
        index: cython.Py_ssize_t
        if self.count == 0:
            self.min_ns = value_ns
            self.max_ns = value_ns
        elif value_ns < self.min_ns:
            self.min_ns = value_ns
        elif value_ns > self.max_ns:
            self.max_ns = value_ns
        self.count += 1
        self.sum_ns += value_ns
        # The numbers are those of `buckets.bucket_of`, written out: a name would be a Python object here.
        clamped = value_ns
        if clamped < 1_000:
            clamped = 1_000
        elif clamped > 100_000_000_000:
            clamped = 100_000_000_000
        exponent = 63 - leading_zeros(clamped)
        index = (exponent << 7) + (clamped >> (exponent - 7)) - 1402
        self._counts[index] += 1

    def take(self) -> SparseHistogram | None:
        """What was recorded since the last time, and start anew; None where that is nothing."""
        if self.count == 0:
            return None
        taken = SparseHistogram(self.count, self.sum_ns, self.min_ns, self.max_ns, encode(self._counts))
        self._clear()
        return taken

    @cython.cfunc
    @cython.exceptval(check=False)
    def _clear(self) -> cython.void:
        index: cython.Py_ssize_t
        if cython.compiled:
            for index in range(3393):
                self._counts[index] = 0
        else:
            np.asarray(self._counts)[:] = 0
        self.count = 0
        self.sum_ns = 0
        self.min_ns = 0
        self.max_ns = 0


@cython.ccall
def encode(counts: cython.longlong[::1]) -> bytes:
    """What `buckets.pack` writes."""
    if not cython.compiled:
        return pack(np.asarray(counts))
    out = bytearray()
    before: cython.Py_ssize_t = -1
    index: cython.Py_ssize_t
    count: cython.longlong
    for index in range(len(counts)):
        count = counts[index]
        if count != 0:
            _append(out, index - before)
            _append(out, count)
            before = index
    return bytes(out)


@cython.ccall
def decode_into(buckets: bytes, counts: cython.longlong[::1]) -> cython.void:
    """Add what `encode` wrote to `counts`, one number a bucket.

    Raises:
        ValueError: the bytes are not whole pairs, or name a bucket that does not exist.
    """
    if not cython.compiled:
        indices, added = unpack(buckets)
        np.asarray(counts)[indices] += added
        return
    index: cython.Py_ssize_t = -1
    size: cython.Py_ssize_t = len(counts)
    number: cython.longlong = 0
    shift: cython.int = 0
    is_count: cython.bint = False
    byte: cython.uchar
    for byte in buckets:
        if shift > 56:
            raise ValueError("a histogram holds a number of more than 63 bits")
        number |= cython.cast(cython.longlong, byte & 127) << shift
        if byte & 128:
            shift += 7
            continue
        if is_count:
            counts[index] += number
        elif number <= 0 or number >= size - index:
            raise ValueError(f"a histogram names a bucket past the {size} there are")
        else:
            index += number
        is_count = not is_count
        number = 0
        shift = 0
    if is_count or shift:
        raise ValueError("a histogram's bytes end inside a pair")


@cython.cfunc
def _append(out: bytearray, number: cython.longlong) -> cython.void:
    while number > 127:
        out.append((number & 127) | 128)
        number >>= 7
    out.append(number)
