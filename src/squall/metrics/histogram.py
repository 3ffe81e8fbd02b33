"""The recorder of the hot path, and the compiled form of the bytes in which counts travel.

The rule: `record` touches no Python object when compiled and cannot fail; the buckets are those of
`squall.metrics.buckets`; count, sum, least and greatest are exact. It does not know what it measures, and
grows only until it is taken. Percentiles are `squall.metrics.distribution`'s.
"""

from __future__ import annotations

import math
from array import array

import cython
import numpy as np
from numpy.typing import NDArray

from squall.metrics.buckets import BUCKETS, MIDDLES_NS, pack, unpack
from squall.record.snapshots import SparseHistogram

if not cython.compiled:

    def leading_zeros(value: int) -> int:
        """How many of the 64 bits stand above the highest one set; compiled, one instruction."""
        return 64 - value.bit_length()


__all__ = ["Histogram", "add_each", "encode", "read_quantiles"]

_HAIR = cython.declare(cython.double, 1 - 1e-12)
"""What a rank is short of: 990.0000001 stands for 990, as the share has no more digits."""


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


def add_each(histograms: list[SparseHistogram], counts: cython.longlong[::1]) -> tuple[int, int, int, int]:
    """Add the buckets of several histograms to `counts`, one number a bucket.

    Returns:
        What they hold together: count, sum, least and greatest; all 0 of nothing.

    Raises:
        ValueError: the bytes of one are not whole pairs, or name a bucket that does not exist.
    """
    count: cython.longlong = 0
    min_ns: cython.longlong = 0
    max_ns: cython.longlong = 0
    sum_ns = 0  # of any size: the values of a long stretch together may be more than 64 bits hold
    packed: list[bytes] = []
    for histogram in histograms:
        number: cython.longlong = histogram.count
        if number == 0:
            continue
        least_ns: cython.longlong = histogram.min_ns
        greatest_ns: cython.longlong = histogram.max_ns
        if count == 0 or least_ns < min_ns:
            min_ns = least_ns
        if count == 0 or greatest_ns > max_ns:
            max_ns = greatest_ns
        count += number
        sum_ns += histogram.sum_ns
        if cython.compiled:
            _decode(histogram.buckets, counts)
        else:
            packed.append(histogram.buckets)
    if not cython.compiled:
        np.add.at(np.asarray(counts), *unpack(*packed))
    return count, sum_ns, min_ns, max_ns


@cython.boundscheck(False)
@cython.wraparound(False)
def read_quantiles(
    counts: cython.longlong[:, ::1],
    said: cython.longlong[:, ::1],
    shares: cython.double[::1],
    found_ns: cython.longlong[:, ::1],
) -> None:
    """The percentiles of several distributions, a row each.

    Args:
        counts: one number a bucket.
        said: how many values there are, at least one; the least and the greatest of them.
        shares: from 0 to 1, best going up.
        found_ns: where the percentiles go, one for each share.
    """
    if not cython.compiled:
        _read_quantiles(np.asarray(counts), np.asarray(said), np.asarray(shares), found_ns)
        return
    middles_ns: cython.longlong[::1] = MIDDLES_NS
    last: cython.Py_ssize_t = counts.shape[1] - 1
    row: cython.Py_ssize_t
    number: cython.Py_ssize_t
    for row in range(counts.shape[0]):
        index: cython.Py_ssize_t = 0
        up_to: cython.longlong = counts[row, 0]
        before: cython.longlong = 0
        for number in range(shares.shape[0]):
            exact: cython.double = said[row, 0] * shares[number] * _HAIR
            rank: cython.longlong = cython.cast(cython.longlong, exact)
            if rank < exact or rank == 0:
                rank += 1
            if rank < before:
                index = 0
                up_to = counts[row, 0]
            before = rank
            while up_to < rank and index < last:
                index += 1
                up_to += counts[row, index]
            if rank == 1 or middles_ns[index] < said[row, 1]:
                found_ns[row, number] = said[row, 1]
            elif rank >= said[row, 0] or middles_ns[index] > said[row, 2]:
                found_ns[row, number] = said[row, 2]
            else:
                found_ns[row, number] = middles_ns[index]


def _read_quantiles(
    counts: NDArray[np.int64],
    said: NDArray[np.int64],
    shares: NDArray[np.float64],
    found_ns: NDArray[np.int64],
) -> None:
    """As the loops above, from the sources."""
    for row, (count, min_ns, max_ns) in enumerate(said.tolist()):
        ranks = [max(1, math.ceil(count * share * _HAIR)) for share in shares.tolist()]
        buckets = counts[row].cumsum().searchsorted(ranks)
        middles_ns = MIDDLES_NS.take(buckets, mode="clip").tolist()
        found_ns[row] = [
            min_ns
            if rank == 1 or middle_ns < min_ns
            else max_ns
            if rank >= count or middle_ns > max_ns
            else middle_ns
            for rank, middle_ns in zip(ranks, middles_ns, strict=True)
        ]


@cython.cfunc
@cython.boundscheck(False)
@cython.wraparound(False)
def _decode(buckets: bytes, counts: cython.longlong[::1]) -> cython.void:
    """Add what `encode` wrote to `counts`."""
    data: cython.p_uchar = buckets
    end: cython.Py_ssize_t = len(buckets)
    at: cython.Py_ssize_t = 0
    last: cython.Py_ssize_t = len(counts) - 1
    index: cython.Py_ssize_t = -1
    distance: cython.longlong
    while at < end:
        # A pair of small numbers, as most are, is read in one step.
        if at + 1 < end and (data[at] | data[at + 1]) < 128:
            distance = data[at]
            if distance == 0 or distance > last - index:
                raise ValueError(f"a histogram names a bucket past the {last + 1} there are")
            index += distance
            counts[index] += data[at + 1]
            at += 2
            continue
        distance = _number(data, at, end)
        if distance == 0 or distance > last - index:
            raise ValueError(f"a histogram names a bucket past the {last + 1} there are")
        index += distance
        at = _past_number(data, at, end)
        counts[index] += _number(data, at, end)
        at = _past_number(data, at, end)


@cython.cfunc
def _past_number(data: cython.p_uchar, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the number that begins there is over."""
    begun: cython.Py_ssize_t = at
    while at < end:
        at += 1
        if data[at - 1] < 128:
            if at - begun > 9:
                raise ValueError("a histogram holds a number of more than 63 bits")
            return at
    raise ValueError("a histogram's bytes end inside a pair")


@cython.cfunc
def _number(data: cython.p_uchar, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
    """The number that begins there."""
    number: cython.longlong = 0
    shift: cython.int = 0
    past: cython.Py_ssize_t = _past_number(data, at, end)
    while at < past:
        number |= cython.cast(cython.longlong, data[at] & 127) << shift
        shift += 7
        at += 1
    return number


@cython.cfunc
def _append(out: bytearray, number: cython.longlong) -> cython.void:
    while number > 127:
        out.append((number & 127) | 128)
        number >>= 7
    out.append(number)
