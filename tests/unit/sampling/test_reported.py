"""Figures of somebody else's are checked before they are believed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from squall.record.resources import ResourceSample
from squall.sampling.reported import CUSTOM_MAX, fields_of


def test_names_of_ours_are_fields_and_others_are_the_users_own() -> None:
    reported = {
        "cpu_share": 0.5,
        "memory_bytes": 1024.4,
        "threads": 3,
        "queue": 7,
        "descriptors": None,
        "tcp_states": {"established": 4, "closing": "x"},
    }
    fields, problem = fields_of(reported)
    assert problem == ""
    assert fields == {
        "cpu_share": 0.5,
        "memory_bytes": 1024,
        "threads": 3,
        "custom": {"queue": 7.0},
        "tcp_states": {"established": 4},
    }
    assert ResourceSample(at_ns=0, source="a", role="target", **fields).memory_bytes == 1024


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        ({"cpu_share": 55}, "divide by 100"),
        ({"cpu_share": "0.5"}, "cpu_share is no number"),
        ({"cpu_share": True}, "cpu_share is no number"),
        ({"queue": -1}, "queue is no number"),
        ({"queue": math.nan}, "queue is no number"),
        ({"queue": math.inf}, "queue is no number"),
        ({"queue": [1]}, "queue is no number"),
        ({"a b": 1}, "letters, digits"),
        ({"x" * 65: 1}, "letters, digits"),
        ({f"q{n}": 1 for n in range(CUSTOM_MAX + 1)}, "more than 100"),
    ],
)
def test_what_cannot_be_is_said_and_left_out(reported: dict[str, Any], said: str) -> None:
    fields, problem = fields_of({**reported, "memory_share": 0.25})
    assert said in problem
    assert fields["memory_share"] == 0.25
    assert "cpu_share" not in fields
    assert len(fields.get("custom", {})) in (0, CUSTOM_MAX)


def test_a_share_a_little_above_one_is_a_clock_of_its_own() -> None:
    assert fields_of({"cpu_share": 1.02}) == ({"cpu_share": 1.02}, "")
