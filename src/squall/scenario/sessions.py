"""How long the sessions of a population stay, and how long they are away, as frozen models.

When each one comes and goes is worked out by the profiles.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from squall.scenario.base import Model
from squall.scenario.quantities import Duration

__all__ = ["SessionLength", "Sessions", "ThinkTime"]

Distribution = Literal["fixed", "exponential"]


class SessionLength(Model):
    """How long one visit of a session is."""

    mean: Duration = Field(gt=0, description="on average; seconds")
    distribution: Distribution = Field(
        "fixed", description="the same for each visit, or drawn from an exponential distribution"
    )


class ThinkTime(Model):
    """How long a session is away between two visits."""

    mean: Duration = Field(0.0, description="on average; seconds")
    distribution: Distribution = Field(
        "fixed", description="the same after each visit, or drawn from an exponential distribution"
    )


class Sessions(Model):
    """How sessions come and go by themselves, while the level is held."""

    length: SessionLength | None = Field(
        None, description="how long a visit is; by default a session stays as long as the level has it"
    )
    think_time: ThinkTime = Field(
        ThinkTime(),
        validate_default=True,
        description="how long a session is away until it comes again, under the same stream",
    )

    @field_validator("think_time")
    @classmethod
    def _is_between_visits(cls, think_time: ThinkTime, info: ValidationInfo) -> ThinkTime:
        if think_time.mean > 0 and info.data.get("length", True) is None:
            raise ValueError("is the time between two visits, and these have no length")
        return think_time
