"""Shares of workers and populations."""

from __future__ import annotations

import pytest

from squall.profiles.share import PopulationSplit, population_of, share


def test_ten_connections_over_three_workers() -> None:
    assert [share(10, worker, 3) for worker in range(3)] == [4, 3, 3]


@pytest.mark.parametrize(("level", "worker", "workers"), [(-1, 0, 1), (5, 2, 2), (5, -1, 2), (5, 0, 0)])
def test_a_share_of_no_worker_is_refused(level: int, worker: int, workers: int) -> None:
    with pytest.raises(ValueError, match="no share of"):
        share(level, worker, workers)


def test_wanted_numbers_as_weights_are_met_exactly_at_their_sum() -> None:
    wanted = (7001, 2500, 499)
    split = PopulationSplit(wanted)
    assert split.counts(10_000) == wanted
    dealt = [split.population_of(session) for session in range(10_000)]
    assert tuple(dealt.count(population) for population in range(3)) == wanted


def test_the_split_is_even_from_the_first_sessions_on() -> None:
    assert [population_of(session, (3, 1)) for session in range(4)].count(1) == 1
    assert PopulationSplit((900, 100)).counts(50) == (45, 5)


def test_no_worker_gets_all_sessions_of_a_population() -> None:
    split = PopulationSplit((1, 1))
    first_worker = [split.population_of(session) for session in range(0, 1000, 2)]
    assert 200 < first_worker.count(0) < 300


def test_a_place_is_the_index_within_the_population() -> None:
    split = PopulationSplit((2, 1))
    places = [split.place_of(session) for session in range(300)]
    for population, size in ((0, 200), (1, 100)):
        assert [place for found, place in places if found == population] == list(range(size))


@pytest.mark.parametrize("weights", [(), (0,), (1, 0), (1, -1)])
def test_weights_out_of_range_are_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="whole numbers above zero"):
        PopulationSplit(weights)


def test_sessions_and_levels_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="no session -1"):
        population_of(-1, (1,))
    with pytest.raises(ValueError, match="no level -1"):
        PopulationSplit((1, 2)).count(0, -1)
