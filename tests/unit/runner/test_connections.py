"""What there is to see of a run's connections, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass

import squall
from made_runs import S, connections, second, some_totals
from squall.metrics.totals import Totals
from squall.runner.connections import ConnectionManager, ConnectionStates, PlaceConnections


@dataclass
class Run:
    totals: Totals
    at_ns: int = 0

    def now_ns(self) -> int:
        return self.at_ns


def test_the_public_name_is_this_one() -> None:
    assert squall.ConnectionManager is ConnectionManager


def test_before_the_first_report_nothing_is_measured() -> None:
    for manager in (ConnectionManager(lambda: None), ConnectionManager(lambda: Run(some_totals()))):
        assert (manager.held, manager.planned, manager.peak, manager.age_s) == (None, None, None, None)
        assert (manager.by_state, manager.by_place) == (None, None)
        assert repr(manager) == "<ConnectionManager: nothing reported yet>"


def test_held_is_the_last_report_and_peak_the_highest() -> None:
    totals = some_totals(second(0, held=10), second(1, held=4, planned=5))
    manager = ConnectionManager(lambda: Run(totals, at_ns=round(2.4 * S)))
    assert (manager.held, manager.planned, manager.peak) == (4, 5, 10)
    assert manager.age_s is not None
    assert round(manager.age_s, 6) == 0.4
    assert repr(manager) == "<ConnectionManager: 4 held>"


def test_states_and_places_add_up() -> None:
    totals = some_totals(
        second(0, connections(6, attempted=9, failed=2), connections(4, place=1)),
        second(1, connections(closed=1, dropped=2), connections(place=1, closed=3)),
    )
    manager = ConnectionManager(lambda: Run(totals))
    assert manager.by_state == ConnectionStates(
        attempted=13, pending=1, failed=2, open=4, closed=4, dropped=2
    )
    assert manager.by_place == (
        PlaceConnections(entry_point="ws://one", node="a", open=3, failed=2, closed=1, dropped=2),
        PlaceConnections(entry_point="ws://two", node="b", open=1, failed=0, closed=3, dropped=0),
    )


def test_a_place_where_nothing_has_come_of_an_attempt_is_not_listed() -> None:
    manager = ConnectionManager(lambda: Run(some_totals(second(0, connections(0, attempted=3)))))
    assert manager.by_place == ()


def test_it_follows_the_run() -> None:
    totals = some_totals(second(0, held=1))
    manager = ConnectionManager(lambda: Run(totals))
    assert manager.held == 1
    totals.add(second(1, held=7))
    assert manager.held == 7
