"""Who shares a room: the sessions of one population in one worker, in the order of their numbers, so many to a room.

With one population, session g of W workers is in room (g mod W) + W · ⌊⌊g / W⌋ / size⌋; with several, its place among
the worker's sessions of its own population takes the place of ⌊g / W⌋. So a room lives whole in one worker, and whether
it is full follows from the level alone. Who hears whom depends on the number of workers; who sends what when does not.

Pure. What it has worked out it keeps: two small numbers a session of the worker.
"""

from __future__ import annotations

from array import array

from squall.profiles.share import PopulationSplit

__all__ = ["Seating"]


class Seating:
    """The rooms of one worker.

    Args:
        split: which population a session is in.
        worker: whose sessions.
        workers: of how many.
    """

    def __init__(self, split: PopulationSplit, worker: int, workers: int) -> None:
        self._split = split
        self._worker, self._workers = worker, workers
        self._populations = array("H")
        self._ranks = array("I")
        self._counts: dict[int, int] = {}

    def rank(self, session: int) -> int:
        """How many sessions of its population and this worker come before it.

        Raises:
            ValueError: it is another worker's.
        """
        place, worker = divmod(session, self._workers)
        if worker != self._worker:
            raise ValueError(f"session {session} is none of worker {self._worker} of {self._workers}")
        self._work_out(place + 1)
        return self._ranks[place]

    def room(self, session: int, size: int) -> int:
        """The number of its room, among those of its population in all workers."""
        return self._worker + self._workers * (self.rank(session) // size)

    def members(self, session: int, size: int, started: int) -> int:
        """How many of the first `started` sessions of the worker are in a session's room, itself among them."""
        first = self.rank(session) // size * size
        self._work_out(started)
        population = self._populations[session // self._workers]
        return min(size, self._populations[:started].count(population) - first)

    def _work_out(self, sessions: int) -> None:
        while len(self._ranks) < sessions:
            session = self._worker + len(self._ranks) * self._workers
            population = self._split.population_of(session)
            rank = self._counts.get(population, 0)
            self._counts[population] = rank + 1
            self._populations.append(population)
            self._ranks.append(rank)
