from __future__ import annotations

import msgspec
import pytest

from squall.record.stability import StabilityCheck

CHECK = StabilityCheck(
    phase=1,
    index=0,
    start_ns=0,
    end_ns=30_000_000_000,
    held=1000,
    drops=5,
    drop_share=0.005,
    drop_tolerance=0.005,
    spiked=20,
    spike_share=0.02,
    spike_tolerance=0.02,
    sent=30_000,
    undelivered=30,
    failure_share=0.001,
    failure_tolerance=0.001,
)


def test_shares_at_their_tolerance_pass() -> None:
    assert CHECK.passed


@pytest.mark.parametrize("name", ["drop_share", "spike_share", "failure_share"])
def test_one_share_above_its_tolerance_fails(name: str) -> None:
    assert not msgspec.structs.replace(CHECK, **{name: 0.021}).passed


@pytest.mark.parametrize("name", ["drop_share", "spike_share", "failure_share"])
def test_what_could_not_be_measured_does_not_fail(name: str) -> None:
    assert msgspec.structs.replace(CHECK, **{name: None}).passed
