"""What a worker's agenda makes of the turns of an adaptive ramp, in time and too late."""

from __future__ import annotations

from squall.engine.agenda import Agenda, Step
from squall.engine.base import PhaseOrder, ProfileSpec, Steer
from squall.record.run import Phase

S = 10**9


def ramping() -> Agenda:
    """The first of two workers in a ramp to ten connections: session g comes g + 1 seconds after its start."""
    phase = Phase(
        id=0, name="ramp_up", kind="ramp_up", start_ns=0, end_ns=None, level_start=0, level_end=10, words=""
    )
    spec = ProfileSpec(kind="linear", start=0, target=10, duration_s=10.0)
    agenda = Agenda(0, 2, lambda _: None)
    agenda.begin(
        PhaseOrder(phase=phase, profile=spec, previous=0, connect_rate_max_hz=None, sends=True, retries=True)
    )
    return agenda


def left(agenda: Agenda) -> list[tuple[float, int, str]]:
    """All that is still to come."""
    found: list[Step] = []
    while (step := agenda.take(1000 * S)) is not None:
        found.append(step)
    return [(step.at_ns / S, step.session, step.what) for step in found]


def test_what_comes_after_the_turn_takes_longer() -> None:
    agenda = ramping()
    assert agenda.steer(Steer(at_ns=3 * S, stretch=2.0, level=3)) == []
    assert left(agenda) == [(1, 0, "come"), (3, 2, "come"), (7, 4, "come"), (11, 6, "come"), (15, 8, "come")]


def test_a_freeze_leaves_only_what_is_due_before_it() -> None:
    agenda = ramping()
    assert agenda.take(S) is not None
    assert agenda.steer(Steer(at_ns=3 * S, stretch=None, level=3)) == []
    assert left(agenda) == [(3, 2, "come")]


def test_a_freeze_that_comes_too_late_lets_go_of_those_beyond_its_level() -> None:
    agenda = ramping()
    while agenda.take(7 * S) is not None:
        pass
    assert agenda.here == 4
    assert agenda.steer(Steer(at_ns=5 * S, stretch=None, level=3)) == [4, 6]
    assert left(agenda) == [(5, 4, "leave"), (5, 6, "leave")]
    assert agenda.here == 2
