from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.errors import StoreError
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval
from squall.record.verdicts import Verdict
from squall.store.codec import End, Kind, LogHeader, PhaseEnd, decode, encode, kind_of
from squall.store.columns import COLUMNS
from unit.store.samples import HEADER, PHASE, VERDICT, any_of, busy_interval, interval

SHAPES: dict[Kind, type] = {
    Kind.HEADER: LogHeader,
    Kind.PHASE_BEGUN: Phase,
    Kind.PHASE_ENDED: PhaseEnd,
    Kind.INTERVAL: Interval,
    Kind.EVENT: Event,
    Kind.VERDICT: Verdict,
    Kind.END: End,
}


@settings(max_examples=200, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(SHAPES)))
def test_every_record_comes_back_as_it_was(data: st.DataObject, kind: Kind) -> None:
    record: Any = data.draw(any_of(SHAPES[kind]))
    payload = encode(kind, record)
    assert kind_of(payload) == kind
    assert decode(payload, SHAPES[kind]) == record


def test_a_busy_second_is_deflated_and_comes_back() -> None:
    busy = busy_interval(0)
    payload = encode(Kind.INTERVAL, busy)
    assert payload[0] & 0x80
    assert decode(payload, Interval) == busy


def test_a_quiet_second_is_small_and_plain() -> None:
    payload = encode(Kind.INTERVAL, interval(3))
    assert payload[0] == Kind.INTERVAL
    assert len(payload) < 96


def test_the_numbers_of_the_kinds_are_those_of_the_format() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        "HEADER": 1,
        "PHASE_BEGUN": 2,
        "PHASE_ENDED": 3,
        "INTERVAL": 4,
        "EVENT": 5,
        "VERDICT": 6,
        "END": 7,
        "RESOURCES": 8,
        "CHECK": 9,
        "RECONCILIATION": 10,
    }
    assert kind_of(b"") == 0


@pytest.mark.parametrize("payload", [b"", b"\x04", b"\x04\xc1", b"\x84no deflate", encode(Kind.EVENT, PHASE)])
def test_a_payload_of_another_shape_is_refused(payload: bytes) -> None:
    with pytest.raises(StoreError, match="should hold a Interval"):
        decode(payload, Interval)


@pytest.mark.parametrize(
    ("types_", "places", "sigma", "hour_mb_max"),
    [(1, 1, 0.7, 20), (1, 2, 1.2, 20), (1, 3, 0.7, 20), (2, 1, 0.7, 26), (4, 2, 0.7, 38), (4, 2, 1.2, 38)],
)
def test_an_hour_of_10_000_messages_a_second_stays_small(
    types_: int, places: int, sigma: float, hour_mb_max: float
) -> None:
    seconds = [busy_interval(index, types_=types_, places=places, sigma=sigma) for index in range(4)]
    stored = sum(len(encode(Kind.INTERVAL, second)) + 8 for second in seconds) / len(seconds)
    assert stored * 3600 <= hour_mb_max * 1e6


def test_a_header_with_its_columns_comes_back() -> None:
    header = LogHeader(header=HEADER, columns=COLUMNS)
    assert decode(encode(Kind.HEADER, header), LogHeader) == header
    assert decode(encode(Kind.VERDICT, VERDICT), Verdict) == VERDICT
