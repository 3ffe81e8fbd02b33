"""The list of faults: windows, changes while it runs, and draws that replay."""

from __future__ import annotations

import pytest

from squall.errors import ScenarioError
from squall.proxy.table import FaultTable, Placed
from squall.scenario.faults import Drop, Latency, SwallowPings
from unit.proxy.stages import S


class Told:
    """A table, and what it told."""

    def __init__(self, seed: int = 1) -> None:
        self.turns: list[tuple[str, bool]] = []
        self.table = FaultTable(seed, lambda each, is_on: self.turns.append((each.name, is_on)))

    def on(self, direction: str = "up") -> list[str]:
        table = self.table
        return [each.name for each in (*table.of_connections[direction], *table.of_messages[direction])]


def test_a_window_opens_and_closes_at_its_time() -> None:
    told = Told()
    told.table.replace([Drop(at=1, lasts=2, direction="up")], 10 * S)
    assert told.on() == []
    assert told.table.next_change_ns == 11 * S
    assert not told.table.advance(11 * S - 1)
    assert told.table.advance(11 * S)
    assert told.on() == ["drop"]
    assert told.on("down") == []
    assert told.table.advance(13 * S)
    assert told.on() == []
    assert told.table.next_change_ns is None
    assert told.turns == [("drop", True), ("drop", False)]


def test_a_window_that_was_slept_through_is_neither_opened_nor_left_open() -> None:
    told = Told()
    told.table.replace([Drop(at=1, lasts=1)], 0)
    assert told.table.advance(5 * S)
    assert told.on() == []
    assert told.turns == []


def test_a_fault_that_is_given_again_goes_on_undisturbed() -> None:
    told = Told()
    told.table.replace([Drop(lasts=10), Latency()], 0)
    [kept, _] = told.table.placed
    told.table.replace([SwallowPings(), Drop(lasts=10)], 5 * S)
    assert told.table.placed[1] is kept
    assert kept.ends_ns == 10 * S
    assert told.turns == [("drop", True), ("latency", True), ("latency", False), ("swallow_pings", True)]


def test_a_fault_that_is_changed_begins_anew() -> None:
    told = Told()
    told.table.replace([Drop(probability=0.1)], 0)
    told.table.replace([Drop(probability=0.2)], S)
    assert told.table.placed[0].begins_ns == S
    assert told.turns == [("drop", True), ("drop", False), ("drop", True)]


def test_faults_are_added_and_taken_away_by_name() -> None:
    told = Told()
    told.table.add(Drop(), 0)
    told.table.add(Drop(name="other", direction="down"), 0)
    before = told.table.version
    told.table.remove("drop", 0)
    assert told.table.version != before
    assert told.on("down") == ["other"]
    with pytest.raises(ScenarioError, match="no fault is called drop") as caught:
        told.table.remove("drop", 0)
    assert "other" in caught.value.hint
    with pytest.raises(ScenarioError, match="two faults are called other"):
        told.table.add(Latency(name="other"), 0)
    assert told.on("down") == ["other"]


def test_those_of_messages_and_of_connections_are_apart() -> None:
    told = Told()
    told.table.replace([Drop(), Latency(), SwallowPings()], 0)
    assert [each.name for each in told.table.of_messages["up"]] == ["drop", "swallow_pings"]
    assert [each.name for each in told.table.of_connections["up"]] == ["latency"]


def test_draws_replay_from_the_seed_and_differ_by_name() -> None:
    def struck(fault: Drop, seed: int) -> list[bool]:
        return [Placed(fault, seed, 0).strikes(7, index) for index in range(2000)]

    half = Drop(probability=0.5)
    assert struck(half, 1) == struck(half, 1)
    assert struck(half, 1) != struck(half, 2)
    assert struck(half, 1) != struck(Drop(probability=0.5, name="other"), 1)
    own = Drop(probability=0.5, seed=9)
    assert struck(own, 1) == struck(own, 2)
    assert 900 < sum(struck(half, 1)) < 1100
    assert all(struck(Drop(), 1))
