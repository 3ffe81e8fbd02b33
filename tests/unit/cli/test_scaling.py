"""The flags of `squall scaling`, as far as no connection is made."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from squall.cli.named_tests import left_flags
from squall.cli.scaling import _level, _milliseconds
from squall.metrics.scaling import ScalingLevel
from squall.runner.scaling import why_not


def test_a_level_is_connections_a_duration_and_a_latency() -> None:
    asked = ScalingLevel(connections=10_000, duration=300, expected_latency=100)
    assert _level("10k:5m:100ms") == _level("10000:300:100") == _level("10k:5m:0.1s") == asked


@pytest.mark.parametrize("text", ["5", "1000:5m", "many:5m:50", "1000:soon:50", "1000:5m:quick"])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"level|duration|count"):
        _level(text)


def test_a_latency_without_a_unit_is_in_milliseconds() -> None:
    assert (_milliseconds("5", "x"), _milliseconds("2.5", "x"), _milliseconds("5ms", "x")) == (5, 2.5, 5)


@pytest.mark.parametrize(
    ("flag", "why"),
    [
        *(
            (each, "each level has its own")
            for each in ("connections", "ramp", "ramp_up", "hold", "ramp_down")
        ),
        ("name", "each level is called by its connections"),
        ("arrivals", "a level is a number of connections"),
        ("messages", "sends as long as it is held"),
        *((each, "it is for a single run") for each in ("junit", "web", "prometheus", "linger")),
    ],
)
def test_a_flag_that_would_do_nothing_is_refused_by_its_name(flag: str, why: str) -> None:
    given: dict[str, Any] = {flag: ["1"], "rate": ["2/s"]}
    with pytest.raises(typer.BadParameter, match=why) as refused:
        left_flags(given, why_not, "a scaling test")
    assert refused.value.param_hint == f"--{flag.replace('_', '-')}"
