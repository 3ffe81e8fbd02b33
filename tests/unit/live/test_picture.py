"""The scene adds up what it was told; rates and times are those of the window."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from squall.live.picture import EVENTS_MAX, SOURCES_MAX, TRAIL_MAX, TROUBLES_MAX, Checks, Scene, Times
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.run import Phase
from squall.record.snapshots import ConnectionCell, Event, Interval, MessageCell
from squall.record.stability import StabilityCheck

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


def test_an_alert_stays_until_it_is_cleared_however_much_happens(make_interval: Intervals) -> None:
    scene = Scene()
    raised = Event(at_ns=1, kind="alert", text="slow", name="connection_latency", figure=120, bound=100)
    scene.happened(raised)
    for number in range(EVENTS_MAX):
        scene.happened(Event(at_ns=number, kind="drop", text=str(number)))
    assert scene.picture().alerts == (raised,)
    cleared = Event(at_ns=9, kind="alert_cleared", text="", name="connection_latency")
    scene.accept(make_interval(0, events=[cleared]))
    assert scene.picture().alerts == ()


def test_alerts_and_watched_machines_are_bounded() -> None:
    scene = Scene()
    for number in range(SOURCES_MAX + 5):
        scene.happened(Event(at_ns=1, kind="alert", text="", name=str(number)))
        scene.sampled(ResourceSample(at_ns=1, source=str(number), role="target"))
    last = ResourceSample(at_ns=2, source="0", role="target", cpu_share=0.5)
    scene.sampled(last)
    picture = scene.picture()
    assert (len(picture.alerts), len(picture.resources)) == (SOURCES_MAX, SOURCES_MAX)
    assert picture.resources[0] is last


def test_checks_are_counted_and_the_last_that_failed_is_kept(check: StabilityCheck) -> None:
    scene = Scene()
    passed = msgspec.structs.replace(check, drop_share=0.0)
    for each in (passed, check, passed):
        scene.checked(each)
    assert scene.picture().checks == Checks(passed=2, failed=1, last_failed=check)


def test_the_trail_has_the_last_windows(make_interval: Intervals) -> None:
    scene = Scene()
    for index in range(TRAIL_MAX + 3):
        scene.accept(make_interval(index, held=index))
        picture = scene.picture()
    assert len(picture.trail) == TRAIL_MAX
    assert [moment.held for moment in picture.trail[-2:]] == [TRAIL_MAX + 1, TRAIL_MAX + 2]
    last = picture.trail[-1]
    assert (last.sent_hz, last.response) == (picture.sent_hz, picture.response)
    assert picture.trail[0].lag_p99_ms == pytest.approx(0.5, rel=0.004)


def test_errors_are_added_up_by_whose_doing_they_were(make_interval: Intervals) -> None:
    troubles = [
        (Trouble("upgrade", "status_403", "target"), 2),
        (Trouble("open", "reset", "target"), 1),
        (Trouble("resolve", "no_name", "network"), 5),
    ]
    scene = Scene()
    scene.accept(
        make_interval(0, connections=[ConnectionCell(population=0, phase=1, place=0, troubles=troubles)])
    )
    assert scene.picture().blames == (("network", 5), ("target", 3))


def test_what_is_under_way_is_sent_without_an_outcome(make_interval: Intervals) -> None:
    scene = Scene()
    scene.accept(make_interval(0))
    cell = MessageCell(population=0, phase=1, type=0, place=0, intended=5, not_sent_target=1)
    scene.accept(make_interval(1, messages=[cell]))
    delivery = scene.picture().delivery
    assert (delivery.intended, delivery.sent, delivery.under_way) == (25, 24, 4)


def test_what_is_pushed_has_a_rate_only_once_there_is_any(make_interval: Callable[..., Interval]) -> None:
    scene = Scene()
    scene.accept(make_interval(0))
    assert scene.picture().pushed_hz is None
    cell = ConnectionCell(population=0, phase=1, place=0, pushed=30, push_missing=2)
    scene.accept(msgspec.structs.replace(make_interval(1), connections=[cell]))
    picture = scene.picture()
    assert (picture.pushed_hz, picture.delivery.push_missing) == (30.0, 2)
    scene.accept(make_interval(2))
    assert scene.picture().pushed_hz == 0.0
