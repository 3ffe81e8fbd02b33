from __future__ import annotations

import msgspec

from squall.record.resources import COUNTED, FIGURES, ResourceSample, figures_of


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


def test_figures_are_told_by_name_and_ours_are_stronger() -> None:
    sample = ResourceSample(
        at_ns=5,
        source="a",
        role="target",
        threads=0,
        tcp_states={"established": 2},
        custom={"threads": 9.0, "queue": 1.5, "tcp_established": 7.0},
    )
    assert figures_of(sample) == {"threads": 0, "tcp_established": 2, "queue": 1.5}
    assert COUNTED < set(FIGURES) < set(ResourceSample.__struct_fields__)
