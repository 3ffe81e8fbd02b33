"""Who shares a room: whole in one worker, full before the next one begins, by population."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.profiles.seating import Seating
from squall.profiles.share import PopulationSplit


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 200))
def test_with_one_population_the_room_is_a_formula(workers: int, size: int, session: int) -> None:
    seating = Seating(PopulationSplit([1]), session % workers, workers)
    assert seating.room(session, size) == session % workers + workers * ((session // workers) // size)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(1, 4),
    st.integers(2, 5),
    st.integers(1, 80),
)
def test_rooms_fill_one_after_another_and_hold_one_population_of_one_worker(
    weights: list[int], workers: int, size: int, level: int
) -> None:
    split = PopulationSplit(weights)
    rooms: dict[tuple[int, int], list[int]] = defaultdict(list)
    seatings = [Seating(split, worker, workers) for worker in range(workers)]
    for session in range(level):
        seating = seatings[session % workers]
        rooms[split.population_of(session), seating.room(session, size)].append(session)
    partly_full: dict[tuple[int, int], int] = defaultdict(int)
    for (population, _), members in rooms.items():
        assert len({session % workers for session in members}) == 1
        worker = members[0] % workers
        partly_full[population, worker] += len(members) < size
        started = (level + workers - 1 - worker) // workers
        assert seatings[worker].members(members[0], size, started) == len(members)
    assert all(count <= 1 for count in partly_full.values())


def test_a_session_of_another_worker_has_no_seat_here() -> None:
    with pytest.raises(ValueError, match="session 3 is none of worker 0 of 2"):
        Seating(PopulationSplit([1]), 0, 2).rank(3)
