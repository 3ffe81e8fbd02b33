from __future__ import annotations

import msgspec
import pytest

from made_runs import S, check, connections, listed, messages, phase, second, times
from squall.metrics.history import CHECKS_MAX, EVENTS_MAX, PLACES_MAX, TROUBLES_MAX, History
from squall.metrics.timeline import Timeline
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.run import RunRecord
from squall.record.snapshots import Event, Interval, Place, WorkerSample
from unit.store.samples import HEADER

PHASES = (phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 3))


def intervals() -> list[Interval]:
    return [
        second(0, connections(6, connect=times(1, 2, 3)), connections(4, place=1), held=10),
        second(
            1,
            messages(8, response_ms=[5] * 8, lag_ms=[0.1] * 8),
            messages(4, response_ms=[50, 60], delivered=2, lost=1, not_sent_target=1, place=1),
            connections(phase=1, place=1, dropped=4, close_codes={1006: 4}),
            held=6,
        ),
        second(
            2,
            messages(8, response_ms=[5] * 8),
            connections(
                phase=1, attempted=3, failed=3, troubles=[(Trouble("connect", "refused", "target"), 3)]
            ),
            held=6,
            complete=False,
        ),
    ]


def record(*resources: ResourceSample) -> RunRecord:
    return RunRecord(
        header=HEADER,
        phases=PHASES,
        intervals=intervals(),
        events=(Event(at_ns=2 * S, kind="alert", text="slow", name="latency", figure=60, bound=50),),
        verdict=None,
        complete=True,
        resources=resources,
    )


def series(line: Timeline) -> dict[str, list[list[float | None]]]:
    """All that is told of each point, by name."""
    levels = {
        name: [listed(line.mean(name)), listed(line.least(name)), listed(line.most(name))]
        for name in line.names()
    }
    times = {
        name: [listed(line.milliseconds(name, what)) for what in ("p50", "p99", "mean", "max")]
        for name in ("response", "0:response", "1:response", "lag", "connect")
    }
    return {"at_s": [listed(line.at_s())], "silence": [listed(line.silence_ms)]} | levels | times


def test_every_second_is_as_it_was_recorded() -> None:
    run = History.of(record()).run
    assert listed(run.at_s()) == [1, 2, 3]
    assert listed(run.mean("held")) == [10, 6, 6]
    assert listed(run.mean("intended")) == [0, 12, 8]
    assert listed(run.mean("sent")) == [0, 11, 8]
    assert listed(run.mean("not_sent")) == [0, 1, 0]
    assert listed(run.mean("delivered")) == [0, 10, 8]
    assert listed(run.mean("lost")) == [0, 1, 0]
    assert listed(run.mean("dropped")) == [0, 4, 0]
    assert listed(run.mean("close:1006")) == [0, 4, 0]
    assert listed(run.mean("trouble:connect refused (target)")) == [0, 0, 3]
    assert listed(run.milliseconds("response", "max")) == [None, 60, 5]
    assert listed(run.milliseconds("connect", "p50")) == [pytest.approx(2, rel=0.01), None, None]
    assert run.whole("response").count == 18


def test_each_place_has_its_own_series() -> None:
    history = History.of(record())
    assert [history.place_name(number) for number in history.place_numbers] == [
        "a at ws://one",
        "b at ws://two",
    ]
    assert listed(history.run.mean("0:held")) == [6, 6, 6]
    assert listed(history.run.mean("1:held")) == [4, 0, 0]
    assert listed(history.run.mean("1:delivered")) == [0, 2, 0]
    assert listed(history.run.milliseconds("1:response", "max")) == [None, 60, None]
    assert listed(history.run.mean("0:failed")) == [0, 0, 3]


def test_live_and_from_the_record_are_the_same() -> None:
    live = History()
    for each in PHASES:
        live.begin_phase(msgspec.structs.replace(each, end_ns=None))
    for interval in intervals():
        live.accept(interval)
    again = History.of(record())
    assert series(live.run) == series(again.run)
    assert [each.end_ns for each in live.phases] == [S, None]
    assert (again.phases, again.incomplete_seconds) == (list(PHASES), 1)


def test_many_places_share_the_last_series() -> None:
    places = [Place(f"ws://{number}", "") for number in range(PLACES_MAX + 5)]
    cells = [connections(1, place=number) for number in range(len(places))]
    history = History()
    history.accept(second(0, *cells, places=places))
    assert history.place_numbers[-1] == PLACES_MAX
    assert history.place_name(PLACES_MAX) == "all others"
    assert history.place_name(0) == "ws://0"
    assert listed(history.run.mean(f"{PLACES_MAX}:held")) == [5]


def test_many_troubles_and_events_stay_bounded() -> None:
    history = History()
    kinds = [Trouble("connect", f"kind_{number}", "target") for number in range(TROUBLES_MAX + 9)]
    history.accept(second(0, connections(troubles=[(kind, 1) for kind in kinds])))
    named = [name for name in history.run.names() if name.startswith("trouble:")]
    assert len(named) == TROUBLES_MAX + 1
    assert listed(history.run.mean("trouble:other")) == [9]
    for number in range(EVENTS_MAX + 50):
        history.happened(Event(at_ns=number, kind="drop", text="gone"))
    history.happened(Event(at_ns=0, kind="alert", text="slow"))
    assert len(history.events) == EVENTS_MAX + 1
    assert history.events_by_kind == {"drop": EVENTS_MAX + 50, "alert": 1}


def test_every_source_has_its_own_timeline_and_gaps_where_it_said_nothing() -> None:
    samples = [
        ResourceSample(
            at_ns=5 * S, source="node a", role="target", cpu_share=0.5, tcp_states={"established": 7}
        ),
        ResourceSample(at_ns=5 * S, source="generator", role="generator", memory_bytes=1000),
        ResourceSample(at_ns=10 * S, source="node a", role="target", problem="the pid is gone"),
        ResourceSample(at_ns=15 * S, source="node a", role="target", cpu_share=0.7, custom={"queue": 3}),
    ]
    sources = History.of(record(*samples)).sources
    assert {name: source.role for name, source in sources.items()} == {
        "node a": "target",
        "generator": "generator",
    }
    node = sources["node a"]
    assert listed(node.timeline.at_s()) == [5, 10, 15]
    assert listed(node.timeline.mean("cpu_share")) == [0.5, None, 0.7]
    assert listed(node.timeline.mean("tcp:established")) == [7, None, None]
    assert listed(node.timeline.mean("custom:queue")) == [None, None, 3]
    assert node.problems == {"the pid is gone": 1}


def test_the_last_sample_of_a_dead_worker_is_no_processor_time() -> None:
    history = History()
    for index, cpu_ns in enumerate([(S, S), (2 * S, 0)]):
        workers = [WorkerSample(worker=number, cpu_ns=each) for number, each in enumerate(cpu_ns)]
        history.accept(second(index, workers=workers))
    assert listed(history.run.mean("generator_cpu")) == [None, 1.0]


def test_the_generator_is_read_from_the_workers() -> None:
    history = History()
    for index in range(2):
        workers = [
            WorkerSample(
                worker=number,
                cpu_ns=(1 + index) * S // 2,
                rss_bytes=100,
                loop_lag_max_ns=number * 1_000_000,
                silence_ns=(5 - number) * 1000,
                silence_start_ns=number,
            )
            for number in range(2)
        ]
        history.accept(second(index, workers=workers))
    assert listed(history.run.mean("generator_cpu")) == [None, 1.0]
    assert listed(history.run.mean("generator_rss")) == [200, 200]
    assert listed(history.run.mean("loop_lag_ms")) == [1, 1]
    assert history.run.silence_ms.tolist() == [0.005, 0.005]
    assert history.run.silence_start_ns.tolist() == [0, 0]


def test_a_day_stays_as_small_as_an_hour() -> None:
    history = History(points_max=50)
    for index in range(1000):
        history.accept(second(index, messages(1, response_ms=[5.0]), held=index % 7))
    assert len(history.run) <= 50
    assert history.run.total("sent") == 1000
    assert history.run.whole("response").count == 1000


def test_the_times_of_a_phase_are_those_of_its_messages() -> None:
    history = History()
    late = messages(2, response_ms=[900, 900], phase=1)
    history.accept(second(0, messages(3, response_ms=[5] * 3, phase=1)))
    history.accept(second(1, late, messages(1, response_ms=[1], phase=2)))
    assert history.answered("response", frozenset({1})).count == 5
    assert history.answered("response", frozenset({1, 2})).count == 6
    assert history.answered("service", frozenset({2, 7})).max_ns == 1_000_000


def test_checks_are_all_counted_and_a_bounded_number_is_kept() -> None:
    history = History()
    for index in range(2 * CHECKS_MAX + 10):
        bad = index % 2 == 0
        history.checked(check(index=index, start_ns=index * S, drops=9 * bad, drop_share=0.09 * bad))
    assert history.checks_seen == {"passed": CHECKS_MAX + 5, "failed": CHECKS_MAX + 5}
    assert [each.index for each in history.checks] == list(range(10, 2 * CHECKS_MAX + 10))


def test_pushes_have_their_delays_and_what_is_missing_as_a_level() -> None:
    history = History()
    history.accept(second(0, connections(3)))
    for index, missing in enumerate([2, 0, -1], 1):
        cell = connections(pushed=4, push_sequenced=4, push_missing=missing, push_delay=times(10.0, 30.0))
        history.accept(second(index, cell))
    history.accept(second(4))
    assert listed(history.run.mean("pushed")) == [0, 4, 4, 4, 0]
    assert listed(history.run.mean("pushes_missing")) == [None, 2, 2, 1, 1], "a late one fills its gap"
    assert listed(history.run.milliseconds("push_delay", "max")) == [None, 30, 30, 30, None]


def test_a_second_in_which_nothing_was_counted_is_a_zero_also_in_a_merged_point() -> None:
    history = History(points_max=2)
    for index in range(8):
        came = 0 if index in (2, 3, 4, 5) else 8
        history.accept(second(index, messages(came), connections(dropped=4 * (index == 7))))
    run = history.run
    for name, mean, least, most in (
        ("delivered", [4, 4], [0, 0], [8, 8]),
        ("dropped", [0, 1], [0, 0], [0, 4]),
    ):
        assert (listed(run.mean(name)), listed(run.least(name)), listed(run.most(name))) == (
            mean,
            least,
            most,
        )
    assert run.total("delivered") == 32
