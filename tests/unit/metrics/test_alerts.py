from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_runs import S, connections, messages, second, times
from squall.metrics.alerts import (
    ALERTS_KEPT,
    CLEAR_SHARE,
    Alert,
    AlertTotals,
    AlertWatch,
    Hysteresis,
    bounds_of,
)
from squall.record.resources import ResourceSample, Role
from squall.record.snapshots import Event, Interval
from squall.scenario.monitoring import AlertBounds, Monitoring


def changes(*figures: float | None, bound: float = 100) -> list[str | None]:
    alert = Hysteresis(bound)
    return [alert.look(figure) for figure in figures]


# --- raised and cleared ---


def test_one_interval_above_the_bound_raises_and_two_well_below_it_clear() -> None:
    assert changes(100, 101, 150, 90, 89) == [None, "raised", None, None, "cleared"]


def test_what_lies_between_changes_nothing_and_breaks_the_quiet() -> None:
    assert changes(101, 95, 101, 95, 95, 99) == ["raised"] + [None] * 5
    assert changes(101, 80, 95, 80, 80) == ["raised", None, None, None, "cleared"]


def test_nothing_measured_changes_nothing() -> None:
    assert changes(None, None) == [None, None]
    assert changes(101, None, 80, None, 80) == ["raised", None, None, None, "cleared"]


def test_it_can_be_raised_again() -> None:
    assert changes(101, 1, 1, 101, 1, 1) == ["raised", None, "cleared"] * 2


def test_a_bound_of_none_is_crossed_by_any() -> None:
    assert changes(0, 0.001, 0, 0, bound=0) == [None, "raised", None, "cleared"]


@given(st.lists(st.one_of(st.none(), st.floats(0, 200)), max_size=60))
def test_raised_and_cleared_alternate_and_each_has_its_reason(figures: list[float | None]) -> None:
    found = changes(*figures)
    happened = [each for each in found if each is not None]
    assert happened == ["raised", "cleared"] * (len(happened) // 2) + ["raised"] * (len(happened) % 2)
    for at, change in enumerate(found):
        measured = [figure for figure in figures[: at + 1] if figure is not None]
        if change == "raised":
            assert measured[-1] > 100
        elif change == "cleared":
            assert max(measured[-2:]) <= 100 * CLEAR_SHARE


# --- the figures of an interval ---


def watch(**monitoring: Any) -> AlertWatch:
    return AlertWatch(Monitoring(**monitoring))


def fed(made: AlertWatch, *intervals: Interval) -> list[Event]:
    return [event for interval in intervals for event in made.add(interval)]


def seconds(since: int, until: int, *cells: Any, **fields: Any) -> list[Interval]:
    return [second(index, *cells, **fields) for index in range(since, until)]


def test_an_interval_is_as_long_as_was_asked_and_its_figure_is_its_mean() -> None:
    slow, fast = messages(1, response_ms=[300]), messages(9, response_ms=[60] * 9)
    made = watch(interval=5)
    assert fed(made, second(0, fast), second(1, slow), *seconds(2, 4, fast)) == []
    assert fed(made, second(4, fast)) == []  # a mean of 66 ms
    (event,) = fed(made, *seconds(5, 10, slow))
    assert (event.kind, event.name, event.at_ns) == ("alert", "connection_latency", 10 * S)
    assert (event.figure, event.bound) == (pytest.approx(300, rel=0.01), 100)
    assert event.text == "connection_latency: mean response_time 300 ms, above 100 ms"


def test_latency_is_that_of_connecting_while_connects_happen() -> None:
    quick = messages(9, response_ms=[5] * 9)
    (event,) = fed(watch(interval=1), second(0, quick, connections(2, connect=times(150, 250))))
    assert event.text == "connection_latency: mean connect_time 200 ms, above 100 ms"


def test_drops_are_a_share_of_the_connections_there_were() -> None:
    made = watch(interval=1)
    assert fed(made, second(0, connections(100), held=100)) == []
    assert fed(made, second(1, connections(0, dropped=1), held=99)) == []  # exactly 1 %
    (event,) = fed(made, second(2, connections(1, dropped=2), held=98))
    assert (event.name, event.figure, event.bound) == ("connection_drop_rate", 0.02, 0.01)
    assert event.text == "connection_drop_rate: 2 of 100 connections dropped, above 1 %"
    assert fed(made, second(3, held=98)) == []
    (event,) = fed(made, second(4, held=98))
    assert event.kind == "alert_cleared"
    assert event.text.endswith("0 of 98 connections dropped, for 2 intervals at most 90% of 1 %")


def sample(source: str, cpu: float | None, memory: float | None = None, role: Role = "target") -> Any:
    return ResourceSample(at_ns=0, source=source, role=role, cpu_share=cpu, memory_share=memory)


def test_the_target_is_the_fullest_of_its_nodes_as_last_looked_at() -> None:
    made = watch(interval=1)
    for each in (sample("a", 0.99), sample("a", 0.5), sample("b", 0.9), sample("host", 1.0, 1.0, "host")):
        made.sampled(each)
    (event,) = fed(made, second(0))
    assert (event.name, event.figure) == ("cpu_usage", 0.9)
    assert event.text == "cpu_usage: 90 % at b, above 80 %"
    assert fed(made, *seconds(1, 5)) == []  # unwatched since: neither quiet nor loud
    for index in (5, 6):
        made.sampled(sample("a", 0.1, 0.86))
        last = fed(made, second(index))
        assert [each.name for each in last] == (["memory_usage"] if index == 5 else ["cpu_usage"])


def test_an_alert_that_is_off_is_never_raised() -> None:
    bounds = AlertBounds(connection_latency=None)
    assert fed(watch(interval=1, alerts=bounds), second(0, messages(1, response_ms=[900]))) == []
    assert bounds_of(bounds) == {"memory_usage": 0.85, "cpu_usage": 0.80, "connection_drop_rate": 0.01}


def test_a_late_second_shifts_none_that_follow() -> None:
    made, slow = watch(interval=5), messages(1, response_ms=[300])
    assert [event.at_ns for event in fed(made, second(5, slow, at_ns=7 * S))] == [7 * S]
    quiet = messages(1, response_ms=[1])
    assert fed(made, *seconds(7, 10, quiet)) == []
    (event,) = fed(made, *seconds(10, 15, quiet))
    assert (event.kind, event.at_ns) == ("alert_cleared", 15 * S)


# --- over the run ---


def event(kind: str, at_s: int, name: str = "cpu_usage") -> Event:
    return Event(at_ns=at_s * S, kind=kind, text="", name=name, figure=0.9, bound=0.8)


def test_raised_and_cleared_make_one_alert() -> None:
    totals = AlertTotals()
    for each in (
        event("alert", 5),
        event("alert", 6, "memory_usage"),
        event("stop", 7),
        event("alert_cleared", 8),
        event("alert", 9),
    ):
        totals.add(each)
    first = Alert(name="cpu_usage", bound=0.8, figure=0.9, raised_s=5.0, cleared_s=8.0)
    assert totals.kept[0] == first
    assert [(each.raised_s, each.cleared_s) for each in totals.kept[1:]] == [(6.0, None), (9.0, None)]
    assert totals.counts == {"cpu_usage": 2, "memory_usage": 1}


def test_alerts_are_kept_in_bounded_memory_and_counted_beyond() -> None:
    totals = AlertTotals()
    for at in range(ALERTS_KEPT + 3):
        totals.add(event("alert", 2 * at))
        totals.add(event("alert_cleared", 2 * at + 1))
    assert len(totals.kept) == ALERTS_KEPT
    assert totals.counts["cpu_usage"] == ALERTS_KEPT + 3
    assert totals.kept[-1].cleared_s == 2 * ALERTS_KEPT - 1
