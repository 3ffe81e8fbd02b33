"""From a phase order to the profile it means, and to the moves a worker makes of it."""

from __future__ import annotations

from squall.engine.base import PhaseOrder, ProfileSpec
from squall.profiles.adaptive import Adaptive
from squall.profiles.base import Profile
from squall.profiles.capped import capped
from squall.profiles.constant import Constant
from squall.profiles.exponential import Exponential
from squall.profiles.linear import Linear
from squall.profiles.sequence import Sequence
from squall.profiles.stepped import Stepped

__all__ = ["moves_of", "profile_of"]


def profile_of(order: PhaseOrder) -> Profile:
    """The profile of a phase, under its cap on connects per second.

    The cap is on the planned shape of an adaptive one: slower than that it only becomes.

    Raises:
        ValueError: the parameters contradict each other.
    """
    adaptive = order.profile.kind == "adaptive"
    profile = _made(order.profile.parts[0] if adaptive else order.profile)
    if order.connect_rate_max_hz is not None:
        profile = capped(profile, order.connect_rate_max_hz, previous=order.previous)
    return Adaptive(profile) if adaptive else profile


def _made(spec: ProfileSpec) -> Profile:
    """A profile from its parameters; `steps` of an exponential one says whether it is a staircase."""
    match spec.kind:
        case "constant":
            return Constant(spec.target, spec.duration_s, from_level=spec.start)
        case "linear":
            return Linear(spec.start, spec.target, spec.duration_s)
        case "exponential":
            return Exponential(spec.start, spec.target, spec.duration_s, steps=bool(spec.steps))
        case "stepped":
            return Stepped(spec.start, spec.target, spec.steps, spec.duration_s)
        case "sequence":
            return Sequence(tuple(_made(part) for part in spec.parts))
    raise ValueError(f"no load profile is called {spec.kind!r}")


def moves_of(order: PhaseOrder, worker: int, workers: int) -> list[tuple[int, int, bool]]:
    """What a worker does in a phase: (time of the run in ns, session, whether it opens), in order of time."""
    moves = profile_of(order).moves(order.previous).of_worker(worker, workers)
    start_ns = order.phase.start_ns
    return [
        (start_ns + round(offset_s * 1e9), session, opens)
        for offset_s, session, opens in zip(
            moves.offset_s.tolist(), moves.session.tolist(), moves.opens.tolist(), strict=True
        )
    ]
