"""Which part of a run a figure is about.

A sustained phase with a warm-up is two phases: `warm_up`, then `hold`. Latency that names no phase is
judged on the *settled* phases: the sustained ones that are no warm-up. Where a run has none, all of its
phases count. A sample that was taken at a time belongs to the phase that lasted just before it: the level
at the very end of the hold is the hold's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from squall.record.run import Phase, PhaseKind
from squall.scenario.models import Scenario

__all__ = [
    "PHASE_NAMES",
    "WARM_UP",
    "is_settled",
    "phase_at",
    "phase_names",
    "ramps",
    "settled",
    "sustained",
]

WARM_UP: Final = "warm_up"
PHASE_NAMES: Final = ("ramp_up", WARM_UP, "hold", "ramp_down", "idle", "end")
"""What the phases of a run that follows a scenario are called; a caller of the Python API may add others."""


def sustained(phases: Iterable[Phase]) -> frozenset[int]:
    """The phases in which the level is held, warm-up included."""
    return frozenset(phase.id for phase in phases if phase.kind == "sustained")


def ramps(phases: Iterable[Phase]) -> frozenset[int]:
    """The phases in which the level rises."""
    return frozenset(phase.id for phase in phases if phase.kind == "ramp_up")


def settled(phases: Iterable[Phase]) -> frozenset[int]:
    """The sustained phases without their warm-up."""
    return frozenset(phase.id for phase in phases if is_settled(phase.kind, phase.name))


def is_settled(kind: PhaseKind, name: str) -> bool:
    """Whether a phase of this kind and name is a sustained one that is no warm-up."""
    return kind == "sustained" and name != WARM_UP


def phase_at(phases: Iterable[Phase], at_ns: int) -> Phase | None:
    """The phase that lasted just before `at_ns`; None before the first."""
    begun = [phase for phase in phases if phase.start_ns < at_ns]
    return max(begun, key=lambda phase: (phase.start_ns, phase.id), default=None)


def phase_names(scenario: Scenario) -> tuple[str, ...]:
    """The names that a threshold on this scenario may ask for."""
    without = set() if scenario.load.warm_up else {WARM_UP}
    return tuple(name for name in PHASE_NAMES if name not in without)
