"""The recording: one interval goes to totals, record and views, and may end the run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from squall.errors import StoreError
from squall.live.base import LiveView
from squall.metrics.histogram import Histogram
from squall.record.resources import ResourceSample
from squall.record.run import FORMAT_VERSION, Phase, RunHeader
from squall.record.snapshots import (
    CheckCell,
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    SparseHistogram,
)
from squall.record.stability import StabilityCheck
from squall.runner.recording import Recording
from squall.runner.rereading import totals_of
from squall.scenario.loader import load_scenario
from squall.scenario.models import Stability
from squall.store.reader import open_run
from squall.store.writer import RunWriter

HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="x",
    name="x",
    squall_version="1",
    started_wall_ns=1,
    seed=1,
    run_number=1,
    scenario={},
    populations=["main"],
    types=[["message"]],
    plan=[],
    environment={},
)
S = 10**9
SAMPLE = ResourceSample(at_ns=2 * S, source="host", role="host", cpu_share=0.5)
CHECK = StabilityCheck(
    phase=1,
    index=0,
    start_ns=2 * S,
    end_ns=3 * S,
    held=1,
    drops=0,
    drop_share=0.0,
    drop_tolerance=0.1,
    spiked=0,
    spike_share=0.0,
    spike_tolerance=0.1,
    sent=1,
    undelivered=0,
    failure_share=0.0,
    failure_tolerance=0.1,
)


class Shown(LiveView):
    """A view that keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        self.seen.append((phase, duration_s))

    def accept(self, interval: Interval) -> None:
        self.seen.append(interval)

    def happened(self, event: Event) -> None:
        self.seen.append(event)

    def sampled(self, sample: ResourceSample) -> None:
        self.seen.append(sample)

    def checked(self, check: StabilityCheck) -> None:
        self.seen.append(check)

    def finish(self) -> None:
        self.seen.append("finish")


def recording(*views: Shown, **given: Any) -> Recording:
    return Recording(load_scenario({"target": "ws://a/"} | given).scenario, views)


def phase(number: int, start_s: float) -> Phase:
    return Phase(
        id=number,
        name=f"phase {number}",
        kind="sustained",
        start_ns=round(start_s * S),
        end_ns=None,
        level_start=1,
        level_end=1,
        words="",
    )


def histogram(value_ns: int) -> SparseHistogram | None:
    recorder = Histogram()
    recorder.record(value_ns)
    return recorder.take()


def interval(index: int) -> Interval:
    cell = MessageCell(
        population=0, phase=0, type=0, place=0, intended=1, delivered=1, response=histogram(50_000_000)
    )
    return Interval(
        index=index,
        at_ns=(index + 1) * S,
        held=1,
        planned=1,
        messages=[cell],
        connections=[ConnectionCell(population=0, phase=0, place=0, attempted=1, established=1)],
        places=[Place("ws://a/", "")] if index == 0 else [],
    )


def test_everything_reaches_totals_record_and_views(tmp_path: Path) -> None:
    view = Shown()
    made = recording(view)
    event = Event(at_ns=5, kind="stop", text="x")
    with RunWriter(tmp_path, HEADER) as writer:
        made.open(writer)
        made.begin_phase(phase(0, 0), 2.0)
        made.accept(interval(0))
        made.begin_phase(phase(1, 1.5), None)
        made.happened(event)
        made.sampled(SAMPLE)
        made.checked(CHECK)
        made.end_phase(3 * S)
        made.end_phase(9 * S)  # over already
    record = open_run(tmp_path)
    ended = [msgspec.structs.replace(phase(0, 0), end_ns=1_500_000_000)]
    ended.append(msgspec.structs.replace(phase(1, 1.5), end_ns=3 * S))
    assert made.phases == ended
    assert list(record.phases) == ended
    assert list(made.totals.phases.values()) == ended
    assert list(record.intervals) == [interval(0)]
    assert record.events == (event,)
    assert (record.resources, record.checks) == ((SAMPLE,), (CHECK,))
    assert made.totals.messages().delivered == 1
    assert view.seen == [(phase(0, 0), 2.0), interval(0), (phase(1, 1.5), None), event, SAMPLE, CHECK]


@pytest.mark.parametrize("sets", [["readiness"], []])
def test_an_interval_of_a_ramp_that_fails_is_an_event_at_once(sets: list[str]) -> None:
    view = Shown()
    made = recording(view, threshold_sets=sets)
    made.begin_phase(msgspec.structs.replace(phase(0, 0), kind="ramp_up"), None)
    for index in range(12):
        slow = histogram(300_000_000 if index < 5 else 5_000_000)
        cells = [msgspec.structs.replace(each, response=slow) for each in interval(index).messages]
        made.accept(msgspec.structs.replace(interval(index), messages=cells))
    events = [each for each in view.seen if isinstance(each, Event) and each.kind == "ramp_check"]
    assert [(each.kind, each.name, each.bound, each.at_ns) for each in events] == (
        [("ramp_check", "ramp: average latency", 150.0, 5 * S)] if sets else []
    )


def test_a_crossed_threshold_ends_the_run_once() -> None:
    reasons: list[str] = []
    made = recording(thresholds={"ws_response_time": {"threshold": "p(95)<10", "abortOnFail": True}})
    made.stop = reasons.append
    made.begin_phase(phase(0, 0), None)
    for index in range(3):
        made.accept(interval(index))
    assert reasons == ["ws_response_time p(95)<10 failed"]
    assert made.aborted is not None
    assert made.aborted.aborted


def test_a_record_that_cannot_be_written_ends_the_run_and_the_rest_goes_on() -> None:
    class Full:
        def accept(self, interval: Interval) -> None:
            raise StoreError(f"no room for {interval.index}")

    view, reasons = Shown(), []
    made = recording(view)
    made.stop = reasons.append
    made.open(Full())  # type: ignore[arg-type] # a disk that is full
    made.accept(interval(0))
    assert reasons == ["the record cannot be written: no room for 0"]
    assert made.failure is not None
    assert made.totals.messages().delivered == 1
    assert view.seen == [interval(0)]


def test_whoever_waits_hears_of_the_next_interval() -> None:
    made = recording()

    async def both() -> None:
        assert not await made.next_interval(0.001)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(made.next_interval(5))
            await asyncio.sleep(0)
            made.accept(interval(0))
        assert waiting.result()

    asyncio.run(both())


def test_a_threshold_that_is_none_is_refused() -> None:
    with pytest.raises(Exception, match="is no bound"):
        recording(thresholds={"ws_response_time": {"threshold": "fast", "abortOnFail": True}})


def test_a_failed_check_and_an_alert_reach_totals_record_and_views(tmp_path: Path) -> None:
    view = Shown()
    made = recording(view, monitoring={"interval": 1, "alerts": {"connection_latency": "40ms"}})
    hold = phase(0, 0)
    with RunWriter(tmp_path, HEADER) as writer:
        made.open(writer)
        made.begin_phase(hold, None, Stability(check_interval=1))
        cells = [CheckCell(0, 0, held=10, drops=1, sent=10, delivered=10)]
        made.accept(msgspec.structs.replace(interval(0), checks=cells))
        assert not made.has_checked(hold)
        made.end_phase(round(1.5 * S))
        made.finish()
        assert made.has_checked(hold)
    record = open_run(tmp_path)
    assert [each.drop_share for each in record.checks] == [0.1, None]
    assert [event.kind for event in record.events] == ["stability", "alert"]
    assert [each for each in view.seen if isinstance(each, Event)] == list(record.events)
    assert (made.totals.checks.count, made.totals.checks.failed) == (1, 1)
    assert [alert.name for alert in made.totals.alerts.kept] == ["connection_latency"]
    again = totals_of(record)
    assert (again.checks.count, again.checks.failed) == (1, 1)
    assert again.alerts.kept == made.totals.alerts.kept
