from __future__ import annotations

from made_runs import S
from squall.metrics.history import History
from squall.metrics.outages import Outage
from squall.record.snapshots import Event
from squall.reports import pictures
from squall.reports.backdrop import backdrop, legend, mark_kind
from unit.reports import reported


def history() -> History:
    return History.of(reported.troubled()[0])


def test_all_charts_over_time_share_axis_phases_and_marks() -> None:
    told = history()
    told.events.clear()
    told.happened(Event(at_ns=2 * S, kind="alert", text="slow"))
    told.happened(Event(at_ns=3 * S, kind="alert_cleared", text="well again"))
    told.happened(Event(at_ns=3 * S, kind="drop", text="not marked: there may be thousands"))
    behind = backdrop(told)
    assert behind.x_range == (0, 5)
    assert [(span.start, span.end, span.name) for span in behind.spans] == [
        (0, 1, "ramp up"), (1, 4, "hold"), (4, 5, "ramp down"),
    ]  # fmt: skip
    assert [(mark.at, mark.kind) for mark in behind.marks] == [(2, "alert"), (3, "cleared")]
    charts = [
        *pictures.connections(told, behind),
        *pictures.latency(told, behind),
        *pictures.throughput(told, behind),
        *pictures.errors(told, behind),
        *pictures.generator(told, behind),
    ]
    assert all(
        (chart.x_range, chart.spans, chart.marks) == (behind.x_range, behind.spans, behind.marks)
        for chart in charts
    )
    assert charts[0].title == "Connections held"


def test_a_fault_is_a_band_from_its_start_until_it_is_healed_or_the_record_ends() -> None:
    told = history()
    for at_s, kind, name in ((1, "fault", "reset"), (2, "fault", "slow"), (3, "fault_healed", "reset")):
        told.happened(Event(at_ns=at_s * S, kind=kind, name=name, text=name))
    behind = backdrop(told)
    assert [(band.start, band.end, band.name) for band in behind.faults] == [
        (1, 3, "reset"), (2, 5, "slow"),
    ]  # fmt: skip
    assert all(chart.faults == behind.faults for chart in pictures.connections(told, behind))
    assert backdrop(history()).faults == ()


def test_an_outage_is_a_band_from_its_first_drop_to_its_end_or_that_of_the_record() -> None:
    outages = [
        Outage(start_s=1, within_s=1, dropped=9, reconnected=9, back_s=1.5, end_s=3),
        Outage(start_s=4, within_s=1, dropped=7),
    ]
    behind = backdrop(history(), outages)
    assert [(band.start, band.end) for band in behind.outages] == [(1, 3), (4, 5)]
    whole, lasting = (band.name for band in behind.outages)
    assert whole == "outage 0:01–0:03: 9 connections dropped, 9 connected again"
    assert lasting == "outage from 0:04, not over: 7 connections dropped, 0 connected again"
    assert all(chart.outages == behind.outages for chart in pictures.connections(history(), behind))
    told = history()
    told.happened(Event(at_ns=3 * S, kind="outage", text="told when it was over"))
    assert [mark.text for mark in backdrop(told, outages).marks] == [mark.text for mark in behind.marks]
    assert mark_kind("outage") is None


def test_of_many_outages_the_worst_are_drawn_and_the_rest_is_counted() -> None:
    outages = [
        Outage(start_s=at, within_s=1, dropped=5 + at % 50, reconnected=5 + at % 50, end_s=at + 1)
        for at in range(50)
    ]
    behind = backdrop(History(), outages)
    assert [band.start for band in behind.outages] == list(range(10, 50))
    assert behind.unmarked == 10


def test_what_matters_most_is_marked_before_others_and_the_rest_is_counted() -> None:
    told = History()
    for at_s in range(100):
        told.happened(Event(at_ns=at_s * S, kind="alert", text="slow"))
        told.happened(Event(at_ns=at_s * S, kind="alert_cleared", text="well again"))
    told.happened(Event(at_ns=200 * S, kind="worker_lost", text="gone"))
    behind = backdrop(told)
    assert behind.marks[-1].at == 200
    assert [mark.kind for mark in behind.marks[:-1]] == ["alert"] * 59
    assert [mark.at for mark in behind.marks] == sorted(mark.at for mark in behind.marks)
    assert behind.unmarked == 201 - 60


def test_the_legend_explains_what_is_there_and_nothing_else() -> None:
    told = History()
    assert legend(backdrop(told)) == ""
    told.happened(Event(at_ns=S, kind="alert", text="slow"))
    assert "▲ marks an alert. Point" in legend(backdrop(told))
    told.happened(Event(at_ns=2 * S, kind="alert_cleared", text="well again"))
    for number in range(8):
        told.happened(Event(at_ns=2 * S, kind="fault", name=f"f{number}", text="on"))
    words = legend(backdrop(told, [Outage(start_s=1, within_s=1, dropped=9)]))
    assert "▲ marks an alert; ▽ marks the end of an alert; ◆ marks another event; a red band" in words
    assert "(f0, f1, f2, f3, f4, f5, …); a band with a bar" in words
