"""The buckets of every histogram: where they lie, and what each stands for.

Log-linear: each octave of nanoseconds is cut into 128 equal buckets, from the one that holds 1 µs to the
one that holds 100 s; a value below goes to the first, one above to the last. A bucket stands for its
middle, which is at most half its width, 1/256 = 0.39 % of its lower end, away from any value in it.

    2^e ≤ value < 2^(e+1)  →  bucket 128 · e + (value >> (e − 7)) − 1402

1402 takes off the octaves below 512 ns (9 · 128), the leading bit (128) and the buckets up to 999 ns (122).

On the way (`SparseHistogram.buckets`) only non-empty buckets are written, as pairs of LEB128 numbers (seven
bits a byte, lowest first, the top bit set where more follow): the distance to the bucket before (the first
from −1), the count. `pack` and `unpack` do that by numpy; `squall.metrics.histogram`, compiled, by itself.

Nothing here knows what was measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "FIRST_NS", "LAST_NS", "MIDDLES_NS", "bucket_of", "pack", "unpack"]

FIRST_NS: Final = 1_000
LAST_NS: Final = 100_000_000_000
BUCKETS: Final = 3393

_OFFSET: Final = 1402


def bucket_of(value_ns: int) -> int:
    """The index of the bucket that a value is counted in."""
    clamped = min(max(value_ns, FIRST_NS), LAST_NS)
    exponent = clamped.bit_length() - 1
    return (exponent << 7) + (clamped >> (exponent - 7)) - _OFFSET


def _middles() -> NDArray[np.int64]:
    """The middle of each bucket, in nanoseconds."""
    position = np.arange(BUCKETS, dtype=np.int64) + _OFFSET - 128
    shift = (position >> 7) - 7
    leading = (position & 127) + 128
    return (leading << shift) + (np.int64(1) << (shift - 1))


MIDDLES_NS: Final[NDArray[np.int64]] = _middles()


def pack(counts: NDArray[np.int64]) -> bytes:
    """The pairs (distance, count) of the non-empty of `counts`, one number a bucket, none below zero."""
    indices = np.flatnonzero(counts)
    numbers = np.empty(2 * len(indices), dtype=np.int64)
    if not len(numbers):
        return b""
    numbers[0] = indices[0] + 1
    numbers[2::2] = indices[1:] - indices[:-1]
    numbers[1::2] = counts[indices]
    if int(numbers.max()) < 128:
        return numbers.astype(np.uint8).tobytes()
    return _leb128(numbers)


def unpack(*packed: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The indices of the non-empty buckets, going up, and their counts: of several one after the other.

    Raises:
        ValueError: the bytes of one are not whole pairs, or name a bucket that does not exist.
    """
    data = np.frombuffer(b"".join(packed), dtype=np.uint8)
    if not len(data):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    is_last = data < 128
    if not is_last[-1]:
        raise ValueError("a histogram's bytes end inside a number")
    numbers = data.astype(np.int64) if is_last.all() else _from_leb128(data, is_last)
    if len(numbers) % 2:
        raise ValueError("a histogram's bytes end inside a pair")
    distances = numbers[::2]
    if int(distances.min()) < 1 or int(distances.max()) > BUCKETS:
        raise ValueError("a histogram's buckets do not go up")
    indices = np.cumsum(distances) - 1
    if len(packed) > 1:
        _begin_anew(indices, is_last, np.cumsum([len(each) for each in packed if each]))
    if int(indices.max()) >= BUCKETS:
        raise ValueError(f"a histogram names bucket {indices.max()} of {BUCKETS}")
    return indices, numbers[1::2]


def _begin_anew(indices: NDArray[np.int64], is_last: NDArray[np.bool_], ends: NDArray[np.int64]) -> None:
    """Count the buckets from the first where another histogram begins: each goes up to one of these bytes."""
    numbers_up_to = np.cumsum(is_last)[ends - 1]
    if not is_last[ends - 1].all() or (numbers_up_to % 2).any():
        raise ValueError("a histogram's bytes end inside a pair")
    pairs_up_to = numbers_up_to // 2
    before = indices[pairs_up_to[:-1] - 1] + 1
    indices[pairs_up_to[0] :] -= np.repeat(before, pairs_up_to[1:] - pairs_up_to[:-1])


def _leb128(numbers: NDArray[np.int64]) -> bytes:
    sizes = np.ones(len(numbers), dtype=np.int64)
    rest = numbers >> 7
    while rest.any():
        sizes += rest > 0
        rest >>= 7
    ends = np.cumsum(sizes)
    starts = ends - sizes
    out = np.empty(int(ends[-1]), dtype=np.uint8)
    for group in range(int(sizes.max())):
        there = sizes > group
        more = (sizes[there] > group + 1) * 128
        out[starts[there] + group] = (numbers[there] >> (7 * group)) & 127 | more
    return out.tobytes()


def _from_leb128(data: NDArray[np.uint8], is_last: NDArray[np.bool_]) -> NDArray[np.int64]:
    ends = np.flatnonzero(is_last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if int(sizes.max()) > 9:
        raise ValueError("a histogram holds a number of more than 63 bits")
    shifts = 7 * (np.arange(len(data)) - np.repeat(starts, sizes))
    return np.add.reduceat((data & 127).astype(np.int64) << shifts, starts)
