"""Which phase a figure is about."""

from __future__ import annotations

import pytest

from made_runs import S, phase, scenario
from squall.metrics.phases import phase_at, phase_names, settled, sustained

PHASES = [
    phase(0, "ramp_up", "ramp_up", 0, 10),
    phase(1, "warm_up", "sustained", 10, 15),
    phase(2, "hold", "sustained", 15, 40),
    phase(3, "ramp_down", "ramp_down", 40, None),
]


def test_the_warm_up_is_sustained_and_not_settled() -> None:
    assert sustained(PHASES) == {1, 2}
    assert settled(PHASES) == {2}


@pytest.mark.parametrize(
    ("at_s", "name"), [(0.5, "ramp_up"), (10, "ramp_up"), (10.5, "warm_up"), (40, "hold"), (99, "ramp_down")]
)
def test_a_sample_belongs_to_the_phase_just_before_it(at_s: float, name: str) -> None:
    found = phase_at(PHASES, round(at_s * S))
    assert found is not None
    assert found.name == name


def test_before_the_first_phase_there_is_none() -> None:
    assert phase_at(PHASES, 0) is None


def test_a_threshold_may_name_the_warm_up_only_where_there_is_one() -> None:
    assert "warm_up" not in phase_names(scenario())
    assert "warm_up" in phase_names(scenario(load={"hold": 30, "warm_up": 5}))
