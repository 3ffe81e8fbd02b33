"""A dead worker's messages and connections: everything gets an outcome, and the counts are the schedule's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.engine import loss
from squall.engine.agenda import Agenda
from squall.engine.base import PhaseOrder
from squall.engine.loss import Account, DueCounts
from squall.engine.setup import population_seed, visits_of
from squall.profiles.schedule import arrivals
from squall.profiles.share import PopulationSplit
from squall.record.outcomes import Trouble
from squall.record.snapshots import ConnectionCell, Event, MessageCell, Place, Snapshot, WorkerSample
from squall.runner.plan import plan_phase
from squall.runner.ramps import held, spec_of
from squall.scenario.loader import load_scenario
from squall.scenario.models import LinearRamp, Scenario

S = 10**9


def scenario(**rest: Any) -> Scenario:
    return load_scenario({"target": "ws://service.example/", "load": {"connections": 40}} | rest).scenario


def orders(given: Scenario, *, hold_s: float = 5.0, down_s: float = 4.0) -> list[PhaseOrder]:
    """Up to 40 connections in 2 s, a hold, and down to none."""
    level = given.load.connections
    up = plan_phase(
        given, "ramp_up", "ramp_up", spec_of(LinearRamp(duration=2), before=0, to=level), before=0
    )
    hold = plan_phase(given, "hold", "sustained", held(level, hold_s), before=level)
    ramp = spec_of(LinearRamp(duration=down_s), before=level, to=0)
    down = plan_phase(given, "ramp_down", "ramp_down", ramp, before=level)
    starts = [0, 2 * S, round((2 + hold_s) * S)]
    return [phase.order(number, starts[number]) for number, phase in enumerate((up, hold, down))]


def account(*, started: int, at_ns: int, worker: int = 1, **fields: Any) -> Account:
    made = Account(worker)
    made.add(
        Snapshot(
            index=at_ns // S,
            at_ns=at_ns,
            sample=WorkerSample(worker=worker, started=started, held=started),
            places=[Place("ws://a", ""), Place("ws://a", "n1"), Place("ws://a", "n2")],
            **fields,
        )
    )
    return made


def event(at_ns: int) -> Event:
    return Event(at_ns=at_ns, kind="worker_lost", text="gone", worker=1)


def brute_force(
    given: Scenario,
    plan: list[PhaseOrder],
    workers: int,
    worker: int,
    started: int,
    from_ns: int,
    until_ns: int,
) -> Counter[tuple[int, int]]:
    """Each due time of each session, one by one."""
    split = PopulationSplit([each.weight for each in given.populations])
    found: Counter[tuple[int, int]] = Counter()
    for session in range(worker, worker + started * workers, workers):
        population, index = split.place_of(session)
        traffic = given.populations[population].traffic
        schedule = arrivals(traffic.arrival, traffic.rate, population_seed(given.seed, population))
        # of a linear ramp down from 40 in 4 s, session g is the (40 − g)th to leave
        leaves_ns = plan[2].phase.start_ns + round((40 - session) * 4 / 40 * S)
        at = schedule.due_at_or_after(index, from_ns)
        while at < min(until_ns, leaves_ns):
            phase = max(order.phase.id for order in plan if order.phase.start_ns <= at)
            if phase > 0 or traffic.during_ramp:
                found[population, phase] += 1
            at = schedule.next_due(index, at)
    return found


TWO = [
    {"name": "a", "weight": 3, "traffic": {"rate": 7}},
    {"name": "b", "weight": 1, "traffic": {"rate": 3, "arrival": "poisson", "during_ramp": False}},
]


@settings(max_examples=50)
@given(st.integers(1, 3), st.integers(0, 10), st.integers(0, 11 * S), st.integers(0, 11 * S))
def test_the_due_messages_are_those_of_the_schedule(workers: int, started: int, one: int, other: int) -> None:
    given = scenario(populations=TWO)
    plan = orders(given)
    worker, (from_ns, until_ns) = workers - 1, sorted((one, other))
    counted = DueCounts(given, workers).of(worker, started, from_ns, until_ns, plan)
    assert counted == +brute_force(given, plan, workers, worker, started, from_ns, until_ns)


@pytest.mark.parametrize("workers", [1, 2])
def test_of_sessions_that_come_and_go_only_the_visits_at_the_loss_still_send(workers: int) -> None:
    given = scenario(
        sessions={"length": {"mean": "2s", "distribution": "exponential"}, "think_time": "500ms"},
        traffic={"rate": 7},
    )
    plan, at_ns, until_ns = orders(given), 5 * S, 8 * S
    visits = visits_of(given, 0)
    assert visits is not None
    agenda = Agenda(0, workers, lambda session: (visits, session))
    for each in plan:
        agenda.begin(each)
    while agenda.take(at_ns) is not None:
        pass
    schedule = arrivals("uniform", 7, population_seed(given.seed, 0))
    expected = sum(
        schedule.count_due(session, at_ns, min(until_ns, leave_ns))
        for session, leave_ns in agenda.leaves_ns().items()
    )
    counted = DueCounts(given, workers).of(0, 40 // workers, at_ns, until_ns, plan)
    assert sum(counted.values()) == expected > 0
    everybody = DueCounts(scenario(traffic={"rate": 7}), workers).of(0, 40 // workers, at_ns, until_ns, plan)
    assert expected < sum(everybody.values())


def test_of_arrivals_those_that_were_there_still_send() -> None:
    given = scenario(load={"arrivals": "20/s"}, sessions={"length": "2s"}, traffic={"rate": 5})
    level = given.level
    assert level == 40
    hold = plan_phase(given, "hold", "sustained", held(level, 20.0), before=level).order(0, 0)
    counted = DueCounts(given, 1).of(0, 100, 10 * S, 20 * S, [hold])
    # Each of the 40 that are there stays a second more on average, and sends five messages in it.
    assert sum(counted.values()) == pytest.approx(40 * 5, abs=12)


def totals(*snapshots: Snapshot | None) -> Counter[str]:
    found: Counter[str] = Counter()
    for snapshot in snapshots:
        for cell in [] if snapshot is None else snapshot.messages:
            for name in ("intended", "not_sent_squall", "not_sent_target", "delivered", "lost", "unknown"):
                found[name] += getattr(cell, name)
    return found


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 20), min_size=6, max_size=6),
    st.integers(1, 20),
    st.integers(1, 9 * S),
    st.integers(0, 2 * S),
)
def test_every_message_of_a_dead_worker_has_an_outcome(
    counts: list[int], started: int, died_ns: int, after_ns: int
) -> None:
    given = scenario(populations=TWO)
    plan, due = orders(given), DueCounts(given, 2)
    delivered, lost, unknown, by_target, by_squall, owed = counts
    cell = MessageCell(
        population=0,
        phase=0,
        type=0,
        place=1,
        intended=sum(counts),
        delivered=delivered,
        lost=lost,
        unknown=unknown,
        not_sent_target=by_target,
        not_sent_squall=by_squall,
    )
    dead = account(started=started, at_ns=died_ns, messages=[cell])
    noticed_ns = died_ns + after_ns
    first = dead.lost(event(noticed_ns), due_until_ns=noticed_ns, due=due, orders=plan)
    last = dead.not_sent(noticed_ns, 11 * S, due=due, orders=plan)
    all_of_it = totals(first, last) + totals(Snapshot(index=0, at_ns=0, sample=first.sample, messages=[cell]))
    outcomes = sum(all_of_it[name] for name in all_of_it if name != "intended")
    assert all_of_it["intended"] == outcomes
    assert totals(first)["unknown"] - totals(first)["intended"] == owed
    assert totals(last)["intended"] == totals(last)["not_sent_squall"]
    expected = sum(brute_force(given, plan, 2, 1, started, noticed_ns, 11 * S).values())
    assert totals(last)["intended"] == expected


def test_what_is_due_goes_to_types_by_weight_and_to_the_place_with_most_connections() -> None:
    given = scenario(traffic={"rate": 10, "types": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}]})
    opened = [
        ConnectionCell(population=0, phase=0, place=1, established=4, closed=1),
        ConnectionCell(population=0, phase=0, place=2, established=5),
    ]
    dead = account(started=8, at_ns=3 * S, connections=opened)
    made = dead.lost(event(4 * S), due_until_ns=4 * S, due=DueCounts(given, 2), orders=orders(given))
    assert {(cell.type, cell.place, cell.phase): cell.unknown for cell in made.messages} == {
        (0, 2, 1): 60,
        (1, 2, 1): 20,
    }


def test_open_connections_are_dropped_and_pending_ones_failed_by_the_tester() -> None:
    connections = [
        ConnectionCell(population=0, phase=0, place=0, attempted=9, failed=2),
        ConnectionCell(population=0, phase=0, place=1, established=4, closed=1),
        ConnectionCell(population=0, phase=1, place=1, dropped=1),
        ConnectionCell(population=0, phase=0, place=2, established=1),
    ]
    dead = account(started=5, at_ns=3 * S, connections=connections)
    given = scenario(traffic={"rate": 1})
    made = dead.lost(event(4 * S), due_until_ns=4 * S, due=DueCounts(given, 2), orders=orders(given))
    assert made.connections == [
        ConnectionCell(
            population=0,
            phase=1,
            place=1,
            dropped=2,
            abandoned=2,
            troubles=[(Trouble("open", "worker_lost", "tester"), 2)],
        ),
        ConnectionCell(
            population=0,
            phase=1,
            place=2,
            dropped=1,
            abandoned=1,
            troubles=[(Trouble("open", "worker_lost", "tester"), 1)],
        ),
        ConnectionCell(
            population=0,
            phase=1,
            place=0,
            failed=2,
            troubles=[(Trouble("connect", "worker_lost", "tester"), 2)],
        ),
    ]
    assert made.final
    assert made.sample == WorkerSample(worker=1, started=5, held=0)
    assert made.events == [event(4 * S)]
    assert made.index == 4


def test_sessions_with_a_message_count_intend_no_more_than_that() -> None:
    given = scenario(traffic={"rate": 10, "messages_per_session": 12, "types": ["a", "b"]})
    told = [MessageCell(population=0, phase=1, type=0, place=1, intended=40, delivered=40)]
    dead = account(started=5, at_ns=3 * S, messages=told)
    plan, due = orders(given), DueCounts(given, 2)
    first = dead.lost(event(int(3.2 * S)), due_until_ns=int(3.2 * S), due=due, orders=plan)
    last = dead.not_sent(int(3.2 * S), 7 * S, due=due, orders=plan)
    assert totals(first)["intended"] == 10
    assert totals(last)["intended"] == 5 * 12 - 40 - 10


def test_a_message_to_a_room_counts_for_each_other_member_of_it() -> None:
    """Worker 1 of 2 has started 10: rooms of four, of four and of two."""
    alone = scenario(traffic={"rate": 3, "messages_per_session": 12})
    rooms = scenario(traffic={"rate": 3, "messages_per_session": 12}, exchange={"kind": "room"})
    plan = orders(alone)
    one, other = (DueCounts(each, 2).of(1, 10, 3 * S, 5 * S, plan) for each in (alone, rooms))
    assert one == {(0, 1): 10 * 6}
    assert other == {(0, 1): (8 * 3 + 2 * 1) * 6}
    assert DueCounts(rooms, 2).messages_max(0, 1, 10) == (8 * 3 + 2 * 1) * 12


def test_after_a_stop_nothing_more_is_intended() -> None:
    given = scenario(traffic={"rate": 10})
    dead = account(started=5, at_ns=3 * S)
    plan, due = orders(given), DueCounts(given, 2)
    first = dead.lost(event(5 * S), due_until_ns=4 * S, due=due, orders=plan)
    assert totals(first)["intended"] == 50
    assert dead.not_sent(5 * S, 4 * S, due=due, orders=plan) is None


def test_a_worker_that_only_held_owes_nothing() -> None:
    given = scenario(exchange="idle")
    dead = account(started=5, at_ns=3 * S)
    plan, due = orders(given), DueCounts(given, 2)
    assert dead.lost(event(5 * S), due_until_ns=5 * S, due=due, orders=plan).messages == []
    assert dead.not_sent(5 * S, 9 * S, due=due, orders=plan) is None


def test_a_worker_that_died_before_its_first_report_left_nothing_known() -> None:
    given = scenario()
    dead = Account(0)
    made = dead.lost(event(S // 2), due_until_ns=S // 2, due=DueCounts(given, 1), orders=orders(given))
    assert (made.messages, made.connections, made.index, made.final) == ([], [], 0, True)


def test_very_many_poisson_points_are_taken_from_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    given = scenario(traffic={"rate": 10, "arrival": "poisson"})
    plan = orders(given, hold_s=60)
    monkeypatch.setattr(loss, "COUNTED_MAX", 100)
    counted = DueCounts(given, 2).of(1, 20, 2 * S, 62 * S, plan)
    assert counted[0, 1] == pytest.approx(20 * 60 * 10, rel=0.01)
