"""The scene adds up what it was told; rates and times are those of the window."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from squall.live.picture import EVENTS_MAX, TROUBLES_MAX, Scene, Times
from squall.record.outcomes import Trouble
from squall.record.run import Phase
from squall.record.snapshots import ConnectionCell, Event, Interval

Intervals = Callable[..., Interval]


def test_nothing_seen_is_not_measured() -> None:
    picture = Scene().picture()
    assert picture.sent_hz is None
    assert picture.response == Times(None, None, None, None)
    assert picture.loop_lag_max_ms is None
    assert (picture.held, picture.errors, picture.events) == (0, 0, ())


def test_rates_are_those_of_the_window_and_counts_those_of_the_run(make_interval: Intervals) -> None:
    scene = Scene()
    scene.accept(make_interval(0))
    assert scene.picture().sent_hz == 20
    for index in (1, 2):
        scene.accept(make_interval(index))
    picture = scene.picture()
    assert (picture.sent_hz, picture.delivered_hz, picture.connects_hz) == (20, 19, 2)
    assert (picture.delivery.sent, picture.delivery.delivered, picture.delivery.lost) == (60, 57, 3)
    assert (picture.connects_failed, picture.errors) == (3, 3)
    assert picture.troubles == ((Trouble("upgrade", "status_403", "target"), 3),)


def test_times_of_the_window_are_forgotten_with_it(make_interval: Intervals) -> None:
    scene = Scene()
    scene.accept(make_interval(0))
    assert scene.picture().response.p99_ms == pytest.approx(2.0, rel=0.004)
    scene.accept(make_interval(1, messages=[]))
    assert scene.picture().response.p99_ms is None


def test_levels_are_those_of_the_last_interval(make_interval: Intervals) -> None:
    scene = Scene()
    scene.accept(make_interval(0))
    scene.accept(make_interval(1, held=7, workers=[]))
    picture = scene.picture()
    assert (picture.held, picture.planned, picture.pending, picture.blocked) == (7, 12, 0, 0)


def test_the_phase_and_its_length_are_shown(
    make_interval: Intervals, make_phase: Callable[..., Phase]
) -> None:
    scene = Scene()
    scene.begin_phase(make_phase(start_s=0.5), 45.0)
    scene.accept(make_interval(0))
    picture = scene.picture()
    assert (picture.phase, picture.phase_start_ns, picture.phase_duration_s) == ("hold", 500_000_000, 45.0)


def test_only_the_last_events_and_the_most_frequent_troubles_are_kept(make_interval: Intervals) -> None:
    scene = Scene()
    for number in range(EVENTS_MAX + 3):
        scene.happened(Event(at_ns=number, kind="drop", text=str(number)))
    troubles = [(Trouble("upgrade", f"status_{number}", "target"), number) for number in range(400, 420)]
    cell = ConnectionCell(population=0, phase=1, place=0, troubles=troubles)
    scene.accept(make_interval(0, connections=[cell], events=[Event(at_ns=99, kind="stop", text="last")]))
    picture = scene.picture()
    assert len(picture.events) == EVENTS_MAX
    assert picture.events[-1].text == "last"
    assert len(picture.troubles) == TROUBLES_MAX
    assert picture.troubles[0][0].kind == "status_419"


def test_a_phase_that_was_announced_ahead_begins_at_its_time(
    make_interval: Intervals, make_phase: Callable[..., Phase]
) -> None:
    scene = Scene()
    scene.begin_phase(make_phase("ramp_up"), 2.0)
    scene.accept(make_interval(0))
    scene.begin_phase(make_phase(start_s=2.0), None)
    scene.accept(make_interval(1))
    assert scene.picture().phase == "ramp_up"
    scene.accept(make_interval(2))
    assert (scene.picture().phase, scene.picture().phase_duration_s) == ("hold", None)
