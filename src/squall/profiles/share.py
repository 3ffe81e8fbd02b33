"""Who does what: a worker's exact share of the connections, and a population's.

**Workers.** Session g belongs to worker g mod workers. Whatever the level, the shares add up to it, and no
two workers differ by more than one connection.

**Populations.** Sessions are dealt to the populations in proportion to their weights, evenly at every
level. With w_i the weights reduced by their common divisor, and W their sum, each cycle of W sessions holds
exactly w_i of population i: give the wanted numbers of connections as weights, and at their sum each
population has exactly its number. Within the first cycle the number of a population's sessions differs from
its share of the level by less than one: each session goes to the population whose next one is due soonest
(earliest deadline first; Baruah, Cohen, Plaxton, Varvel: Proportionate Progress, Algorithmica 15, 1996).
Each later cycle is the first one, turned by an amount of its own, and the difference stays below two; turned,
because a cycle that repeats in step with the workers would give one worker all sessions of a population.

Pure functions of indices: nothing here depends on how many workers there are, or on a seed.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import gcd

from squall.seeds import mix64

__all__ = ["PopulationSplit", "population_of", "share"]


def share(level: int, worker: int, workers: int) -> int:
    """How many of the first `level` sessions belong to `worker`.

    Raises:
        ValueError: the level is negative, or there is no such worker.
    """
    if level < 0 or not 0 <= worker < workers:
        raise ValueError(f"no share of {level} connections for worker {worker} of {workers}")
    return (level + workers - 1 - worker) // workers


def population_of(session: int, weights: Sequence[int]) -> int:
    """The population of a session: the index of its weight.

    Raises:
        ValueError: the session is negative, or a weight is not above zero, or there is none.
    """
    return _split(tuple(weights)).population_of(session)


class PopulationSplit:
    """The split of sessions over populations by weight, as the module describes it.

    The first cycle is worked out as far as it is asked for, and kept; later cycles are looked up in it.

    Raises:
        ValueError: a weight is not above zero, or there is none.
    """

    def __init__(self, weights: Sequence[int]) -> None:
        if not weights or min(weights) < 1:
            raise ValueError(f"weights of populations are whole numbers above zero, not {list(weights)}")
        divisor = gcd(*weights)
        self._weights = tuple(weight // divisor for weight in weights)
        self._cycle = sum(self._weights)
        self._dealt: list[int] = []  # slot of the first cycle → population
        self._places: list[list[int]] = [[] for _ in weights]  # population → its slots, ascending
        self._dealer = _dealt_by_deadline(self._weights, self._cycle)

    def population_of(self, session: int) -> int:
        """The population of a session.

        Raises:
            ValueError: the session is negative.
        """
        if session < 0:
            raise ValueError(f"there is no session {session}")
        cycle, place = divmod(session, self._cycle)
        slot = (place + self._turn(cycle)) % self._cycle
        self._deal(slot + 1)
        return self._dealt[slot]

    def place_of(self, session: int) -> tuple[int, int]:
        """The population of a session, and its index within that population, counted from 0."""
        population = self.population_of(session)
        return population, self.count(population, session)

    def count(self, population: int, level: int) -> int:
        """How many of the first `level` sessions belong to a population.

        Raises:
            ValueError: the level is negative.
        """
        if level < 0:
            raise ValueError(f"there is no level {level}")
        cycle, rest = divmod(level, self._cycle)
        if rest == 0:
            return cycle * self._weights[population]
        turn = self._turn(cycle)
        self._deal(min(turn + rest, self._cycle))
        places, weight = self._places[population], self._weights[population]
        before, after = bisect_left(places, turn), bisect_left(places, turn + rest)
        if turn + rest > self._cycle:
            after = weight + bisect_left(places, turn + rest - self._cycle)
        return cycle * weight + after - before

    def counts(self, level: int) -> tuple[int, ...]:
        """How many of the first `level` sessions belong to each population; they add up to the level."""
        return tuple(self.count(population, level) for population in range(len(self._weights)))

    def _turn(self, cycle: int) -> int:
        return int(mix64(cycle) % self._cycle)  # 0 for the first cycle, as the mixer maps 0 to 0

    def _deal(self, slots: int) -> None:
        """Work the first cycle out up to `slots`."""
        while len(self._dealt) < slots:
            population = next(self._dealer)
            self._places[population].append(len(self._dealt))
            self._dealt.append(population)


@lru_cache(maxsize=64)
def _split(weights: tuple[int, ...]) -> PopulationSplit:
    return PopulationSplit(weights)


def _dealt_by_deadline(weights: tuple[int, ...], cycle: int) -> Iterator[int]:
    """The population of slot 0, 1, …, of the first cycle.

    The j-th session (from 0) of population i may come from slot floor(j · cycle / w_i) on, and must not
    come later than just before slot ceil((j + 1) · cycle / w_i); of those that may come, the most urgent
    one does.
    """
    may_come = [(0, population, 0) for population in range(len(weights))]
    urgent: list[tuple[int, int, int]] = []
    for slot in range(cycle):
        while may_come and may_come[0][0] <= slot:
            _, population, index = heapq.heappop(may_come)
            deadline = -(-(index + 1) * cycle // weights[population])
            heapq.heappush(urgent, (deadline, population, index))
        _, population, index = heapq.heappop(urgent)
        heapq.heappush(may_come, ((index + 1) * cycle // weights[population], population, index + 1))
        yield population
