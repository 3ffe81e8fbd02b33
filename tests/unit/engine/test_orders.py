"""From an order to a profile, and to a worker's own moves of it."""

from __future__ import annotations

from typing import Any

import pytest

from squall.engine.base import PhaseOrder, ProfileSpec
from squall.engine.orders import moves_of, profile_of
from squall.record.run import Phase

S = 10**9


def order(
    spec: ProfileSpec, *, previous: int = 0, start_ns: int = 0, cap_hz: float | None = None
) -> PhaseOrder:
    phase = Phase(
        id=0,
        name="x",
        kind="ramp_up",
        start_ns=start_ns,
        end_ns=None,
        level_start=previous,
        level_end=spec.target,
        words="",
    )
    return PhaseOrder(
        phase=phase, profile=spec, previous=previous, connect_rate_max_hz=cap_hz, sends=True, retries=True
    )


def spec(kind: str, start: int, target: int, duration_s: float, **more: Any) -> ProfileSpec:
    return ProfileSpec(kind=kind, start=start, target=target, duration_s=duration_s, **more)


SEQUENCE = spec(
    "sequence",
    0,
    2,
    6.0,
    parts=(spec("linear", 0, 8, 4.0), spec("constant", 8, 8, 1.0), spec("linear", 8, 2, 1.0)),
)


@pytest.mark.parametrize(
    ("asked", "at_s", "level"),
    [
        (spec("constant", 0, 8, 5.0), 1.0, 8),
        (spec("linear", 0, 8, 4.0), 2.0, 4),
        (spec("exponential", 1, 8, 3.0), 2.0, 4),
        (spec("exponential", 1, 8, 3.0, steps=1), 1.9, 2),
        (spec("stepped", 0, 8, 4.0, steps=2), 1.9, 4),
        (SEQUENCE, 4.5, 8),
        (SEQUENCE, 6.0, 2),
    ],
)
def test_each_kind_becomes_its_profile(asked: ProfileSpec, at_s: float, level: int) -> None:
    assert profile_of(order(asked)).level_at(at_s) == level


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no load profile is called 'zigzag'"):
        profile_of(order(spec("zigzag", 0, 8, 4.0)))


def test_a_cap_spreads_what_would_come_at_once() -> None:
    moves = moves_of(order(spec("constant", 0, 8, 5.0), cap_hz=4.0), 0, 1)
    in_first_second = [session for at_ns, session, _ in moves if at_ns < S]
    assert len(in_first_second) <= 4
    assert [session for _, session, _ in moves] == list(range(8))


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_the_moves_of_all_workers_are_those_of_the_phase_in_the_runs_time(workers: int) -> None:
    asked = order(spec("linear", 2, 10, 4.0), previous=4, start_ns=7 * S)
    alone = moves_of(asked, 0, 1)
    together = [moves_of(asked, worker, workers) for worker in range(workers)]
    assert sorted(move for moves in together for move in moves) == sorted(alone)
    for worker, moves in enumerate(together):
        assert all(session % workers == worker for _, session, _ in moves)
        assert moves == sorted(moves, key=lambda move: move[0])
    assert alone[0][0] == 7 * S  # the step from 4 to 2 is made at once
    assert [opens for _, _, opens in alone[:2]] == [False, False]
    assert alone[-1] == (11 * S, 9, True)
