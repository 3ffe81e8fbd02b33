from __future__ import annotations

from made_runs import connections, listed, messages, phase, second, times
from squall.charts.chart import Chart
from squall.charts.columns import as_array
from squall.metrics.history import History
from squall.metrics.summary_document import Judged
from squall.record.outcomes import Trouble
from squall.record.snapshots import Place, WorkerSample
from squall.reports import pictures
from squall.reports.backdrop import backdrop
from unit.reports import reported


def history() -> History:
    return History.of(reported.troubled()[0])


def titles(charts: list[Chart]) -> list[str]:
    return [chart.title for chart in charts]


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
    (chart, *_) = pictures.latency(told, backdrop(told), judged)
    assert [line.name for line in chart.lines] == ["p50", "p90", "p99", "p99.9", "max"]
    assert [(bound.value, bound.text) for bound in chart.bounds] == [(200, "bound p(95)<200")]
    assert listed(as_array(chart.lines[-1].y))[:2] == [None, 250.5], "nothing came in the first second"


def test_the_distribution_is_that_of_the_hold_and_ends_with_the_greatest() -> None:
    (chart,) = pictures.distribution(history())
    assert (chart.x_kind, chart.x_unit) == ("nines", "quantile")
    response = chart.lines[0]
    assert (response.x[0], response.y[-1]) == (0, 250.5)
    assert "Of hold." in chart.note


def test_errors_are_by_kind_and_never_there_without_any() -> None:
    told = History()
    told.accept(second(0, connections(3)))
    assert pictures.errors(told, backdrop(told)) == []
    told.accept(
        second(1, connections(troubles=[(Trouble("connect", "refused", "target"), 2)], close_codes={1006: 1}))
    )
    told.accept(second(2, messages(2, lost=1, delivered=1)))
    charts = pictures.errors(told, backdrop(told))
    assert [(chart.title, [line.name for line in chart.lines]) for chart in charts] == [
        ("Errors of connections", ["connect refused (target)"]),
        ("Close codes", ["code 1006"]),
        ("Messages that went wrong", ["lost"]),
    ]


def test_places_are_compared_where_there_are_several() -> None:
    told = history()
    charts = pictures.places(told, backdrop(told))
    assert [line.name for line in charts[0].lines] == ["a at ws://one", "b at ws://two"]
    alone = History()
    alone.accept(second(0, places=told.places[:1]))
    assert pictures.places(alone, backdrop(alone)) == []


def test_a_latency_with_outliers_is_logarithmic() -> None:
    told = History()
    told.begin_phase(phase(1, "hold", "sustained", 0, None))
    for index in range(9):
        told.accept(second(index, messages(2, response_ms=[5, 5000 if index == 4 else 6])))
    assert pictures.latency(told, backdrop(told))[0].y_kind == "log"


def test_the_overview_has_only_what_was_measured() -> None:
    record, summary = reported.troubled()
    assert list(pictures.overview(History.of(record), summary)) == [
        "connections", "response-time", "distribution", "messages",
    ]  # fmt: skip
    record, summary = reported.only_held()
    assert list(pictures.overview(History.of(record), summary)) == ["connections"]
    record, summary = reported.nothing()
    assert pictures.overview(History.of(record), summary) == {}


def test_of_many_kinds_those_that_are_not_drawn_are_counted() -> None:
    told = History()
    told.accept(second(0, connections(close_codes={3000 + number: number + 1 for number in range(9)})))
    (chart,) = pictures.errors(told, backdrop(told))
    assert chart.lines[0].name == "code 3008"
    assert chart.note == "1000 and 1001 are ordinary ends. 3 more kinds are not drawn."


def with_places(*dropped: int, slow: int) -> History:
    """Places that dropped so many; one of them answers slowly, and the first ones deliver the most."""
    told = History()
    places = [Place(f"ws://{number}", "") for number in range(len(dropped))]
    answers = [
        messages(40 - number, response_ms=[90.0 if number == slow else 5.0] * 20, place=number)
        for number in range(len(dropped))
    ]
    ended = [connections(place=number, dropped=times) for number, times in enumerate(dropped)]
    told.accept(second(0, *answers, *ended, places=places))
    return told


def test_the_dead_and_the_slow_place_are_among_those_that_are_drawn() -> None:
    told = with_places(0, 0, 0, 0, 0, 0, 0, 9, 0, slow=8)
    charts = pictures.places(told, backdrop(told))
    assert all({"ws://7", "ws://8"} <= {line.name for line in chart.lines} for chart in charts)
    assert all(len(chart.lines) == 6 for chart in charts)
    assert all(chart.note.endswith("3 more places are not drawn.") for chart in charts)
    told = with_places(9, 9, 9, 9, 9, 9, 9, 9, 0, slow=8)
    assert "ws://8" in [line.name for line in pictures.places(told, backdrop(told))[0].lines], (
        "all others dropped"
    )


def pushed() -> History:
    told = History()
    for index, (came, missing) in enumerate([(5, 0), (3, 2), (0, 0), (6, -1)]):
        cell = connections(
            pushed=came, push_sequenced=came, push_missing=missing, push_delay=times(*[40.0] * came),
            messages_received=came,
        )  # fmt: skip
        silence_ns = 1_500_000_000 if index == 3 else 1000
        told.accept(second(index, cell, workers=[WorkerSample(worker=0, silence_ns=silence_ns)]))
    return told


def test_a_push_feed_has_its_messages_delays_silences_and_what_is_missing() -> None:
    told = pushed()
    behind = backdrop(told)
    (messages_chart, *_) = pictures.throughput(told, behind)
    by_name = {line.name: list(line.y) for line in messages_chart.lines}
    assert by_name["pushed"] == [5, 3, 0, 6]
    assert messages_chart.note.endswith("and pushed without being asked for.")
    found = {chart.title: chart for chart in pictures.latency(told, behind)}
    assert [line.name for line in found["Delay of pushes"].lines] == ["p50", "p90", "p99", "max"]
    assert listed(as_array(found["Delay of pushes"].lines[-1].y)) == [40, 40, None, 40]
    assert found["Silence"].lines[0].y[3] == 1500
    (missing,) = pictures.errors(told, behind)
    assert (missing.title, list(missing.lines[0].y)) == ("Missing pushes", [0, 2, 2, 1])


def test_without_pushes_nothing_is_said_of_them() -> None:
    told = history()
    behind = backdrop(told)
    charts = [
        *pictures.latency(told, behind),
        *pictures.throughput(told, behind),
        *pictures.errors(told, behind),
    ]
    assert not any("push" in f"{chart.title} {chart.note}".lower() for chart in charts)
