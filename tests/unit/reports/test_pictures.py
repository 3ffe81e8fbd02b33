from __future__ import annotations

from made_runs import S, connections, messages, phase, second
from squall.charts.chart import Chart
from squall.metrics.history import History
from squall.metrics.summary_document import Judged
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event
from squall.reports import pictures
from unit.reports import reported


def history() -> History:
    return History.of(reported.troubled()[0])


def titles(charts: list[Chart]) -> list[str]:
    return [chart.title for chart in charts]


def test_all_charts_over_time_share_axis_phases_and_marks() -> None:
    told = history()
    told.events.clear()
    told.happened(Event(at_ns=2 * S, kind="alert", text="slow"))
    told.happened(Event(at_ns=3 * S, kind="alert_cleared", text="well again"))
    told.happened(Event(at_ns=3 * S, kind="drop", text="not marked: there may be thousands"))
    behind = pictures.backdrop(told)
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
    assert "Connections held" in titles(charts)


def test_a_fault_is_a_band_from_its_start_until_it_is_healed_or_the_record_ends() -> None:
    told = history()
    for at_s, kind, name in ((1, "fault", "reset"), (2, "fault", "slow"), (3, "fault_healed", "reset")):
        told.happened(Event(at_ns=at_s * S, kind=kind, name=name, text=name))
    behind = pictures.backdrop(told)
    assert [(band.start, band.end, band.name) for band in behind.faults] == [
        (1, 3, "reset"), (2, 5, "slow"),
    ]  # fmt: skip
    assert all(chart.faults == behind.faults for chart in pictures.connections(told, behind))
    assert pictures.backdrop(history()).faults == ()


def test_a_curve_of_latency_has_percentiles_bound_and_gaps() -> None:
    told = history()
    judged = [
        Judged(name=name, source=source, bound=bound, figure=1, truth="passed", required=True, evidence="")
        for name, source, bound in (
            ("ws_response_time", "threshold", "p(95)<200"),
            ("ws_response_time{type:critical}", "threshold", "p(95)<7"),
            ("ws_response_time", "threshold", "in other words"),
            ("none lost", "integrity", "== 0"),
        )
    ]
    (chart, *_) = pictures.latency(told, pictures.backdrop(told), judged)
    assert [line.name for line in chart.lines] == ["p50", "p90", "p99", "p99.9", "max"]
    assert [(bound.value, bound.text) for bound in chart.bounds] == [(200, "bound p(95)<200")]
    assert chart.lines[-1].y[0] is None, "nothing came in the first second"
    assert chart.lines[-1].y[1] == 250.5


def test_the_distribution_is_that_of_the_hold_and_ends_with_the_greatest() -> None:
    (chart,) = pictures.distribution(history())
    assert (chart.x_kind, chart.x_unit) == ("nines", "quantile")
    response = chart.lines[0]
    assert (response.x[0], response.y[-1]) == (0, 250.5)
    assert "Of hold." in chart.note


def test_errors_are_by_kind_and_never_there_without_any() -> None:
    told = History()
    told.accept(second(0, connections(3)))
    assert pictures.errors(told, pictures.backdrop(told)) == []
    told.accept(
        second(1, connections(troubles=[(Trouble("connect", "refused", "target"), 2)], close_codes={1006: 1}))
    )
    told.accept(second(2, messages(2, lost=1, delivered=1)))
    charts = pictures.errors(told, pictures.backdrop(told))
    assert [(chart.title, [line.name for line in chart.lines]) for chart in charts] == [
        ("Errors of connections", ["connect refused (target)"]),
        ("Close codes", ["code 1006"]),
        ("Messages that went wrong", ["lost"]),
    ]


def test_several_sources_are_lines_of_one_chart_and_the_unmeasured_is_left_out() -> None:
    told = History()
    for at_s in (5, 10):
        told.sampled(ResourceSample(at_ns=at_s * S, source="host", role="host", cpu_share=0.5))
        told.sampled(
            ResourceSample(
                at_ns=at_s * S, source="a", role="target", cpu_share=0.1, memory_bytes=9,
                tcp_states={"established": 3}, custom={"queue": 1.0},
            )
        )  # fmt: skip
    charts = pictures.resources(told, pictures.backdrop(told))
    assert [(chart.title, [line.name for line in chart.lines]) for chart in charts] == [
        ("Processor", ["a", "host"]),
        ("Memory", ["a"]),
        ("Sockets by state: a", ["established"]),
        ("Figures of its own: a", ["queue"]),
    ]
    assert charts[0].lines[0].key == "a:cpu_share"


def test_places_are_compared_where_there_are_several() -> None:
    told = history()
    charts = pictures.places(told, pictures.backdrop(told))
    assert [line.name for line in charts[0].lines] == ["a at ws://one", "b at ws://two"]
    alone = History()
    alone.accept(second(0, places=told.places[:1]))
    assert pictures.places(alone, pictures.backdrop(alone)) == []


def test_a_latency_with_outliers_is_logarithmic() -> None:
    told = History()
    told.begin_phase(phase(1, "hold", "sustained", 0, None))
    for index in range(9):
        told.accept(second(index, messages(2, response_ms=[5, 5000 if index == 4 else 6])))
    assert pictures.latency(told, pictures.backdrop(told))[0].y_kind == "log"


def test_the_overview_has_only_what_was_measured() -> None:
    record, summary = reported.troubled()
    assert list(pictures.overview(History.of(record), summary)) == [
        "connections", "response-time", "distribution", "messages",
    ]  # fmt: skip
    record, summary = reported.only_held()
    assert list(pictures.overview(History.of(record), summary)) == ["connections"]
    record, summary = reported.nothing()
    assert pictures.overview(History.of(record), summary) == {}


def test_outages_are_marked_before_others_and_the_rest_is_counted() -> None:
    told = History()
    for at_s in range(100):
        told.happened(Event(at_ns=at_s * S, kind="alert", text="slow"))
        told.happened(Event(at_ns=at_s * S, kind="alert_cleared", text="well again"))
    told.happened(Event(at_ns=200 * S, kind="outage", text="all gone"))
    behind = pictures.backdrop(told)
    assert behind.marks[-1].at == 200
    assert [mark.kind for mark in behind.marks[:-1]] == ["alert"] * 59
    assert [mark.at for mark in behind.marks] == sorted(mark.at for mark in behind.marks)
    assert behind.unmarked == 201 - 60
