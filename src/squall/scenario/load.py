"""The load of a scenario: how many connections, and the shapes in which they come and go, as frozen models.

What a shape leads to is computed by the profiles.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from squall.scenario import checks
from squall.scenario.base import Model
from squall.scenario.quantities import Count, Duration, Rate

__all__ = [
    "AdaptiveRamp",
    "ConstantRamp",
    "ExponentialRamp",
    "LinearRamp",
    "Load",
    "Ramp",
    "RampUp",
    "Reconnect",
    "SequencePart",
    "SequenceRamp",
    "SteppedRamp",
]


class ConstantRamp(Model):
    """All at once."""

    kind: Literal["constant"] = Field("constant", description="the shape's name")
    duration: Duration = Field(0.0, description="how long the level is held before what follows; seconds")


class LinearRamp(Model):
    """A straight line."""

    kind: Literal["linear"] = Field("linear", description="the shape's name")
    start: Count = Field(
        0, description="connections at its beginning; those of the phase before, if that left any"
    )
    duration: Duration = Field(30.0, description="how long it takes; seconds")


class ExponentialRamp(Model):
    """Doubling at a steady pace: N(t) = start · 2^(t / double_every)."""

    kind: Literal["exponential"] = Field("exponential", description="the shape's name")
    start: Count = Field(
        checks.EXPONENTIAL_START,
        ge=1,
        description="connections at its beginning; by default no more than it is to lead to",
    )
    duration: Duration | None = Field(
        None, gt=0, description="how long it takes; seconds; 30 s where double_every is not given either"
    )
    double_every: Duration | None = Field(
        None, gt=0, description="time of one doubling, or halving; seconds; else it follows from the duration"
    )
    steps: bool = Field(False, description="a staircase: the level jumps at each doubling")


class SteppedRamp(Model):
    """Equal steps, each held."""

    kind: Literal["stepped"] = Field("stepped", description="the shape's name")
    start: Count = Field(0, description="connections before the first step")
    steps: Count = Field(5, ge=1, description="how many steps of equal size")
    duration: Duration = Field(30.0, description="how long all steps take; seconds")


class SequencePart(Model):
    """A piece of a sequence: a shape and the level it leads to."""

    to: Count = Field(le=checks.CONNECTIONS_MAX, description="connections at its end")
    ramp: Annotated[
        ConstantRamp | LinearRamp | ExponentialRamp | SteppedRamp, Field(discriminator="kind")
    ] = Field(LinearRamp(), description="its shape")


class SequenceRamp(Model):
    """One shape after another; each starts where the one before it ended."""

    kind: Literal["sequence"] = Field("sequence", description="the shape's name")
    parts: tuple[SequencePart, ...] = Field(min_length=1, description="the pieces, in order")


class AdaptiveRamp(Model):
    """A planned shape that grows slower while the target is slow, and stops where it is told to."""

    kind: Literal["adaptive"] = Field("adaptive", description="the shape's name")
    shape: Literal["exponential", "linear"] = Field(
        "exponential", description="the shape that is planned, and kept as long as nothing is slow"
    )
    start: Count | None = Field(
        None, description="connections at its beginning; exponential: 10 by default, linear: none"
    )
    duration: Duration | None = Field(
        None, gt=0, description="how long it is planned to take; seconds; 30 s where no double_every is given"
    )
    double_every: Duration | None = Field(
        None,
        gt=0,
        description="exponential: time of one doubling; seconds; else it follows from the duration",
    )
    interval: Duration = Field(5.0, ge=1, description="how often the conditions are judged; seconds")
    slow_when: tuple[str, ...] = Field(
        ("average_latency>100",),
        description="conditions on an interval, any of which halves growth",
    )
    stop_when: tuple[str, ...] = Field(
        ("error_rate>0.02", "average_latency>150"),
        description="conditions on an interval, any of which freezes the level",
    )
    longest: Duration | None = Field(
        None,
        gt=0,
        description="the level is frozen after this; seconds; four times as long as planned by default",
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        found: list[checks.Finding] = []
        if self.shape == "linear" and self.double_every is not None:
            found.append((("double_every",), "is of the exponential shape; this one is linear"))
        if self.shape == "exponential" and self.start == 0:
            found.append(
                (("start",), "doubling nothing stays nothing; an exponential ramp starts at 1 or more")
            )
        if not self.slow_when and not self.stop_when:
            found.append((("stop_when",), "without any condition nothing is adaptive"))
        checks.report(found)
        return self


Ramp = Annotated[
    ConstantRamp | LinearRamp | ExponentialRamp | SteppedRamp | SequenceRamp, Field(discriminator="kind")
]
RampUp = Annotated[
    ConstantRamp | LinearRamp | ExponentialRamp | SteppedRamp | SequenceRamp | AdaptiveRamp,
    Field(discriminator="kind"),
]


def _with_fitting_start(ramp: Any, connections: int) -> Any:
    """The ramp, its start lowered to the level it leads to where nobody set the start."""
    # `model_copy` would note what it changes as set; a start that nobody set must stay one.
    if isinstance(ramp, SequenceRamp):
        first = ramp.parts[0]
        fitted = _with_fitting_start(first.ramp, first.to)
        part = SequencePart.model_construct(first.model_fields_set, to=first.to, ramp=fitted)
        return SequenceRamp.model_construct(
            ramp.model_fields_set, kind=ramp.kind, parts=(part, *ramp.parts[1:])
        )
    if not isinstance(ramp, ExponentialRamp) or "start" in ramp.model_fields_set or ramp.start <= connections:
        return ramp
    return ExponentialRamp.model_construct(
        ramp.model_fields_set, **{**dict(ramp), "start": max(1, connections)}
    )


class Reconnect(Model):
    """When and how connecting is tried again: one policy for connects that failed and connections that were dropped."""

    after_drop: bool = Field(
        False,
        description="connect again after a drop, and after a failed connect whenever it was;"
        " else only after one that failed in the ramp up",
    )
    backoff: Duration = Field(
        0.5, gt=0, description="the longest first pause; it doubles with each try that fails; seconds"
    )
    backoff_max: Duration = Field(
        5.0, validate_default=True, description="the longest pause, after doublings; seconds"
    )
    jitter: Literal["full", "none"] = Field(
        "full",
        description="full: each pause is drawn between nothing and its longest; none: it is its longest",
    )
    attempts_max: Count | None = Field(
        None, ge=1, description="tries in a row after which a session gives up; by default it never does"
    )
    rate_max: Rate | None = Field(None, gt=0, description="caps such tries; per second, over all workers")

    @field_validator("backoff_max")
    @classmethod
    def _is_not_below_the_first(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("backoff", 0.0):
            raise ValueError("is below backoff, the first pause")
        return longest


class Load(Model):
    """How many connections, and how they come, stay and go."""

    connections: Count = Field(
        100,
        ge=1,
        le=checks.CONNECTIONS_MAX,
        description="connections held at once, in all populations together",
    )
    arrivals: Rate | None = Field(
        None,
        gt=0,
        description="new sessions per second at the full level, in all; the connections follow from their length",
    )
    ramp_up: RampUp = Field(
        ExponentialRamp(), validate_default=True, description="the way from none to all connections"
    )
    hold: Duration = Field(30.0, description="how long the full level is held; seconds")
    ramp_down: Ramp = Field(LinearRamp(duration=5.0), description="the way from all connections to none")
    connect_rate_max: Rate | None = Field(
        None, gt=0, description="caps every shape; connections per second, in all"
    )
    connects_in_flight_max: Count = Field(64, ge=1, description="handshakes under way at once, per worker")
    reconnect: Reconnect = Field(Reconnect(), description="when and how connecting is tried again")
    warm_up: Duration = Field(
        0.0, description="this much of the hold is left out of the summary's latency; seconds"
    )

    @field_validator("ramp_up")
    @classmethod
    def _leads_to_all(cls, ramp: Any, info: ValidationInfo) -> Any:
        connections = info.data.get("connections")
        if info.data.get("arrivals") is not None and isinstance(ramp, SequenceRamp | AdaptiveRamp):
            raise ValueError(
                "goes through levels that load.arrivals cannot follow; take a shape of one piece"
            )
        if connections is None or info.data.get("arrivals") is not None:
            return ramp
        fitted = _with_fitting_start(ramp, connections)
        checks.report(checks.ramp(fitted, before=0, to=connections))
        return fitted

    @field_validator("ramp_down")
    @classmethod
    def _leads_to_none(cls, ramp: Any, info: ValidationInfo) -> Any:
        connections = info.data.get("connections")
        if connections is not None and info.data.get("arrivals") is None:
            checks.report(checks.ramp(ramp, before=connections, to=0))
        return ramp

    @field_validator("warm_up")
    @classmethod
    def _leaves_some_hold(cls, warm_up: float, info: ValidationInfo) -> float:
        if warm_up and warm_up >= info.data.get("hold", float("inf")):
            raise ValueError("takes the whole hold, nothing is left to judge")
        return warm_up
