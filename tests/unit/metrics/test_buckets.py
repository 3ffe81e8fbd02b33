"""Where the buckets lie, and that their bytes are what they claim."""

from __future__ import annotations

import numpy as np
import pytest

from squall.metrics.buckets import BUCKETS, FIRST_NS, LAST_NS, MIDDLES_NS, bucket_of, pack, unpack


def test_the_range_is_1_us_to_100_s() -> None:
    assert (FIRST_NS, LAST_NS) == (1_000, 100_000_000_000)
    assert bucket_of(FIRST_NS) == 0
    assert bucket_of(LAST_NS) == BUCKETS - 1


@pytest.mark.parametrize(("value_ns", "bucket"), [(-5, 0), (0, 0), (999, 0), (1 << 60, BUCKETS - 1)])
def test_values_outside_the_range_go_to_its_ends(value_ns: int, bucket: int) -> None:
    assert bucket_of(value_ns) == bucket


def test_an_octave_has_128_buckets() -> None:
    assert bucket_of(1 << 21) - bucket_of(1 << 20) == 128
    assert len({bucket_of(value) for value in range(1 << 14, 1 << 15)}) == 128


def test_every_middle_lies_in_its_own_bucket() -> None:
    assert [bucket_of(int(middle)) for middle in MIDDLES_NS] == list(range(BUCKETS))


def test_pairs_are_the_distance_and_the_count() -> None:
    counts = np.zeros(BUCKETS, dtype=np.int64)
    counts[[0, 3, 303]] = [1, 127, 300]
    assert pack(counts) == bytes([1, 1, 3, 127, 0b1010_1100, 0b10, 0b1010_1100, 0b10])


def test_no_counts_are_no_bytes() -> None:
    assert pack(np.zeros(BUCKETS, dtype=np.int64)) == b""
    assert len(unpack(b"")[0]) == 0


DAMAGED = [
    b"\x01",  # a distance without a count
    b"\x01\x80",  # ends inside a number
    b"\x00\x01",  # a distance of nothing
    b"\xff\x7f\x01",  # past the last bucket
    b"\x01" + b"\xff" * 9 + b"\x01",  # a count of 64 bits and more
]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="histogram"):
        unpack(damaged)


def test_several_are_read_one_after_the_other() -> None:
    small, none, large = bytes([1, 1, 3, 127]), b"", bytes([0b1000_0000, 1, 2, 5, 0b1010_1100, 0b10])
    indices, counts = unpack(small, none, large)
    assert indices.tolist() == [0, 3, 127, 132]
    assert counts.tolist() == [1, 127, 2, 300]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_one_among_several_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="histogram"):
        unpack(damaged, b"\x01\x01")
    with pytest.raises(ValueError, match="histogram"):
        unpack(b"\x81\x01\x01", damaged, b"\x01\x01")
