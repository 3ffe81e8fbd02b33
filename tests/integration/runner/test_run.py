"""Whole runs with real workers against the bundled service: figures, stops, losses, what is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from squall.engine.base import WorkerChannel
from squall.errors import ExitCode, PlanError, PreflightError, StoreError
from squall.fleet.inline import InlineFleet
from squall.fleet.local import LocalFleet, LocalWorker
from squall.live.base import LiveView
from squall.metrics.summary import summarise
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.verdicts import Verdict
from squall.runner.active import RunResult
from squall.runner.rereading import summary_of, totals_of
from squall.runner.run import NOTHING_CONNECTED, run_scenario
from squall.runner.stopping import StopSwitch
from squall.store.reader import open_run


class View(LiveView):
    """Keeps what it is shown, and does something when a phase begins or an interval comes."""

    def __init__(
        self,
        *,
        on_phase: Callable[[Phase], object] = lambda _phase: None,
        on_interval: Callable[[Interval], object] = lambda _interval: None,
    ) -> None:
        self.phases: list[Phase] = []
        self.intervals: list[Interval] = []
        self.events: list[Event] = []
        self.begun: list[tuple[RunHeader, Path, int]] = []
        self.verdicts: list[Verdict] = []
        self.samples: list[ResourceSample] = []
        self.finished = 0
        self._on_phase = on_phase
        self._on_interval = on_interval

    def begin_run(self, header: RunHeader, folder: Path, totals: Totals) -> None:
        self.begun.append((header, folder, totals.seconds))

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        assert duration_s is not None
        self.phases.append(phase)
        self._on_phase(phase)

    def accept(self, interval: Interval) -> None:
        self.intervals.append(interval)
        self._on_interval(interval)

    def happened(self, event: Event) -> None:
        self.events.append(event)

    def concluded(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def sampled(self, sample: ResourceSample) -> None:
        self.samples.append(sample)

    def finish(self) -> None:
        self.finished += 1


class Watched(LocalFleet):
    """Knows the processes that it started."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.channels: list[LocalWorker] = []

    async def start(self) -> list[LocalWorker]:
        self.channels = await super().start()
        return self.channels

    def assert_gone(self) -> None:
        assert self.channels
        assert not any(psutil.pid_exists(channel.pid) for channel in self.channels)


def assert_adds_up(result: RunResult) -> None:
    delivery, connections = result.summary.delivery, result.summary.connections
    assert delivery.intended is not None
    outcomes = (delivery.not_sent, delivery.delivered, delivery.lost, delivery.unknown)
    assert delivery.intended == sum(count or 0 for count in outcomes)
    assert delivery.sent == delivery.intended - (delivery.not_sent or 0)
    assert connections.attempted is not None
    assert connections.attempted == (connections.established or 0) + (connections.failed or 0) + (
        connections.pending or 0
    )
    assert connections.established == (connections.closed or 0) + (connections.dropped or 0) + (
        connections.open or 0
    )


# --- the normal course ---


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_goes_through_its_phases_and_every_message_comes_back(
    make: Any, run: Any, workers: int
) -> None:
    view, fleet = View(), Watched(workers)
    result = run(make(engine={"workers": workers}, threshold_sets=["readiness"]), view, fleet=fleet)
    fleet.assert_gone()
    assert_adds_up(result)
    delivery, connections = result.summary.delivery, result.summary.connections
    assert delivery.delivered == delivery.intended
    # 40 sessions, 5 a second each, for the hold and half of each ramp; the ramp up lasts until all are held
    assert delivery.intended is not None
    assert delivery.intended >= 40 * 5 * 1.5
    assert (connections.established, connections.closed, connections.graceful) == (40, 40, 40)
    assert (connections.peak, connections.open, connections.held_last) == (40, 0, 0)
    assert result.exit_code in (ExitCode.PASSED, ExitCode.INVALID)  # on a very busy machine sends are late
    assert result.error is None
    assert result.verdict.stopped_by == ""
    assert [phase.name for phase in result.phases] == ["ramp_up", "hold", "ramp_down"]
    assert [phase.end_ns for phase in result.phases[:-1]] == [phase.start_ns for phase in result.phases[1:]]
    [left] = [each for each in result.verdict.judgements if each.name == "nothing left behind"]
    assert left.figure == 0
    assert view.phases == [msgspec.structs.replace(phase, end_ns=None) for phase in result.phases]
    assert view.begun == [(result.header, result.folder, 0)]
    assert view.verdicts == [result.verdict]
    assert view.finished == 1


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize(
    ("path", "kind"), [("", "echo"), ("ack", "ack"), ("push/acked", "acked_push"), ("room", "room")]
)
def test_confirmations_are_measured_where_they_are_tracked_and_there_are_any(
    make: Any, run: Any, service: str, path: str, kind: str, tracked: bool
) -> None:
    tracking = {"tracking": {"confirmations": tracked}, "drain_timeout": 3}
    bound = [{"metric": "ws_confirmation_success", "threshold": "rate==1"}]
    result = run(
        make(
            target={"url": f"{service}{path}", "close_timeout": 2},
            exchange={"kind": kind},
            delivery=tracking,
            thresholds=bound,
        )
    )
    delivery = result.summary.delivery
    assert (delivery.sent or 0) > 100
    measured = tracked and kind != "room"
    assert delivery.confirmed == (delivery.sent if measured else None)
    (judged,) = [each for each in result.verdict.judgements if each.source == "threshold"]
    assert judged.truth == ("passed" if measured else "unknown")
    assert summary_of(open_run(result.folder), result.folder).delivery == delivery
    assert (
        summarise(result.header, result.phases, totals_of(open_run(result.folder)), None).delivery == delivery
    )


def test_the_record_on_disk_is_what_happened(make: Any, run: Any) -> None:
    view = View()
    result = run(make(), view, fleet=InlineFleet())
    record = open_run(result.folder)
    assert record.complete
    assert record.header == result.header
    assert record.phases == result.phases
    assert list(record.intervals) == view.intervals
    assert record.verdict == result.verdict
    assert record.header.command == "squall run x"
    assert record.header.environment["workers"] == 1
    assert record.header.plan[0] == "run: run, seed 1"
    files = {entry.name for entry in result.folder.iterdir()}
    assert files == {
        "charts",
        "record.log",
        "report.html",
        "resources.csv",
        "run.json",
        "summary.json",
        "summary.md",
        "timeseries.csv",
        "types.csv",
    }
    held = [interval.held for interval in record.intervals]
    assert max(held) == 40


def test_a_warm_up_is_a_phase_of_its_own(make: Any, run: Any) -> None:
    result = run(make({"warm_up": 0.5}), fleet=InlineFleet())
    assert [phase.name for phase in result.phases] == ["ramp_up", "warm_up", "hold", "ramp_down"]
    assert result.summary.latency_phases == ["hold"]


def test_two_runs_at_once_do_not_take_each_others_messages(make: Any, tmp_path: Any) -> None:
    async def both() -> list[RunResult]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(run_scenario(make(outputs={"out": str(tmp_path / name)})))
                for name in ("one", "two")
            ]
        return [task.result() for task in tasks]

    one, two = asyncio.run(both())
    assert one.header.run_number != two.header.run_number
    for result in (one, two):
        assert_adds_up(result)
        assert result.summary.delivery.unexpected == 0
        assert result.summary.delivery.delivered == result.summary.delivery.intended


# --- it does not begin ---


def test_a_plan_that_does_not_fit_is_refused_before_anything_is_made(
    make: Any, run: Any, tmp_path: Any
) -> None:
    with pytest.raises(PreflightError, match=r"203\.0\.113\.9"):
        run(make(target={"url": "ws://127.0.0.1:1/", "source_addresses": ["203.0.113.9"]}))
    with pytest.raises(PlanError, match="ws_respons_time"):
        run(make(thresholds={"ws_respons_time": "p(95)<100"}))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_run_is_refused_and_no_worker_is_left(make: Any, run: Any) -> None:
    run(make({"connections": 1, "hold": 0}), fleet=InlineFleet())
    fleet = Watched(2)
    with pytest.raises(StoreError, match="holds a run already"):
        run(make(), fleet=fleet)
    fleet.assert_gone()


# --- it is ended ---


@pytest.mark.parametrize("phase", ["ramp_up", "hold", "ramp_down"])
def test_one_interrupt_in_any_phase_drains_and_keeps_the_results(make: Any, run: Any, phase: str) -> None:
    switch, fleet = StopSwitch(), Watched(2)

    def throw(begun: Phase) -> None:
        if begun.name == phase:
            asyncio.get_running_loop().call_later(0.3, switch.throw)

    result = run(make(), View(on_phase=throw), switch=switch, fleet=fleet)
    fleet.assert_gone()
    assert result.exit_code == ExitCode.INTERRUPTED
    assert result.verdict.stopped_by == "interrupted"
    assert_adds_up(result)
    assert result.summary.delivery.unknown == 0
    assert result.summary.connections.closed == result.summary.connections.established
    assert result.phases[-1].name == phase
    assert open_run(result.folder).complete


def test_an_interrupt_before_the_first_phase_ends_a_run_without_one(make: Any, run: Any) -> None:
    switch = StopSwitch()
    switch.throw()
    result = run(make(), switch=switch)
    assert result.exit_code == ExitCode.INTERRUPTED
    assert result.phases == ()
    assert result.summary.delivery.intended is None
    assert open_run(result.folder).complete


def test_two_interrupts_end_it_at_once_and_the_record_is_finished(make: Any, run: Any) -> None:
    switch, fleet = StopSwitch(), Watched(2)

    def throw(interval: Interval) -> None:
        if interval.held == 40:
            switch.throw()
            switch.throw()

    result = run(make({"hold": 30}), View(on_interval=throw), switch=switch, fleet=fleet)
    fleet.assert_gone()
    assert result.exit_code == ExitCode.INTERRUPTED
    assert_adds_up(result)
    assert result.summary.connections.dropped == 40
    assert result.summary.workers.lost == []
    assert open_run(result.folder).complete


def test_a_threshold_ends_the_run_when_it_says_so(make: Any, run: Any) -> None:
    bound = {"threshold": "p(50)<0.000001", "abortOnFail": True}
    result = run(make({"hold": 30}, thresholds={"ws_response_time": bound}), fleet=InlineFleet())
    assert result.verdict.stopped_by == "ws_response_time p(50)<0.000001 failed"
    assert [each.aborted for each in result.verdict.judgements if each.source == "threshold"] == [True]
    assert result.exit_code in (ExitCode.FAILED, ExitCode.INVALID)
    assert_adds_up(result)
    assert result.summary.delivery.delivered == result.summary.delivery.intended


def test_where_nothing_connects_the_run_ends_after_its_ramp(make: Any, run: Any) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        url = f"ws://127.0.0.1:{nobody.getsockname()[1]}/"
        result = run(make({"connections": 3, "hold": 600}, target={"url": url}), fleet=InlineFleet())
    assert result.verdict.stopped_by == NOTHING_CONNECTED
    assert result.exit_code == ExitCode.FAILED
    assert result.summary.connections.established == 0
    assert {(each.step, each.kind, each.blame) for each in result.summary.errors} == {
        ("connect", "refused", "target")
    }
    assert_adds_up(result)


# --- it is hurt ---


class Killing(Watched):
    """Kills its first worker with -9 once a view says so."""

    def kill_first(self, interval: Interval) -> None:
        if interval.held == 40:
            os.kill(self.channels[0].pid, signal.SIGKILL)


def test_a_killed_worker_leaves_no_message_without_an_outcome(make: Any, run: Any) -> None:
    fleet = Killing(2)
    result = run(make({"hold": 3}), View(on_interval=fleet.kill_first), fleet=fleet)
    fleet.assert_gone()
    assert_adds_up(result)
    summary = result.summary
    assert summary.workers.lost == [0]
    assert not summary.events_complete
    assert summary.connections.dropped == 20
    assert [(each.step, each.kind, each.blame, each.count) for each in summary.errors] == [
        ("open", "worker_lost", "tester", 20)
    ]
    assert summary.not_sent.squall is not None
    # noticed within a second, it had at least a second of its 20 sessions' five a second before it
    assert summary.not_sent.squall >= 20 * 5
    assert summary.not_sent.target == 0
    assert not result.verdict.validity.valid
    assert result.exit_code == ExitCode.INVALID
    assert result.verdict.stopped_by == ""
    [lost] = [event for each in open_run(result.folder).intervals for event in each.events]
    assert (lost.kind, lost.worker) == ("worker_lost", 0)
    assert "SIGKILL" in lost.text


def test_the_loss_of_a_worker_ends_the_run_where_that_is_asked_for(make: Any, run: Any) -> None:
    fleet = Killing(2)
    scenario = make({"hold": 60}, engine={"workers": 2, "on_worker_loss": "stop"})
    result = run(scenario, View(on_interval=fleet.kill_first), fleet=fleet)
    assert result.verdict.stopped_by == "worker 0 was lost"
    assert_adds_up(result)


def test_with_its_last_worker_a_run_ends(make: Any, run: Any) -> None:
    fleet = Killing(1)
    result = run(make({"hold": 60}), View(on_interval=fleet.kill_first), fleet=fleet)
    assert result.summary.workers.lost == [0]
    assert_adds_up(result)


def test_a_worker_that_cannot_do_what_it_is_asked_ends_the_run_with_its_exit_code(
    make: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise LookupError("a bug")

    monkeypatch.setattr("squall.engine.agenda.moves_of", broken)
    result = run(make(), fleet=InlineFleet())
    assert result.exit_code == ExitCode.BUG
    assert result.error is not None
    assert "LookupError" in result.error.message


def test_an_inline_fleet_and_processes_are_one_interface() -> None:
    async def both() -> None:
        for fleet in (InlineFleet(1), LocalFleet(1)):
            channels: list[WorkerChannel] = list(await fleet.start())
            for channel in channels:
                assert await channel.receive() is not None
                channel.kill()
                await channel.close()
                assert channel.last_words()

    asyncio.run(both())
