"""Merging: what comes out is what went in, in any order, over any number of workers, late or not."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from squall.engine.merge import BEHIND_MAX_S, OTHER, PLACES_MAX, Merger
from squall.metrics.histogram import Histogram
from squall.record.outcomes import Trouble
from squall.record.snapshots import (
    CheckCell,
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    Snapshot,
    SparseHistogram,
    WorkerSample,
)

A, B, C = Place("ws://a", ""), Place("ws://a", "node-1"), Place("ws://b", "")


def histogram(*values_ns: int) -> SparseHistogram | None:
    recorder = Histogram()
    for value in values_ns:
        recorder.record(value)
    return recorder.take()


def snapshot(worker: int, index: int, **fields: object) -> Snapshot:
    held = fields.pop("held", 1)
    sample = fields.pop("sample", WorkerSample(worker=worker, held=held))
    return Snapshot(index=index, at_ns=(index + 1) * 10**9, sample=sample, **fields)  # type: ignore[arg-type]  # fields by name


def merger(workers: int) -> Merger:
    return Merger(range(workers), planned=lambda at_ns: at_ns // 10**9)


def merge_all(workers: int, snapshots: list[Snapshot]) -> list[Interval]:
    merging = merger(workers)
    made = [interval for each in snapshots for interval in merging.add(each)]
    return made + merging.finish()


def test_where_sessions_come_and_go_the_workers_say_how_many_are_planned() -> None:
    merging = merger(2)
    made = []
    for worker, index, wanted in ((0, 0, 7), (1, 0, 5), (0, 1, 8)):
        sample = WorkerSample(worker=worker, held=6, wanted=wanted)
        made += merging.add(snapshot(worker, index, sample=sample))
    made += merging.add(snapshot(1, 1, sample=WorkerSample(worker=1), final=True))  # it was lost
    assert [interval.planned for interval in made] == [12, 13]
    assert [interval.planned for interval in merge_all(1, [snapshot(0, 2)])] == [3]


# --- the same in any order, over any number of workers ---

times = st.integers(1, 10**10)
happenings = st.tuples(
    st.integers(0, 2),  # second
    st.sampled_from([A, B, C]),
    st.integers(0, 1),  # population
    st.integers(0, 1),  # type
    times,
    st.sampled_from(["delivered", "blocked", "connected", "dropped"]),
)


def cells_of(happened: list[tuple[int, Place, int, int, int, str]], places: list[Place], index: int):
    messages, connections = [], []
    for second, place, population, kind, ns, what in happened:
        if second != index:
            continue
        key = {"population": population, "phase": second % 2, "place": places.index(place)}
        if what in {"delivered", "blocked"}:
            late = what == "blocked"
            messages.append(
                MessageCell(
                    **key,
                    type=kind,
                    intended=1,
                    delivered=1,
                    reorder_extent_max=ns,
                    response=histogram(ns * 3),
                    service=histogram(ns),
                    lag=histogram(ns * 2),
                    pacer_lag=histogram(ns + 5) if late else None,
                    unlagged=histogram(ns * 2 + 1) if late else None,
                )
            )
        elif what == "connected":
            connections.append(ConnectionCell(**key, attempted=1, established=1, connect=histogram(ns)))
        else:
            trouble = Trouble("open", f"kind {ns % 3}", "target")
            connections.append(
                ConnectionCell(**key, dropped=1, close_codes={ns % 4: 1}, troubles=[(trouble, 1)])
            )
    return messages, connections


def reports(worker: int, happened: list, places: list[Place]) -> list[Snapshot]:
    made = []
    for index in range(3):
        messages, connections = cells_of(happened, places, index)
        made.append(
            snapshot(
                worker,
                index,
                messages=messages,
                connections=connections,
                places=places if index == 0 else [],
                events=[Event(at_ns=index, kind="drop", text="x", worker=worker)],
            )
        )
    return made


@given(st.lists(happenings, max_size=30), st.integers(1, 5), st.randoms())
def test_how_sessions_are_dealt_to_workers_and_who_reports_first_changes_nothing(
    happened: list, workers: int, chance: random.Random
) -> None:
    alone = merge_all(1, reports(0, happened, [A, B, C]))
    per_worker = []
    hands: list[list] = [[] for _ in range(workers)]
    for each in happened:
        hands[chance.randrange(workers)].append(each)
    for worker, hand in enumerate(hands):
        places = [A, B, C]
        chance.shuffle(places)
        per_worker.append(reports(worker, hand, places))
    in_turn = [each for second in zip(*per_worker, strict=True) for each in second]
    expected = merge_all(workers, in_turn)
    turns = [worker for worker in range(workers) for _ in range(3)]
    chance.shuffle(turns)
    queues = [list(each) for each in per_worker]
    assert merge_all(workers, [queues[worker].pop(0) for worker in turns]) == expected
    assert [(each.messages, each.connections, each.places) for each in expected] == [
        (each.messages, each.connections, each.places) for each in alone
    ]
    assert all(each.complete and each.held == workers for each in expected)


def test_a_cell_without_blocked_messages_counts_in_the_histograms_that_others_have() -> None:
    key = {"population": 0, "phase": 0, "type": 0, "place": 0}
    plain = MessageCell(**key, lag=histogram(1000), service=histogram(5000))
    blocked = MessageCell(
        **key, lag=histogram(9000), service=histogram(4000), pacer_lag=histogram(10), unlagged=histogram(20)
    )
    [made] = merge_all(
        2, [snapshot(0, 0, messages=[plain], places=[A]), snapshot(1, 0, messages=[blocked], places=[A])]
    )
    [cell] = made.messages
    assert cell.pacer_lag == histogram(10, 1000)
    assert cell.unlagged == histogram(20, 5000)
    assert cell.lag == histogram(1000, 9000)


# --- when an interval is made ---


def test_an_interval_waits_for_every_live_worker() -> None:
    merging = merger(3)
    assert merging.add(snapshot(0, 0)) == []
    assert merging.add(snapshot(2, 0)) == []
    [made] = merging.add(snapshot(1, 0, held=5))
    assert (made.index, made.held, made.planned, made.complete) == (0, 7, 1, True)
    assert [sample.worker for sample in made.workers] == [0, 1, 2]


def test_a_worker_that_is_too_far_behind_is_not_waited_for_and_nothing_of_it_is_lost() -> None:
    merging = merger(2)
    late = [
        snapshot(1, index, messages=[message(intended=2**index)], places=[A] * (index == 0))
        for index in range(5)
    ]
    merging.add(late[0])
    made = [each for index in range(5) for each in merging.add(snapshot(0, index, places=[A] * (index == 0)))]
    assert [(each.index, each.complete) for each in made] == [(0, True), (1, False)]
    assert made[1].held == 2  # the last that is known of it
    for each in late[1:]:
        made += merging.add(each)
    assert [each.index for each in made] == [0, 1, 2, 3, 4]
    assert [sum(cell.intended for cell in each.messages) for each in made] == [1, 0, 2 + 4, 8, 16]
    assert len(made) == BEHIND_MAX_S + 2
    assert merging.finish() == []


def test_what_comes_after_the_last_interval_makes_one_of_its_own() -> None:
    merging = merger(1)
    assert len(merging.add(snapshot(0, 4, places=[A]))) == 1
    assert merging.add(snapshot(0, 4, messages=[message(lost=3)], held=0, final=True)) == []
    [made] = merging.finish()
    assert (made.index, made.held, made.messages[0].lost, made.complete) == (5, 0, 3, True)


def test_two_reports_on_one_second_are_one_interval() -> None:
    merging = merger(2)
    merging.add(snapshot(0, 0, sample=WorkerSample(worker=0, held=9, loop_lag_max_ns=50, silence_ns=1)))
    later = WorkerSample(worker=0, held=3, loop_lag_max_ns=7, silence_ns=8, silence_start_ns=2)
    merging.add(snapshot(0, 0, sample=later, final=True))
    [made] = merging.add(snapshot(1, 0))
    assert made.workers[0] == msgspec.structs.replace(later, loop_lag_max_ns=50)
    assert made.held == 4


def test_a_worker_that_ended_or_is_gone_is_not_waited_for() -> None:
    merging = merger(3)
    merging.add(snapshot(0, 0, final=True, held=0))
    merging.add(snapshot(1, 0))
    [first] = merging.gone(2)
    assert (first.index, first.held) == (0, 1)
    [second] = merging.add(snapshot(1, 1))
    assert (second.index, second.complete) == (1, True)


def test_a_worker_that_skips_a_second_leaves_an_interval_that_is_not_complete() -> None:
    merging = merger(2)
    merging.add(snapshot(0, 0))
    assert merging.add(snapshot(0, 1)) == []
    first, second = merging.add(snapshot(1, 1))
    assert (first.index, first.complete) == (0, False)
    assert (second.index, second.complete) == (1, True)


def test_the_time_of_a_second_is_that_of_its_most_punctual_report() -> None:
    merging = merger(2)
    merging.add(msgspec.structs.replace(snapshot(0, 4), at_ns=9_003_000_000))
    [made] = merging.add(msgspec.structs.replace(snapshot(1, 4), at_ns=5_000_100_000))
    assert made.at_ns == 5_000_100_000


# --- places ---


def test_places_get_one_number_for_all_workers_and_are_told_once() -> None:
    merging = merger(2)
    merging.add(snapshot(0, 0, places=[C, A], messages=[message(place=0), message(place=1)]))
    [made] = merging.add(snapshot(1, 0, places=[A], messages=[message(place=0)]))
    assert made.places == [A, C]
    assert {cell.place: cell.intended for cell in made.messages} == {0: 2, 1: 1}
    merging.add(snapshot(0, 1))
    [made] = merging.add(snapshot(1, 1, places=[B, C], messages=[message(place=2), message(place=1)]))
    assert made.places == [B]
    assert {cell.place: cell.intended for cell in made.messages} == {1: 1, 2: 1}


def test_too_many_places_share_one_and_it_is_said_once() -> None:
    nodes = [Place("ws://a", f"{number:03}") for number in range(PLACES_MAX + 5)]
    cells = [message(place=number) for number in range(len(nodes))]
    first, second = merge_all(
        1,
        [
            snapshot(0, 0, places=nodes, messages=cells),
            snapshot(0, 1, places=[C], messages=[message(place=69)]),
        ],
    )
    assert len(first.places) == PLACES_MAX + 1
    assert first.places[-1] == OTHER
    assert first.messages[-1].intended == 5
    assert [event.kind for event in first.events] == ["places_full"]
    assert (second.places, second.events) == ([], [])
    assert second.messages[0].place == PLACES_MAX


def message(**fields: int) -> MessageCell:
    return MessageCell(**{"population": 0, "phase": 0, "type": 0, "place": 0, "intended": 1} | fields)


def test_windows_of_stability_checks_are_added_up_over_workers_and_late_reports() -> None:
    first = snapshot(0, 0, checks=[CheckCell(1, 0, 3, 1, 10, 9, 2), CheckCell(1, 1, 2)])
    second = snapshot(1, 0, checks=[CheckCell(1, 0, 4, 0, 20, 20, 1), CheckCell(2, 0, sent=-1)])
    (interval,) = merge_all(2, [first, second])
    assert interval.checks == [CheckCell(1, 0, 7, 1, 30, 29, 3), CheckCell(1, 1, 2), CheckCell(2, 0, sent=-1)]
    assert interval == merge_all(2, [second, first])[0]
