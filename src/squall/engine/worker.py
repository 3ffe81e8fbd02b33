"""A worker: one loop that carries its share of the sessions, told what to do over its channel.

It computes its own moves from each phase, so that the coordinator stays out of the hot path; it reports once a
second; it ends when it is told to and nothing is open any more, or when its channel does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
from typing import Protocol

from squall.clock import Clock
from squall.engine.agenda import Agenda
from squall.engine.base import (
    PROTOCOL_VERSION,
    Begin,
    Done,
    End,
    FromWorker,
    Hello,
    Report,
    Steer,
    StopSending,
    ToWorker,
    Welcome,
)
from squall.engine.client_faults import ClientFaults
from squall.engine.leftovers import Leftovers
from squall.engine.pacer import Pacer
from squall.engine.roster import Roster, pause_until
from squall.engine.session import OPEN, Session
from squall.engine.setup import Setup, make_book, max_latencies_ns
from squall.engine.ticks import now_ns
from squall.engine.timer import make_timer
from squall.errors import FleetError, SquallError
from squall.record.snapshots import Snapshot, WorkerSample
from squall.scenario.codec import from_bytes
from squall.scenario.models import Scenario

__all__ = ["WorkerEndpoint", "run_worker"]

_SECOND_NS = 1_000_000_000
_TICK_S = 0.1


class WorkerEndpoint(Protocol):
    """The worker's end of its channel."""

    async def receive(self) -> ToWorker | None:
        """The next message; None once the coordinator is gone."""
        ...

    def send(self, message: FromWorker) -> None:
        """Hand a message over; never waits."""
        ...


async def run_worker(end: WorkerEndpoint, clock: Clock, *, alone: bool = False) -> None:
    """Serve a coordinator until it says so, or is gone. `alone`: in this process there is nothing else.

    Raises:
        SquallError: the worker cannot do what it is asked; whoever runs it tells the coordinator.
    """
    hello = Hello(
        version=PROTOCOL_VERSION,
        pid=os.getpid(),
        monotonic_ns=clock.monotonic_ns(),
        compiled=hasattr(Session, "__pyx_vtable__"),
    )
    end.send(hello)
    welcome = await end.receive()
    if welcome is None:
        return
    if not isinstance(welcome, Welcome) or welcome.version != PROTOCOL_VERSION:
        raise FleetError(f"a worker of protocol {PROTOCOL_VERSION} was greeted by {welcome!r:.40}")
    await Worker(end, welcome, clock, alone=alone).run()


class Worker:
    """The state of one worker; see the module."""

    def __init__(self, end: WorkerEndpoint, welcome: Welcome, clock: Clock, *, alone: bool) -> None:
        scenario = from_bytes(welcome.scenario)
        self._end = end
        self._clock = clock
        self._leftovers = Leftovers() if alone else None
        self._setup = Setup(scenario, welcome.worker, welcome.workers, welcome.run_number)
        self._book = make_book(scenario)
        self._agenda = Agenda(welcome.worker, welcome.workers, self._setup.visits, scenario.stay_s)
        self._failure: BaseException | None = None
        self._over = asyncio.Event()
        self._ending = False
        self._stopping = False
        self._moved = asyncio.Event()
        self._reported = 0
        self._loop_lag_ns = 0
        self._ping_cursors: dict[int, float] = {}

    async def run(self) -> None:
        """Take the first phase, then do everything at once until it is over."""
        first = await self._end.receive()
        if first is None:
            return
        if not isinstance(first, Begin):
            await self._leave_unstarted()
            return
        self._start_run(first)
        gc.collect()
        gc.freeze()
        gc.disable()  # a full collection over all sessions would stop the pacer for tens of milliseconds
        tasks = [self._listen(), self._follow_agenda(), self._report_each_second(), self._tick()]
        self._connecting = asyncio.ensure_future(self._roster.run())
        running = [asyncio.ensure_future(task) for task in tasks] + [self._connecting]
        if self._leftovers is not None:
            self._leftovers.begin(besides=self._connecting)
        try:
            for task in running:
                task.add_done_callback(self._note_end)
            await self._over.wait()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._timer.close()
            gc.enable()
        if self._failure is not None:
            raise self._failure

    async def _leave_unstarted(self) -> None:
        """No phase came, only the end: there is nothing to report."""
        self._end.send(Done(resources_left=0))

    def _note_end(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception())

    def _fail(self, error: BaseException | None) -> None:
        """The worker ends with the first error of its own."""
        self._failure = self._failure or error
        self._over.set()

    def _start_run(self, begin: Begin) -> None:
        self._start_ns = begin.start_monotonic_ns
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._loop_exception)
        self._pacer = Pacer(
            int(self._setup.scenario.engine.pacing_window * 1e9), self._start_ns, self._arm, self._fail
        )
        self._timer = make_timer(loop, self._pacer.tick)
        self._roster = Roster(self._setup, self._book, self._pacer, self._fail)
        self._faults = ClientFaults(self._setup, self._roster)
        started_wall_ns = self._clock.wall_ns() - self._clock.monotonic_ns() + self._start_ns
        self._setup.begin(self._start_ns, started_wall_ns, self._roster, begin.routes)
        self._begin_phase(begin)

    def _arm(self, at_ns: int) -> None:
        self._timer.arm(at_ns + self._start_ns)

    def _loop_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """What asyncio would log. picows leaves a future with each protocol error of a peer: that is booked."""
        error = context.get("exception")
        if isinstance(error, SquallError | AssertionError | TypeError | AttributeError | KeyError):
            self._fail(error)

    def _now_ns(self) -> int:
        return int(now_ns() - self._start_ns)

    # --- orders ---

    async def _listen(self) -> None:
        while True:
            message = await self._end.receive()
            match message:
                case None:
                    self._over.set()
                    return
                case Begin():
                    self._begin_phase(message)
                case Steer():
                    self._steer(message)
                case StopSending():
                    self._stop()
                case End():
                    self._ending = True
                    self._moved.set()
                case Welcome():
                    raise FleetError("a worker was greeted twice")

    def _begin_phase(self, begin: Begin) -> None:
        order = begin.order
        if order.traffic is not None:
            self._retune(from_bytes(order.traffic), order.phase.start_ns)
        self._book.begin(order)
        self._setup.checks.begin(
            order.phase.id, order.phase.start_ns, order.check_interval_ns, order.spike_ns
        )
        for number, at_ns in self._agenda.begin(order):
            self._roster.plan_leave(number, at_ns)
        if order.hold_ns:
            self._faults.begin(order.phase.start_ns, order.hold_ns)
        self._moved.set()

    def _steer(self, turn: Steer) -> None:
        """What is left of the present phase takes longer from a time on, or does not come any more."""
        for number in self._agenda.steer(turn):
            self._roster.plan_leave(number, self._now_ns())
        self._moved.set()

    def _retune(self, scenario: Scenario, from_ns: int) -> None:
        """Nothing was sent so far; from a time on, sessions send what this scenario says."""
        self._setup.retune(scenario, self._roster)
        self._book.retune(max_latencies_ns(scenario))
        self._roster.forget_left()
        for session in self._roster.sessions.values():
            session.retune(self._setup.lanes[session.lane.population], from_ns)
            self._pacer.enrol(session)

    def _stop(self) -> None:
        self._stopping = True
        self._ending = True
        self._agenda.clear()
        self._connecting.cancel()
        self._faults.stop()
        self._roster.stop()
        self._moved.set()

    async def _follow_agenda(self) -> None:
        """Let sessions come and go at the planned times; at the end drain who is left, report and leave."""
        while True:
            now = self._now_ns()
            while (step := self._agenda.take(now)) is not None:
                if step.what == "come":
                    self._roster.want(step.session, step.at_ns, step.leave_ns)
                elif step.what == "rest":
                    self._roster.rest(step.session)
                else:
                    self._roster.leave(step.session)
            if self._ending and not self._agenda.has_moves:
                break
            next_ns = self._agenda.next_ns
            pause_s = None if next_ns is None else pause_until(next_ns - now)
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._moved.wait()
        await self._leave()

    async def _leave(self) -> None:
        for number in self._roster.remaining():
            self._roster.leave(number)
        await self._roster.emptied()
        self._connecting.cancel()
        left = 0 if self._leftovers is None else await self._leftovers.count()
        self._report(final=True)
        self._end.send(Done(resources_left=None if left is None else max(self._roster.held, left)))
        self._over.set()

    # --- what happens by itself ---

    async def _tick(self) -> None:
        """Ten times a second: see how late the loop is, and ping whose turn it is."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += _TICK_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            late_s = loop.time() - due
            self._loop_lag_ns = max(self._loop_lag_ns, int(late_s * 1e9))
            if late_s > 1.0:
                due = loop.time()
            self._ping()

    def _ping(self) -> None:
        """Ping a share of the connections, so that each has its turn once an interval."""
        intervals = [self._setup.ping_interval_s(index) for index in range(len(self._setup.lanes))]
        if not any(intervals):
            return
        open_now = [session for session in self._roster.sessions.values() if session.state == OPEN]
        for population, interval_s in enumerate(intervals):
            group = [session for session in open_now if session.lane.population == population]
            if interval_s is None or not group:
                continue
            cursor = self._ping_cursors.get(population, 0.0)
            until = cursor + len(group) * _TICK_S / interval_s
            for index in range(int(cursor), int(until)):
                group[index % len(group)].ping()
            self._ping_cursors[population] = until

    async def _report_each_second(self) -> None:
        while True:
            next_ns = (self._reported + 1) * _SECOND_NS
            await asyncio.sleep(max(0.0, (next_ns - self._now_ns()) / 1e9))
            while (self._reported + 1) * _SECOND_NS <= self._now_ns():
                self._report(final=False)
            gc.collect(0)

    def _report(self, *, final: bool) -> None:
        """Send what happened since the last report."""
        now = self._now_ns()
        messages, connections, places = self._book.take(now)
        events, dropped = self._roster.take_events()
        index = self._reported
        self._reported += 1
        self._end.send(
            Report(
                snapshot=Snapshot(
                    index=index,
                    at_ns=now,
                    sample=self._sample(now),
                    messages=messages,
                    connections=connections,
                    places=places,
                    events=events,
                    events_dropped=dropped,
                    final=final,
                    checks=self._setup.checks.take(now, self._roster.held),
                    streams=self._setup.worst_streams.all if final else [],
                    seconds=self._setup.sending_troubles.take(),
                    late=[] if self._setup.late_messages is None else self._setup.late_messages.take(),
                )
            )
        )

    def _sample(self, now: int) -> WorkerSample:
        """How this worker itself is."""
        lanes = self._setup.lanes
        usage = resource.getrusage(resource.RUSAGE_SELF)
        quietest = max(lanes, key=lambda lane: lane.silence_ns)
        sample = WorkerSample(
            worker=self._setup.worker,
            held=self._roster.held,
            pending=self._roster.pending,
            outstanding=self._book.outstanding,
            blocked=sum(lane.held_total for lane in lanes),
            unsent_bytes=self._setup.backlog.unsent,
            started=self._roster.started,
            cpu_ns=int((usage.ru_utime + usage.ru_stime) * 1e9),
            rss_bytes=_resident_bytes(),
            loop_lag_max_ns=self._loop_lag_ns,
            silence_ns=quietest.silence_ns,
            silence_start_ns=quietest.silence_start_ns,
            wanted=self._agenda.here if self._setup.comes_and_goes else None,
            absent=self._roster.absences.count,
            absent_ns=self._roster.absences.take(now),
        )
        self._loop_lag_ns = 0
        for lane in lanes:
            lane.silence_ns = 0
        return sample


def _resident_bytes() -> int:
    """The resident memory of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0
