"""How an adaptive ramp is steered: its conditions understood. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from squall.errors import PlanError
from squall.metrics.conditions import Condition, condition, condition_problems
from squall.scenario.models import AdaptiveRamp, Scenario

__all__ = ["LONGEST", "Rules", "rules_of"]


LONGEST: Final = 4.0
"""How many times its planned duration a ramp may take, where it does not say itself."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a ramp is steered."""

    interval_s: float
    slow_when: tuple[Condition, ...] = ()
    stop_when: tuple[Condition, ...] = ()
    longest_s: float | None = None
    """After this it is frozen; None: `LONGEST` times as planned."""


def rules_of(ramp: AdaptiveRamp, scenario: Scenario) -> Rules:
    """The rules of an adaptive ramp.

    Raises:
        PlanError: with all that is wrong with its conditions.
    """
    found = condition_problems((*ramp.slow_when, *ramp.stop_when), scenario)
    if found:
        raise PlanError(
            "\n".join(["the ramp's conditions have mistakes:", *(f"  - {each}" for each in found)])
        )
    return Rules(
        interval_s=ramp.interval,
        slow_when=tuple(map(condition, ramp.slow_when)),
        stop_when=tuple(map(condition, ramp.stop_when)),
        longest_s=ramp.longest,
    )
