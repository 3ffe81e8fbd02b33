"""What sessions that come and go by themselves mean for a level: how many are here, and how many connect. Pure.

These are expectations, over a time that is long beside a session's; what really comes and goes follows from the
seed.
"""

from __future__ import annotations

import math

from squall.profiles.share import PopulationSplit
from squall.scenario.models import Population, Scenario

__all__ = ["connects_hz", "most_here", "share_here"]


def share_here(population: Population) -> float:
    """Which share of a population's sessions is here at a time, the others being between two visits."""
    length, think_s = population.sessions.length, population.sessions.think_time.mean
    return 1.0 if length is None else length.mean / (length.mean + think_s)


def most_here(scenario: Scenario, level: int) -> int:
    """How many connections a level can come to.

    Where lengths are drawn, the number of arrivals that are here varies: it is Poisson distributed at most, and four
    standard deviations above its mean are room enough.
    """
    drawn = any(
        each.sessions.length is not None and each.sessions.length.distribution == "exponential"
        for each in scenario.populations
    )
    return level + math.ceil(4 * math.sqrt(level)) if scenario.stay_s is not None and drawn else level


def connects_hz(scenario: Scenario, level: int) -> float:
    """How many sessions connect per second while a level is held, because their time has come."""
    if scenario.load.arrivals is not None:
        return scenario.load.arrivals
    split = PopulationSplit([each.weight for each in scenario.populations])
    return sum(
        count / (each.sessions.length.mean + each.sessions.think_time.mean)
        for count, each in zip(split.counts(level), scenario.populations, strict=True)
        if each.sessions.length is not None
    )
