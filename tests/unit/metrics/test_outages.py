"""Outages: when many connections drop at once, who came back and when; and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from made_runs import second
from squall.metrics.histogram import Histogram
from squall.metrics.outages import OUTAGES_MAX, Outage, Outages, in_words
from squall.record.snapshots import ConnectionCell, SparseHistogram


def times(*seconds: float) -> SparseHistogram | None:
    recorder = Histogram()
    for each in seconds:
        recorder.record(round(each * 1e9))
    return recorder.take()


def cell(place: int = 0, **fields: Any) -> ConnectionCell:
    return ConnectionCell(population=0, phase=1, place=place, **fields)


def outages(*seconds: tuple[int, list[ConnectionCell]]) -> Outages:
    """From the connections held at each second's end, and its cells."""
    found = Outages()
    for index, (held, cells) in enumerate(seconds):
        found.add(second(index, *cells, held=held))
    return found


RESTART = [
    (500, [cell(established=500)]),
    (0, [cell(dropped=300, failed=20), cell(1, dropped=200)]),
    (200, [cell(failed=40, reconnected=200, reconnect=times(0.5, 1.2))]),
    (480, [cell(reconnected=280, reconnect=times(2.25))]),
    (500, [cell(reconnected=20, reconnect=times(3.2))]),
    (500, []),
]


def test_a_restart_that_is_survived_is_told_in_figures() -> None:
    found = outages(*RESTART)
    assert found.all == [
        Outage(
            start_s=1.0,
            within_s=1.0,
            dropped=500,
            reconnected=500,
            connects_failed=60,
            back_s=pytest.approx(3.2),  # type: ignore[arg-type]  # compares as the number
            end_s=5.0,
        )
    ]
    assert found.closed == found.all[0]
    assert in_words(found.all[0]) == (
        "500 connections dropped within 1 s, from 1 s on; all connected again, the last after 3.2 s"
        " (60 connects failed meanwhile)"
    )


def test_a_run_without_drops_and_one_with_a_few_have_none() -> None:
    assert outages((500, [cell(established=500)]), (500, []), (500, [])).all == []
    few = [(500, [cell(established=500)]), *[(500, [cell(dropped=9, reconnected=9)])] * 20]
    assert outages(*few).all == []
    assert outages((4, [cell(established=4)]), (0, [cell(dropped=4)])).all == []


def test_what_spreads_over_seconds_is_one_and_what_comes_later_another() -> None:
    found = outages(
        (100, []),
        (40, [cell(dropped=60)]),
        (10, [cell(dropped=30, reconnected=10, reconnect=times(0.4))]),
        (100, [cell(reconnected=80, reconnect=times(1.5))]),
        (50, [cell(dropped=50, reconnected=0)]),
        (100, [cell(reconnected=50, reconnect=times(0.2))]),
    )
    assert [(each.start_s, each.within_s, each.dropped, each.end_s) for each in found.all] == [
        (1.0, 2.0, 90, 4.0),
        (4.0, 1.0, 50, 6.0),
    ]


def test_who_does_not_come_back_is_said() -> None:
    gone = outages((50, []), (0, [cell(dropped=50, abandoned=50)])).all[0]
    assert in_words(gone) == "50 connections dropped within 1 s, from 1 s on; none of them connected again"
    some = outages(
        (50, []), (0, [cell(dropped=50)]), (40, [cell(reconnected=40, abandoned=10, reconnect=times(0.9))])
    ).all[0]
    assert some.end_s == 3.0
    assert in_words(some).endswith(
        "40 of them connected again, the last after 900 ms, 10 gave up or were to leave first"
    )
    waiting = outages((50, []), (0, [cell(dropped=50)]), (40, [cell(reconnected=40, reconnect=times(0.9))]))
    assert waiting.closed is None
    assert waiting.all[0].end_s is None
    assert in_words(waiting.all[0]).endswith("10 not yet")


def test_the_return_of_who_dropped_before_it_is_no_return_from_an_outage() -> None:
    before = [
        (100, []),
        (92, [cell(dropped=8)]),
        (42, [cell(dropped=50)]),
        (50, [cell(reconnected=8, reconnect=times(9))]),
    ]
    early = outages(*before).all[0]
    assert (early.dropped, early.reconnected, early.back_s) == (50, 0, None)
    then = [*before, (92, [cell(reconnected=42, reconnect=times(1))])]
    some = outages(*then)
    assert some.closed is None
    assert in_words(some.all[0]).endswith("42 of them connected again, the last after 1 s, 8 not yet")
    whole = outages(*then, (100, [cell(reconnected=6, abandoned=2, reconnect=times(1.5))])).all[0]
    assert (whole.reconnected, whole.abandoned, whole.end_s) == (48, 2, 6.0)


def test_who_gave_up_before_or_is_settled_by_giving_up_is_not_away_twice() -> None:
    found = outages(
        (100, []),
        (92, [cell(dropped=8, abandoned=3)]),
        (42, [cell(dropped=50)]),
        (90, [cell(reconnected=48, abandoned=7, reconnect=times(1))]),
    )
    assert [(each.reconnected, each.abandoned, each.end_s) for each in found.all] == [(43, 7, 4.0)]


def test_past_a_limit_they_are_counted() -> None:
    found = Outages()
    found.add(second(0, held=10))
    for index in range(1, OUTAGES_MAX + 6):
        found.add(second(index, cell(dropped=10, reconnected=10, reconnect=times(0.1)), held=10))
    assert (len(found.all), found.more) == (OUTAGES_MAX, 5)
