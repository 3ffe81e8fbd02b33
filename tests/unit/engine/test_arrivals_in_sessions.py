"""A session that sends at random times sends at those of the schedule, though it draws them a block at a time."""

from __future__ import annotations

from array import array

import pytest

from both_forms import FORMS, module_in
from squall.profiles.schedule import PoissonArrivals

S = 1_000_000_000


class Plan:
    """What a session asks of its lane, for its due times alone."""

    def __init__(self, arrivals: PoissonArrivals) -> None:
        self.arrivals = arrivals
        self.block_ns = arrivals.block_ns
        self.drawn = 0

    def points(self, index: int, block: int) -> array[int]:
        self.drawn += 1
        return array("q", self.arrivals.points(index, block))


@pytest.mark.parametrize("index", [0, 1, 77])
def test_points_are_those_of_the_schedule(index: int) -> None:
    session_class = module_in(FORMS[1], "squall.engine.session").Session
    arrivals = PoissonArrivals(S // 10, seed=5)
    # Its base may be compiled, and then keeps its lane to itself.
    detached = type("Detached", (session_class,), {"lane": None})
    session = detached.__new__(detached)
    session.index, session.points, session.point, session.block = index, None, 0, 0
    session.lane = Plan(arrivals)
    after = 3 * S
    for _ in range(500):
        due = session._next_point(after)
        assert due == arrivals.next_due(index, after)
        after = due
    assert session.lane.drawn < 30
