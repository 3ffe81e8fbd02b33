"""Lines where there is no terminal."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

from squall.live.picture import Picture, Times
from squall.live.plain import EVENTS_PER_LINE, PlainView, plain_line
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval

Intervals = Callable[..., Interval]
Phases = Callable[..., Phase]


def test_a_line_says_all_that_matters(picture: Picture) -> None:
    assert plain_line(picture) == (
        "0:01:12 hold      held 9,998/10,000  connects 0/s  sent 10,012/s  delivered 10,011/s  "
        "response p50/p95/p99 0.41/0.92/13.3 ms  lag p99 0.10 ms  errors 4  drops 2  lost 3"
    )


def test_what_is_pushed_has_its_rate_once_there_is_any(picture: Picture) -> None:
    delivery = dataclasses.replace(picture.delivery, push_missing=7)
    pushed = dataclasses.replace(picture, pushed_hz=1234.0, delivery=delivery)
    assert "  pushed 1,234/s  response" in plain_line(pushed)
    assert plain_line(pushed).endswith("pushes missing 7")


def test_what_was_not_measured_is_a_dash(picture: Picture) -> None:
    idle = dataclasses.replace(picture, response=Times(), lag=Times(), sent_hz=None)
    assert "sent –  delivered" in plain_line(idle)
    assert "response p50/p95/p99 –/–/– ms  lag p99 – ms" in plain_line(idle)


def test_a_line_a_second_first_and_one_each_five_seconds_later(make_interval: Intervals) -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    for index in range(41):
        view.accept(make_interval(index))
    view.finish()
    times = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert times == [f"0:00:{second:02}" for second in (*range(1, 32), 36, 41)]


def test_no_second_falls_between_two_lines(make_interval: Intervals) -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    for index in range(38):
        view.accept(make_interval(index))
    view.finish()
    last = stream.getvalue().splitlines()[-1]
    assert last.startswith("0:00:38")
    assert last.endswith("lost 38")
    assert "sent 20/s" in last


def test_a_phase_has_a_line_with_its_words(make_interval: Intervals, make_phase: Phases) -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    view.begin_phase(make_phase("ramp_up"), 30.0)
    view.accept(make_interval(0))
    view.begin_phase(make_phase(start_s=1.0))
    view.finish()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "0:00:00 ramp_up begins (30 s): 10 connections"
    assert lines[1].startswith("0:00:01 ramp_up   held 10/12")
    assert lines[2] == "0:00:01 hold begins: 10 connections"
    assert len(lines) == 3


def test_a_flood_of_events_is_counted(make_interval: Intervals) -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    view.happened(Event(at_ns=0, kind="stop", text="first"))
    drops = [Event(at_ns=1, kind="drop", text=str(number)) for number in range(100)]
    view.accept(make_interval(0, events=drops))
    view.finish()
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["0:00:00 stop: first", "0:00:00 drop: 0"]
    assert lines[EVENTS_PER_LINE] == f"        … and {101 - EVENTS_PER_LINE} more events"
    assert len(lines) == EVENTS_PER_LINE + 2


def test_a_stream_that_was_closed_harms_nobody(make_interval: Intervals) -> None:
    stream = io.StringIO()
    view = PlainView(stream)
    stream.close()
    view.accept(make_interval(0))
    view.finish()
    view.accept(make_interval(1))
