"""Who comes and goes when: the same over any number of workers, from the seed alone, and bounded however long it goes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.engine.agenda import Agenda, Step
from squall.engine.base import PhaseOrder, ProfileSpec
from squall.profiles.visits import Span, Visits
from squall.record.run import Phase, PhaseKind

S = 10**9

EXPONENTIAL = Visits(Span(2.0, exponential=True), Span(0.5, exponential=True), seed=4)
FIXED = Visits(Span(3.0), Span(1.0), seed=4)
AT_ONCE = Visits(Span(3.0), Span(0.0), seed=4)


def order(
    number: int, kind: PhaseKind, start_s: float, before: int, target: int, duration_s: float
) -> PhaseOrder:
    phase = Phase(
        id=number,
        name=kind,
        kind=kind,
        start_ns=round(start_s * S),
        end_ns=None,
        level_start=before,
        level_end=target,
        words="",
    )
    shape = "linear" if before != target else "constant"
    return PhaseOrder(
        phase=phase,
        profile=ProfileSpec(kind=shape, start=before, target=target, duration_s=duration_s),
        previous=before,
        connect_rate_max_hz=None,
        sends=True,
        retries=kind == "ramp_up",
    )


def plan(level: int) -> list[PhaseOrder]:
    """Up in two seconds, ten held, down in two."""
    return [
        order(0, "ramp_up", 0, 0, level, 2),
        order(1, "sustained", 2, level, level, 10),
        order(2, "ramp_down", 12, level, 0, 2),
    ]


def agenda(
    visits: Visits | None,
    orders: list[PhaseOrder],
    worker: int = 0,
    workers: int = 1,
    stay_s: float | None = None,
) -> Agenda:
    made = Agenda(worker, workers, lambda session: visits and (visits, session), stay_s)
    for each in orders:
        made.begin(each)
    return made


def steps(made: Agenda, until_s: float) -> list[Step]:
    found = []
    while (step := made.take(round(until_s * S))) is not None:
        found.append(step)
    return found


def told(found: list[Step], session: int) -> list[tuple[float, str]]:
    return [(step.at_ns / S, step.what) for step in found if step.session == session]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([None, EXPONENTIAL, FIXED, AT_ONCE]), st.integers(1, 5), st.integers(1, 30), st.booleans()
)
def test_the_number_of_workers_changes_nothing(
    visits: Visits | None, workers: int, level: int, arrive: bool
) -> None:
    stay_s = visits.length.mean_s if visits is not None and arrive else None
    alone = steps(agenda(visits, plan(level), stay_s=stay_s), 20)
    together = [
        step
        for worker in range(workers)
        for step in steps(agenda(visits, plan(level), worker, workers, stay_s), 20)
    ]
    assert sorted(together) == sorted(alone)


def test_without_visits_sessions_stay_with_the_level() -> None:
    made = agenda(None, plan(4))
    found = steps(made, 20)
    assert told(found, 3) == [(2, "come"), (12.5, "leave")]
    assert next(step.leave_ns for step in found if step.session == 3) == round(12.5 * S)
    assert made.here == 0


def test_a_session_rests_and_comes_again_until_the_level_lets_it_go() -> None:
    found = steps(agenda(FIXED, plan(4)), 20)
    assert told(found, 0) == [
        *[(0.5, "come"), (3.5, "rest"), (4.5, "come"), (7.5, "rest"), (8.5, "come"), (11.5, "rest")],
        *[(12.5, "come"), (14.0, "leave")],
    ]
    leaves = [step.leave_ns / S for step in found if step.session == 0 and step.what == "come"]
    assert leaves == [3.5, 7.5, 11.5, 14.0]


def test_without_think_time_it_comes_as_it_goes() -> None:
    assert told(steps(agenda(AT_ONCE, plan(4)), 8), 0) == [
        *[(0.5, "come"), (3.5, "rest"), (3.5, "come"), (6.5, "rest"), (6.5, "come")],
    ]


def test_one_that_leaves_while_it_rests_does_not_come_again() -> None:
    orders = [order(0, "ramp_up", 0, 0, 4, 2), order(1, "ramp_down", 4, 4, 0, 0.1)]
    assert told(steps(agenda(FIXED, orders), 20), 0) == [(0.5, "come"), (3.5, "rest"), (4.1, "leave")]


def test_who_is_here_is_known_at_any_time() -> None:
    made = agenda(FIXED, plan(4))
    steps(made, 3.9)
    assert made.here == 3  # session 0 rests from 3.5 on
    assert {session: at / S for session, at in made.leaves_ns().items()} == {1: 4.0, 2: 4.5, 3: 5.0}
    steps(made, 11.0)
    assert all(leave_ns / S <= 14 for leave_ns in made.leaves_ns().values())


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([EXPONENTIAL, FIXED]), st.integers(1, 40), st.floats(0.5, 13.0))
def test_the_count_of_who_is_here_is_that_of_the_steps(visits: Visits, level: int, until_s: float) -> None:
    made = agenda(visits, plan(level))
    found = steps(made, until_s)
    here: set[int] = set()
    for step in found:
        if step.what == "come":
            assert step.session not in here
            here.add(step.session)
        else:
            here.discard(step.session)
    assert made.here == len(here) == len(made.leaves_ns())


def test_arrivals_come_at_their_rate_and_each_stays_once() -> None:
    visits = Visits(Span(2.0), Span(0.0), seed=4)
    found = steps(agenda(visits, plan(20), stay_s=2.0), 30)  # 10 a second
    comes = [step for step in found if step.what == "come"]
    held = [step.at_ns for step in comes if 2 * S < step.at_ns <= 12 * S]
    assert len(held) == 100
    gaps = {later - earlier for earlier, later in pairwise(held)}
    assert max(gaps) - min(gaps) <= 2
    assert [step.session for step in comes] == list(range(len(comes)))
    assert told(found, 50) == [(comes[50].at_ns / S, "come"), (comes[50].at_ns / S + 2, "leave")]
    assert len(comes) == 10 + 100 + 10  # each ramp brings half of what the hold would, rounded down and up
    assert "rest" not in {step.what for step in found}


def test_a_phase_that_lasts_longer_than_planned_goes_on_bringing_them() -> None:
    visits = Visits(Span(1.0), Span(0.0), seed=4)
    orders = [order(0, "ramp_up", 0, 0, 10, 1), order(1, "sustained", 3, 10, 10, 5)]
    comes = [step for step in steps(agenda(visits, orders, stay_s=1.0), 4) if step.what == "come"]
    assert len([step for step in comes if 1 * S < step.at_ns <= 4 * S]) == 30


@pytest.mark.parametrize("stay_s", [None, 0.05])
def test_what_is_kept_does_not_grow_with_the_length_of_a_run(stay_s: float | None) -> None:
    visits = Visits(Span(0.05, exponential=True), Span(0.0), seed=4)
    made = agenda(visits, [order(0, "ramp_up", 0, 0, 20, 1)], stay_s=stay_s)
    steps(made, 60)
    assert len(made._stays) <= 60
    assert len(made._turns) <= 60


def test_cleared_nothing_is_planned_any_more() -> None:
    made = agenda(FIXED, plan(4))
    steps(made, 3)
    made.clear()
    assert made.next_ns is None
    assert not made.has_moves
    assert made.take(100 * S) is None
