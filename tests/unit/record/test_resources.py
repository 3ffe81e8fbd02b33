from __future__ import annotations

import msgspec

from squall.record.resources import ResourceSample


def test_what_was_not_measured_is_none_and_takes_no_room() -> None:
    sample = ResourceSample(at_ns=5, source="target", role="target", problem="pid 7 is gone")
    assert sample.cpu_share is None
    stored = msgspec.msgpack.encode(sample)
    assert msgspec.msgpack.decode(stored) == {
        "at_ns": 5,
        "source": "target",
        "role": "target",
        "problem": "pid 7 is gone",
    }
    assert msgspec.msgpack.decode(stored, type=ResourceSample) == sample
