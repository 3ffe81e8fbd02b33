"""From the ramp that a scenario asks for to the load profile that workers are sent. Pure."""

from __future__ import annotations

from typing import assert_never

from squall.engine.base import ProfileSpec
from squall.errors import PlanError
from squall.profiles.exponential import Exponential
from squall.scenario.checks import EXPONENTIAL_START
from squall.scenario.models import (
    AdaptiveRamp,
    ConstantRamp,
    ExponentialRamp,
    LinearRamp,
    Ramp,
    RampUp,
    SequenceRamp,
    SteppedRamp,
)

__all__ = ["RAMP_DEFAULT_S", "adaptive", "held", "lowered", "spec_of"]

RAMP_DEFAULT_S = 30.0
"""How long a ramp takes that says neither its duration nor its doubling time."""


def held(level: int, duration_s: float) -> ProfileSpec:
    """A level that is held."""
    return ProfileSpec(kind="constant", start=level, target=level, duration_s=duration_s)


def lowered(ramp: Ramp, level: int) -> Ramp:
    """A ramp down as it is from a level below the one that it was written for.

    Its parts lead to no more than that level, and a doubling time stands alone: with it, the duration that
    fits another level does not fit this one.
    """
    if isinstance(ramp, SequenceRamp):
        parts = tuple(part.model_copy(update={"to": min(part.to, level)}) for part in ramp.parts)
        return ramp.model_copy(update={"parts": parts})
    if isinstance(ramp, ExponentialRamp) and ramp.double_every is not None:
        return ramp.model_copy(update={"duration": None})
    return ramp


def adaptive(planned: ProfileSpec) -> ProfileSpec:
    """A shape that may be slowed and frozen on its way."""
    return ProfileSpec(
        kind="adaptive",
        start=planned.start,
        target=planned.target,
        duration_s=planned.duration_s,
        parts=(planned,),
    )


def spec_of(ramp: RampUp, *, before: int, to: int) -> ProfileSpec:
    """The profile of a ramp that takes over from the level `before` and leads to the level `to`.

    Raises:
        PlanError: the shape cannot lead there.
    """
    match ramp:
        case ConstantRamp():
            return ProfileSpec(kind="constant", start=before, target=to, duration_s=ramp.duration)
        case LinearRamp():
            start = before or ramp.start
            return ProfileSpec(kind="linear", start=start, target=to, duration_s=ramp.duration)
        case SteppedRamp():
            return ProfileSpec(
                kind="stepped",
                start=before or ramp.start,
                target=to,
                duration_s=ramp.duration,
                steps=ramp.steps,
            )
        case ExponentialRamp():
            return _exponential(ramp, before or ramp.start, to)
        case SequenceRamp():
            return _sequence(ramp, before)
        case AdaptiveRamp():
            return adaptive(spec_of(_planned(ramp, to), before=before, to=to))
        case _:
            assert_never(ramp)


def _planned(ramp: AdaptiveRamp, to: int) -> LinearRamp | ExponentialRamp:
    """The shape that an adaptive ramp keeps as long as nothing is slow."""
    if ramp.shape == "linear":
        return LinearRamp(start=ramp.start or 0, duration=ramp.duration or RAMP_DEFAULT_S)
    return ExponentialRamp(
        start=ramp.start or max(1, min(EXPONENTIAL_START, to)),
        duration=ramp.duration,
        double_every=ramp.double_every,
    )


def _exponential(ramp: ExponentialRamp, start: int, to: int) -> ProfileSpec:
    duration_s = ramp.duration
    if duration_s is None and ramp.double_every is None:
        duration_s = RAMP_DEFAULT_S
    try:
        profile = Exponential.of(start, to, duration_s=duration_s, double_every_s=ramp.double_every)
    except ValueError as error:
        raise PlanError(str(error)) from None
    return ProfileSpec(
        kind="exponential",
        start=start,
        target=to,
        duration_s=profile.duration_s,
        double_every_s=ramp.double_every,
        steps=int(ramp.steps),
    )


def _sequence(ramp: SequenceRamp, before: int) -> ProfileSpec:
    parts: list[ProfileSpec] = []
    for part in ramp.parts:
        parts.append(spec_of(part.ramp, before=before, to=part.to))
        before = part.to
    return ProfileSpec(
        kind="sequence",
        start=parts[0].start,
        target=parts[-1].target,
        duration_s=sum(part.duration_s for part in parts),
        parts=tuple(parts),
    )
