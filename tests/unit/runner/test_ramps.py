"""Ramps become profiles: each shape leads from the level before to the level asked for."""

from __future__ import annotations

import pytest

from squall.engine.base import PhaseOrder, ProfileSpec
from squall.engine.orders import profile_of
from squall.errors import PlanError
from squall.profiles.base import Profile
from squall.record.run import Phase
from squall.runner.ramps import RAMP_DEFAULT_S, adaptive, held, lowered, spec_of
from squall.scenario.models import (
    AdaptiveRamp,
    ConstantRamp,
    ExponentialRamp,
    LinearRamp,
    Ramp,
    RampUp,
    SequencePart,
    SequenceRamp,
    SteppedRamp,
)


def profile(spec: ProfileSpec, previous: int) -> Profile:
    phase = Phase(
        id=0, name="x", kind="ramp_up", start_ns=0, end_ns=None, level_start=0, level_end=0, words=""
    )
    order = PhaseOrder(
        phase=phase, profile=spec, previous=previous, connect_rate_max_hz=None, sends=True, retries=True
    )
    return profile_of(order)


ALL: list[Ramp] = [
    ConstantRamp(duration=3),
    LinearRamp(duration=10),
    ExponentialRamp(duration=10),
    ExponentialRamp(double_every=2, steps=True),
    SteppedRamp(steps=4, duration=8),
    SequenceRamp(parts=(SequencePart(to=50), SequencePart(to=90, ramp=ConstantRamp(duration=1)))),
]
ADAPTIVE: list[RampUp] = [
    AdaptiveRamp(duration=8),
    AdaptiveRamp(shape="linear", start=5),
    AdaptiveRamp(double_every=2),
]


@pytest.mark.parametrize("ramp", [*ALL, *ADAPTIVE], ids=lambda ramp: ramp.kind)
def test_every_shape_leads_up_from_nothing(ramp: RampUp) -> None:
    made = profile(spec_of(ramp, before=0, to=90), 0)
    assert made.end == 90
    assert made.duration_s == spec_of(ramp, before=0, to=90).duration_s


@pytest.mark.parametrize("ramp", ALL[:-1], ids=lambda ramp: ramp.kind)
def test_every_shape_leads_down_from_the_level_before(ramp: Ramp) -> None:
    made = profile(spec_of(ramp, before=90, to=0), 90)
    assert made.start == 90
    assert made.end == 0
    assert len(made.moves(90)) == 90


def test_an_exponential_ramp_takes_its_duration_or_that_of_its_doublings_or_the_default() -> None:
    assert spec_of(ExponentialRamp(), before=0, to=10_000).duration_s == RAMP_DEFAULT_S
    assert spec_of(ExponentialRamp(duration=5), before=0, to=10_000).duration_s == 5
    assert spec_of(ExponentialRamp(double_every=3), before=0, to=80).duration_s == pytest.approx(9)


def test_each_part_of_a_sequence_starts_where_the_one_before_it_ended() -> None:
    spec = spec_of(ALL[-1], before=0, to=90)
    assert [(part.start, part.target) for part in spec.parts] == [(0, 50), (50, 90)]
    assert (spec.start, spec.target, spec.duration_s) == (0, 90, 31)


def test_a_doubling_time_that_contradicts_the_duration_is_a_mistake_of_the_plan() -> None:
    with pytest.raises(PlanError, match="contradict"):
        spec_of(ExponentialRamp(duration=5, double_every=30), before=0, to=10_000)


def test_an_adaptive_ramp_is_planned_like_the_shape_that_it_wraps() -> None:
    for ramp, planned in (
        (AdaptiveRamp(duration=8), ExponentialRamp(duration=8)),
        (AdaptiveRamp(double_every=2, start=3), ExponentialRamp(double_every=2, start=3)),
        (AdaptiveRamp(shape="linear"), LinearRamp(duration=30)),
    ):
        wrapped, bare = spec_of(ramp, before=0, to=90), spec_of(planned, before=0, to=90)
        assert wrapped == adaptive(bare)
        assert profile(wrapped, 0).moves(0).offset_s.tolist() == profile(bare, 0).moves(0).offset_s.tolist()
    few = profile(spec_of(AdaptiveRamp(), before=0, to=4), 0)
    assert (few.start, few.end) == (4, 4)


def test_a_ramp_down_from_a_lower_level_never_goes_up() -> None:
    parts = (SequencePart(to=80), SequencePart(to=30), SequencePart(to=0))
    down = lowered(SequenceRamp(parts=parts), 50)
    made = profile(spec_of(down, before=50, to=0), 50)
    assert not made.moves(50).opens.any()
    assert made.end == 0


def test_a_doubling_time_fits_any_level_and_a_duration_beside_it_does_not() -> None:
    down = ExponentialRamp(duration=34.6, double_every=5, start=64)
    assert spec_of(lowered(down, 8), before=8, to=0).duration_s == pytest.approx(20)
    assert lowered(LinearRamp(duration=3), 8) == LinearRamp(duration=3)


def test_a_held_level_has_no_moves() -> None:
    made = profile(held(70, 12), 70)
    assert made.duration_s == 12
    assert len(made.moves(70)) == 0
