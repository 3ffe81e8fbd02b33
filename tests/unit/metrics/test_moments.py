from __future__ import annotations

import pytest

from made_runs import S, connections, messages, phase, second
from squall.metrics.history import History
from squall.metrics.moments import UNENDED, Moment, moments
from squall.record.resources import ResourceSample
from squall.record.snapshots import Interval, Place, WorkerSample

HOLD_S = 60


def quiet(index: int, **fields: object) -> Interval:
    """A second in which all is as usual: two places, answers in about 5 ms."""
    cells = [messages(20, response_ms=[5.0] * 20, place=place) for place in (0, 1)]
    return second(index, *cells, workers=[worker(index)], **fields)


def worker(index: int, silence_ms: int = 20, start_s: float | None = None) -> WorkerSample:
    start_ns = round((index if start_s is None else start_s) * S)
    return WorkerSample(worker=0, silence_ns=silence_ms * 1_000_000, silence_start_ns=start_ns)


def history(changed: dict[int, Interval] | None = None, *samples: ResourceSample) -> History:
    made = History()
    made.begin_phase(phase(1, "hold", "sustained", 0, None))
    for index in range(HOLD_S):
        made.accept((changed or {}).get(index, quiet(index)))
    for sample in samples:
        made.sampled(sample)
    return made


def memory(*levels: float | None) -> list[ResourceSample]:
    return [
        ResourceSample(
            at_ns=(number + 1) * 5 * S,
            source="target",
            role="target",
            memory_bytes=None if level is None else round(level),
        )
        for number, level in enumerate(levels)
    ]


def test_a_run_in_which_nothing_happened_has_no_moments() -> None:
    flat = memory(100, 101, 100, 102, 99, 100, 101, 100, 101, 100, 102)
    assert moments(history(None, *flat)) == []
    assert moments(History()) == []


def test_a_stall_is_a_silence_with_its_start_and_its_length() -> None:
    stalled = {
        30: second(30, messages(40, delivered=0), workers=[worker(30, 700, 30.25)]),
        31: second(31, messages(40, delivered=0), workers=[worker(31, 1700, 30.25)]),
        32: second(32, messages(40, response_ms=[2100.0] * 40), workers=[worker(32, 2200, 30.25)]),
    }
    silence, slow = moments(history(stalled))
    assert silence == Moment(kind="silence", start_s=30.25, end_s=32.45, figure=2200, usual=20)
    assert (slow.kind, slow.start_s, slow.end_s) == ("slow", 32, 33)
    assert slow.figure == pytest.approx(2100, rel=0.01)


def test_a_restart_is_drops_until_all_are_held_again() -> None:
    changed = {
        20: second(20, connections(place=0, dropped=10, phase=1), held=0, planned=10),
        21: second(21, connections(4, reconnected=4, phase=1), held=4, planned=10),
        22: second(22, connections(6, reconnected=6, phase=1), held=10, planned=10),
    }
    (drops,) = [each for each in moments(history(changed)) if each.kind == "drops"]
    assert (drops.start_s, drops.end_s, drops.figure, drops.usual) == (20, 21, 10, 10)
    assert (drops.back_s, drops.again) == (23, 10)
    lasting = {index: second(index, held=0, planned=10) for index in range(21, HOLD_S)}
    (drops,) = [each for each in moments(history({20: changed[20]} | lasting)) if each.kind == "drops"]
    assert (drops.back_s, drops.again) == (None, 0)


def test_a_leak_is_growth_in_a_straight_line() -> None:
    leak = [100e6 + 10e6 * number for number in range(11)]
    (growth,) = moments(history(None, *memory(*leak)))
    assert (growth.kind, growth.what) == ("growth", "target:memory_bytes")
    assert (growth.usual, growth.figure) == (100e6, 200e6)
    assert (growth.start_s, growth.end_s) == (5, 55)
    both = moments(history(None, *memory(*range(100, 160, 10), *range(100, 150, 10))))
    assert [(each.usual, each.figure) for each in both] == [(100, 150)], "a restart in between"
    assert moments(history(None, *memory(*leak[:5]))) == [], "five samples make no line"
    assert moments(history(None, *memory(100, 300, 90, 310, 100, 320, 80, 330, 90, 300, 310))) == []
    assert moments(history(None, *memory(*[None] * 11))) == []


def test_a_slow_node_is_told_by_its_name() -> None:
    changed = {
        index: second(
            index,
            messages(20, response_ms=[5.0] * 20, place=0),
            messages(20, response_ms=[40.0] * 20, place=1),
            workers=[worker(index)],
            **({"places": quiet(0).places} if index == 0 else {}),
        )
        for index in range(HOLD_S)
    }
    (slow,) = moments(history(changed))
    assert (slow.kind, slow.what) == ("slow_place", "b at ws://two")
    assert (slow.figure, slow.usual) == (pytest.approx(40, rel=0.01), pytest.approx(5, rel=0.01))


def test_only_the_greatest_of_many_are_told() -> None:
    changed = {
        index: second(index, messages(40, response_ms=[100.0 + index] * 40), workers=[worker(index)])
        for index in range(5, 55, 5)
    }
    found = moments(history(changed))
    assert [round(each.figure) for each in found] == pytest.approx([130, 135, 140, 145, 150], abs=1)


def with_places(index: int, *responses_ms: float | None) -> Interval:
    """A second in which each place answers in so many milliseconds, or (None) not at all."""
    cells = [
        messages(20, response_ms=[each] * 20, place=place)
        for place, each in enumerate(responses_ms)
        if each is not None
    ]
    places = [Place(f"ws://{place}", "") for place in range(len(responses_ms))] if index == 0 else []
    return second(index, *cells, workers=[worker(index)], places=places)


def spells(*slow: tuple[int, int], others_ms: float | None = 5.0) -> list[Moment]:
    """What is told of a run in which the third of four places takes 80 ms from one second to another."""
    made = History()
    made.begin_phase(phase(1, "hold", "sustained", 0, None))
    for index in range(HOLD_S):
        its_ms = 80.0 if any(first <= index < last for first, last in slow) else 5.0
        made.accept(with_places(index, 5.0, others_ms, its_ms, others_ms))
    return [each for each in moments(made) if each.kind == "slow_spells"]


def test_a_place_that_is_slow_at_times_is_one_moment_of_the_run() -> None:
    (found,) = spells((10, 14), (20, 22), (40, 43))
    assert (found.what, found.start_s, found.end_s) == ("ws://2", 10, 43)
    assert (found.times, found.lasted_s) == (2, 7), "two seconds alone are no spell"
    assert (found.figure, found.usual) == (pytest.approx(80, rel=0.01), pytest.approx(5, rel=0.01))


def test_a_place_is_slow_only_against_the_others_and_long_enough() -> None:
    assert spells((10, 12)) == []
    assert spells((10, 20), others_ms=40.0) == [], "twice the others is not five times"
    assert spells((10, 20), others_ms=None)[0].usual == pytest.approx(5, rel=0.01), "one other is enough"
    made = History()
    for index in range(HOLD_S):
        made.accept(with_places(index, None, 80.0))
    assert moments(made) == [], "there is nothing to hold it against"


def test_a_place_that_is_slow_throughout_is_told_once() -> None:
    made = History()
    made.begin_phase(phase(1, "hold", "sustained", 0, None))
    for index in range(HOLD_S):
        made.accept(with_places(index, 5.0, 5.0, 80.0))
    assert [each.kind for each in moments(made)] == ["slow_place"]


def test_of_many_places_that_are_slow_at_times_five_are_told() -> None:
    made = History()
    for index in range(HOLD_S):
        its_ms = [5.0] * 8 + [80.0 if 4 * place <= index < 4 * place + 4 else 5.0 for place in range(7)]
        made.accept(with_places(index, *its_ms[-7:], *[5.0] * 4))
    assert [each.kind for each in moments(made)].count("slow_spells") == 5


def test_a_stall_of_a_feed_is_a_silence_too() -> None:
    made = History()
    for index in range(HOLD_S):
        pushed = 0 if 30 <= index < 33 else 5
        made.accept(
            second(
                index, connections(pushed=pushed), workers=[worker(index, 3300 if index == 33 else 20, 30)]
            )
        )
    (found,) = moments(made)
    assert (found.kind, found.start_s, found.figure, found.usual) == ("silence", 30, 3300, 20)


@pytest.mark.parametrize(
    ("held", "due", "is_one"), [(10, 5, True), (10, 0, False), (0, 5, False)], ids=["stall", "over", "gone"]
)
def test_a_silence_that_never_ended_lasts_until_the_load_did(held: int, due: int, is_one: bool) -> None:
    made = History()
    made.begin_phase(phase(1, "hold", "sustained", 0, HOLD_S))
    for index in range(HOLD_S):
        if index < 50:
            cells = [messages(5, response_ms=[5.0] * 5), connections(messages_received=5)]
            made.accept(second(index, *cells, workers=[worker(index)]))
        else:
            made.accept(second(index, messages(due, delivered=0), held=held, workers=[worker(index, 0)]))
    found = [each for each in moments(made) if each.kind == "silence"]
    ended = second(HOLD_S, connections(messages_received=1), workers=[worker(HOLD_S, 10_500, 50)])
    made.accept(ended)
    assert not any(each.what == UNENDED for each in moments(made)), "what came in the drain tells of it"
    assert [(each.start_s, each.end_s, each.figure, each.what) for each in found] == (
        [(50, 60, 10_000, UNENDED)] if is_one else []
    )


def test_a_feed_that_stopped_for_good_is_a_silence() -> None:
    made = History()
    made.begin_phase(phase(1, "hold", "sustained", 0, None))
    for index in range(HOLD_S):
        came = 5 * (index < 50)
        cell = connections(pushed=came, messages_received=came)
        made.accept(second(index, cell, workers=[worker(index, 20 * (index < 50))]))
    assert [(each.kind, each.start_s, each.what) for each in moments(made)] == [("silence", 50, UNENDED)]
