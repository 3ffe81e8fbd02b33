"""The coordinator with scripted workers: what it tells them, what it makes of what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from squall.clock import RealClock
from squall.engine import coordinator as module
from squall.engine.base import (
    PROTOCOL_VERSION,
    Begin,
    Done,
    End,
    Failed,
    FromWorker,
    Hello,
    PhaseOrder,
    Report,
    Steer,
    StopSending,
    ToWorker,
    Welcome,
)
from squall.engine.coordinator import Coordinator
from squall.errors import FleetError, ScenarioError, SquallError, UserCodeError
from squall.record.snapshots import (
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    Snapshot,
    WorkerSample,
)
from squall.runner.plan import plan_phase
from squall.runner.ramps import held, spec_of
from squall.scenario.codec import from_bytes, to_bytes
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario

S = 10**9
SECRET = "hunter2"


class Script:
    """A channel whose worker says what the test lets it say."""

    def __init__(self, worker: int, *, hello: FromWorker | None = None, offset_ns: int = 0) -> None:
        self.worker = worker
        self.clock_offset_ns = offset_ns
        self.sent: list[ToWorker] = []
        self.killed = False
        self.closed = False
        self.ends_on: type[ToWorker] | None = None
        self._said: asyncio.Queue[FromWorker | FleetError | None] = asyncio.Queue()
        now = RealClock().monotonic_ns() + offset_ns
        self._said.put_nowait(
            hello or Hello(version=PROTOCOL_VERSION, pid=worker, monotonic_ns=now, compiled=worker != 7)
        )

    def say(self, *messages: FromWorker | FleetError | None) -> None:
        for message in messages:
            self._said.put_nowait(message)

    async def send(self, message: ToWorker) -> None:
        self.sent.append(message)
        if self.ends_on is not None and isinstance(message, self.ends_on):
            self.say(report(self.worker, 0, final=True), Done(resources_left=0), None)

    async def receive(self) -> FromWorker | None:
        message = await self._said.get()
        if isinstance(message, FleetError):
            raise message
        return message

    def kill(self) -> None:
        self.killed = True
        self.say(None)

    async def close(self) -> None:
        self.closed = True

    def last_words(self) -> str:
        return f"was ended by SIGKILL, wrote {SECRET}"


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []
        self.events: list[Event] = []

    def accept(self, interval: Interval) -> None:
        self.intervals.append(interval)

    def happened(self, event: Event) -> None:
        self.events.append(event)

    def total(self, name: str) -> int:
        cells = [cell for each in self.intervals for cell in each.messages]
        return sum(getattr(cell, name) for cell in cells)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events] + [
            e.kind for each in self.intervals for e in each.events
        ]


def scenario(**rest: Any) -> Scenario:
    given = {
        "target": {"url": "ws://service.example/", "close_timeout": 0.01},
        "load": {"connections": 10},
        "delivery": {"drain_timeout": 0.01},
        "traffic": {"rate": 10},
    }
    return load_scenario(given | rest).scenario


def order(given: Scenario, phase_id: int = 0, start_ns: int = 0, duration_s: float = 100) -> PhaseOrder:
    return plan_phase(given, "hold", "sustained", held(10, duration_s), before=10).order(phase_id, start_ns)


def report(worker: int, index: int, **fields: Any) -> Report:
    held_now = 0 if fields.get("final") else 5
    return Report(
        snapshot=Snapshot(
            index=index,
            at_ns=(index + 1) * S,
            sample=WorkerSample(worker=worker, held=held_now, started=5),
            places=[Place("ws://service.example/", "")] if index == 0 else [],
            **fields,
        )
    )


def run(
    body: Callable[[Coordinator, list[Script], Sink], Awaitable[None]],
    channels: list[Script] | None = None,
    workers: int = 2,
    **settings: Any,
) -> Sink:
    sink = Sink()

    async def both() -> None:
        scripts = channels or [Script(worker) for worker in range(workers)]
        made = Coordinator(
            scenario(**settings),
            scripts,
            sink,
            RealClock(),
            77,
            mask=lambda text: text.replace(SECRET, "***"),
        )
        async with made as coordinator:
            await body(coordinator, scripts, sink)
        assert all(script.closed for script in scripts)
        assert coordinator.workers_left == 0

    asyncio.run(asyncio.wait_for(both(), 20))
    return sink


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


# --- the normal course ---


def test_workers_are_greeted_told_of_phases_and_of_the_end() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        given = scenario()
        assert coordinator.now_ns() == 0
        await coordinator.start()
        first, second = order(given), order(given, 1, S)
        await coordinator.begin(first)
        await coordinator.begin(second)
        for number, script in enumerate(scripts):
            script.ends_on = End
            welcome, one, two = script.sent
            assert isinstance(welcome, Welcome)
            assert (welcome.worker, welcome.workers, welcome.run_number) == (number, 2, 77)
            assert from_bytes(welcome.scenario) == given
            assert isinstance(one, Begin)
            assert isinstance(two, Begin)
            assert (one.order, two.order) == (first, second)
            assert one.start_monotonic_ns == two.start_monotonic_ns
        await coordinator.end()
        assert [type(message) for message in scripts[0].sent] == [Welcome, Begin, Begin, End]
        assert coordinator.stopped_by == ""
        assert coordinator.lost == ()
        assert coordinator.resources_left == 0
        assert coordinator.compiled

    sink = run(body)
    assert [(each.index, each.held, each.complete) for each in sink.intervals] == [(0, 0, True)]
    assert sink.events == []


def test_each_worker_is_told_the_start_on_its_own_clock() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        starts = [
            message.start_monotonic_ns
            for each in scripts
            for message in each.sent
            if isinstance(message, Begin)
        ]
        assert starts[1] - starts[0] == 5000 * S
        assert coordinator.now_ns() == 0  # the start lies a little ahead
        assert await coordinator.wait_until(1)
        assert coordinator.now_ns() >= 1

    run(body, channels=[Script(0), Script(1, offset_ns=5000 * S)])


def test_reports_of_one_second_become_one_interval_with_the_planned_level() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        scripts[0].say(report(0, 0))
        await settle()
        assert sink.intervals == []
        scripts[1].say(report(1, 0))
        await settle()
        [made] = sink.intervals
        assert (made.held, made.planned) == (10, 10)

    run(body)


def test_waiting_ends_at_its_time_or_with_a_stop() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        assert await coordinator.wait_until(20_000_000)
        asyncio.get_running_loop().call_later(0.01, coordinator.stop, f"enough of {SECRET}")
        assert not await coordinator.wait_until(3600 * S)
        await settle()
        coordinator.stop("another reason")
        assert coordinator.stopped_by == f"enough of {SECRET}"
        assert isinstance(scripts[0].sent[-1], StopSending)
        for script in scripts:
            script.say(report(script.worker, 0, final=True), Done(resources_left=0), None)
        await coordinator.end()
        assert not any(isinstance(message, End) for message in scripts[0].sent)

    sink = run(body)
    assert [(event.kind, event.text) for event in sink.events] == [("stop", "enough of ***")]


def test_a_stop_before_the_first_phase_ends_workers_that_did_nothing() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        coordinator.stop("interrupted")
        for script in scripts:
            script.say(Done(resources_left=0), None)
        await coordinator.end()
        assert coordinator.failure is None

    assert run(body).intervals == []


def test_a_turn_of_an_adaptive_ramp_is_told_to_every_worker_and_changes_what_is_planned() -> None:
    given = scenario(load={"connections": 1000, "ramp_up": {"kind": "adaptive", "shape": "linear"}})

    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        ramp = spec_of(given.load.ramp_up, before=0, to=1000)
        await coordinator.begin(plan_phase(given, "ramp_up", "ramp_up", ramp, before=0).order(0, 0))
        assert coordinator.ramp.duration_s == 30
        await coordinator.steer(0.5)
        await coordinator.steer(0.25)
        level = await coordinator.steer(0.0)
        turns = [[each for each in script.sent if isinstance(each, Steer)] for script in scripts]
        assert turns[0] == turns[1]
        assert [each.stretch for each in turns[0]] == [2.0, 2.0, None]
        assert turns[0][-1].level == level == coordinator.ramp.end < 1000
        assert [each.share for each in coordinator.ramp.turns] == [0.5, 0.25, 0.0]
        await coordinator.begin(order(given, 1, 200 * S))
        with pytest.raises(TypeError, match="only an adaptive ramp"):
            await coordinator.steer(0.5)

    run(body)


# --- workers that are not what they should be ---


@pytest.mark.parametrize(
    ("hello", "error", "words"),
    [
        (Hello(version=99, pid=1, monotonic_ns=0, compiled=True), FleetError, "protocol 99"),
        (Hello(version=PROTOCOL_VERSION, pid=1, monotonic_ns=0, compiled=True), FleetError, "s off"),
        (Done(resources_left=0), FleetError, "did not start"),
        (Failed(message="ca_file is no file", exit_code=104), ScenarioError, "ca_file"),
    ],
)
def test_a_worker_that_is_not_fit_is_refused(hello: FromWorker, error: type[SquallError], words: str) -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        with pytest.raises(error, match=words):
            await coordinator.start()

    async def nothing() -> None:
        sink = Sink()
        script = Script(0, hello=hello)
        async with Coordinator(scenario(), [script], sink, RealClock(), 1) as coordinator:
            await body(coordinator, [script], sink)

    asyncio.run(nothing())


def test_a_worker_that_runs_the_sources_is_noticed() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        assert not coordinator.compiled

    run(body, channels=[Script(0), Script(7)])


@pytest.mark.parametrize(("code", "error"), [(107, UserCodeError), (104, ScenarioError), (1, SquallError)])
def test_what_stops_a_worker_stops_the_run_with_its_exit_code(code: int, error: type[SquallError]) -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        scripts[1].ends_on = StopSending
        scripts[0].say(Failed(message=f"broke at {SECRET}", exit_code=code), None)
        await coordinator.end()
        assert type(coordinator.failure) is error
        assert coordinator.failure.message == "worker 0: broke at ***"
        assert coordinator.stopped_by == coordinator.failure.message
        assert coordinator.lost == (0,)

    assert "worker_lost" in run(body).kinds()


@pytest.mark.parametrize("said", [FleetError("cannot be read"), Done(resources_left=0)])
def test_a_worker_that_talks_nonsense_is_killed(said: Any) -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        scripts[1].ends_on = StopSending
        scripts[0].say(said)
        await coordinator.end()
        assert scripts[0].killed
        assert isinstance(coordinator.failure, FleetError)

    run(body)


# --- workers that die ---


def test_the_others_go_on_without_a_dead_worker_and_everything_of_it_is_accounted_for() -> None:
    cell = MessageCell(population=0, phase=0, type=0, place=0, intended=30, delivered=20)
    opened = ConnectionCell(population=0, phase=0, place=0, attempted=5, established=5)

    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        # Its last report lies in the future of this short test: so nothing is due between report and notice.
        scripts[0].say(report(0, 0, messages=[cell], connections=[opened]), None)
        scripts[1].say(report(1, 0), report(1, 1))
        await settle()
        assert not scripts[1].killed
        assert await coordinator.wait_until(1_000_000)
        assert coordinator.lost == (0,)
        scripts[1].ends_on = End
        await coordinator.end()
        assert coordinator.stopped_by == ""
        assert coordinator.resources_left is None

    sink = run(body)
    outcomes = ("delivered", "lost", "unknown", "not_sent_squall", "not_sent_target")
    assert sink.total("unknown") == 10
    assert sink.total("intended") == sum(sink.total(name) for name in outcomes)
    [lost] = [event for each in sink.intervals for event in each.events]
    assert (lost.kind, lost.worker) == ("worker_lost", 0)
    assert lost.text == "worker 0 is lost: was ended by SIGKILL, wrote ***"
    cells = [cell for each in sink.intervals for cell in each.connections]
    assert sum(cell.established - cell.closed - cell.dropped for cell in cells) == 0
    assert sink.intervals[-1].held == 0


def test_what_a_dead_worker_could_not_send_any_more_is_not_sent_by_squall() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        early = Snapshot(
            index=0, at_ns=0, sample=WorkerSample(worker=0, started=5), places=[Place("ws://a", "")]
        )
        scripts[0].say(Report(snapshot=early), None)
        await coordinator.wait_until(400_000_000)
        scripts[1].ends_on = End
        await coordinator.end()

    sink = run(body)
    # five sessions at ten a second, noticed at once, for at least 0.4 s
    assert sink.total("not_sent_squall") >= 5 * 3
    assert sink.total("intended") == sink.total("not_sent_squall") + sink.total("unknown")


def test_traffic_that_became_known_late_is_what_a_dead_worker_owed() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        silent = msgspec.structs.replace(order(scenario(traffic={"rate": 0})), sends=False)
        await coordinator.begin(silent)
        loud = scenario(traffic={"rate": 10, "types": ["a", "b"]})
        later = order(loud, 1, 1)
        await coordinator.begin(msgspec.structs.replace(later, traffic=to_bytes(loud)))
        early = Snapshot(
            index=0, at_ns=0, sample=WorkerSample(worker=0, started=5), places=[Place("ws://a", "")]
        )
        scripts[0].say(Report(snapshot=early), None)
        await coordinator.wait_until(400_000_000)
        scripts[1].ends_on = End
        await coordinator.end()

    sink = run(body, traffic={"rate": 0})
    assert sink.total("not_sent_squall") >= 5 * 3
    assert {cell.type for each in sink.intervals for cell in each.messages} == {0, 1}


def test_the_loss_of_a_worker_can_end_the_run() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        scripts[1].ends_on = StopSending
        scripts[0].say(None)
        assert not await coordinator.wait_until(3600 * S)
        await coordinator.end()
        assert coordinator.stopped_by == "worker 0 was lost"

    run(body, engine={"on_worker_loss": "stop"})


def test_without_any_worker_there_is_nothing_to_wait_for() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        for script in scripts:
            script.say(None)
        assert not await coordinator.wait_until(3600 * S)
        await coordinator.end()
        assert coordinator.lost == (0, 1)

    run(body)


def test_a_worker_that_ends_before_the_run_begins_is_a_failure() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        scripts[0].say(None)
        await settle()
        assert isinstance(coordinator.failure, FleetError)
        assert "before the run began" in coordinator.failure.message

    run(body)


def test_a_worker_that_does_not_end_in_time_is_killed_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "END_MARGIN_S", 0.05)

    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        scripts[1].ends_on = End
        await coordinator.end()
        assert scripts[0].killed
        assert not scripts[1].killed
        assert coordinator.lost == (0,)

    sink = run(body)
    assert {"worker_stuck", "worker_lost"} <= set(sink.kinds())


def test_a_worker_that_reports_nothing_any_more_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_MAX_S", 1)

    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        assert not await coordinator.wait_until(3600 * S)
        assert all(script.killed for script in scripts)

    assert run(body).kinds().count("worker_silent") == 2


def test_a_kill_ends_all_at_once_and_is_no_loss_of_a_worker() -> None:
    async def body(coordinator: Coordinator, scripts: list[Script], sink: Sink) -> None:
        await coordinator.start()
        await coordinator.begin(order(scenario()))
        owed = MessageCell(population=0, phase=0, type=0, place=0, intended=3)
        scripts[0].say(report(0, 0, messages=[owed]))
        scripts[1].say(report(1, 0))
        await settle()
        coordinator.kill("interrupted twice")
        assert all(script.killed for script in scripts)
        await coordinator.end()
        assert coordinator.stopped_by == "interrupted twice"
        assert coordinator.failure is None

    sink = run(body)
    assert sink.total("unknown") == 3
    assert "worker_lost" not in sink.kinds()
    assert sink.kinds().count("killed") == 2


def test_leaving_in_the_middle_kills_every_worker() -> None:
    scripts: list[Script] = []

    async def both() -> None:
        scripts.extend([Script(0), Script(1)])
        async with Coordinator(scenario(), scripts, Sink(), RealClock(), 1) as coordinator:
            await coordinator.start()
            await coordinator.begin(order(scenario()))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        asyncio.run(both())
    assert all(script.killed and script.closed for script in scripts)


def test_a_mistake_of_the_sink_comes_out_as_it_is() -> None:
    class Broken(Sink):
        def accept(self, interval: Interval) -> None:
            raise LookupError(f"a bug at {interval.index}")

    async def both() -> None:
        script = Script(0)
        async with Coordinator(scenario(), [script], Broken(), RealClock(), 1) as coordinator:
            await coordinator.start()
            await coordinator.begin(order(scenario()))
            script.say(report(0, 0))
            await coordinator.wait_until(3600 * S)

    with pytest.raises(LookupError, match="a bug at 0"):
        asyncio.run(both())
