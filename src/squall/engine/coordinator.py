"""The coordinator: tells all workers what to do, adds up what they report, and accounts for those that die.

It is out of the hot path: a worker computes its own share of each phase, and is told only where an adaptive
ramp takes another turn. One task listens to each worker;
what they report is merged second by second and given to the sink; the loss of a worker is noticed by the end
of its channel, or by its silence. The coordinator decides nothing about the plan: whoever runs it says when a
phase begins, and when all is over.

Times are nanoseconds since the start of the run, which is fixed by the first phase.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from squall.clock import Clock
from squall.engine.base import (
    PROTOCOL_VERSION,
    Begin,
    Done,
    End,
    Failed,
    Hello,
    PhaseOrder,
    Report,
    Route,
    SnapshotSink,
    Steer,
    StopSending,
    ToWorker,
    Welcome,
    WorkerChannel,
)
from squall.engine.loss import Account, DueCounts
from squall.engine.merge import Merger
from squall.engine.orders import profile_of
from squall.errors import FleetError, PreflightError, ScenarioError, SquallError, UserCodeError
from squall.profiles.adaptive import Adaptive
from squall.profiles.base import Profile
from squall.record.snapshots import Event, Interval, Snapshot
from squall.scenario.codec import from_bytes, to_bytes
from squall.scenario.models import Scenario

__all__ = ["LEAD_NS", "Coordinator"]

LEAD_NS: Final = 50_000_000
"""How long after the order the run starts, so that every worker has it in time."""

HELLO_MAX_S: Final = 30.0
"""How long a worker may take to start and say hello."""

SILENCE_MAX_S: Final = 30
"""Seconds without a report after which a worker counts as dead, and is killed."""

END_MARGIN_S: Final = 5.0
"""How much longer than its drains and closes a worker may take to end."""

CLOCK_SKEW_MAX_NS: Final = 60_000_000_000
"""A worker's clock further off than this is not the one it is said to be."""

_ERRORS: Final[dict[int, type[SquallError]]] = {
    error.exit_code: error for error in (ScenarioError, UserCodeError, FleetError, PreflightError)
}


class Coordinator:
    """One run's workers. An async context manager: on leaving it, every worker is gone.

    Args:
        scenario: what is run; the workers get it with its secrets.
        channels: one to each worker, in the order of their numbers.
        sink: given each interval and event.
        clock: the monotonic clock that the channels' offsets refer to.
        run_number: by which messages of this run are known.
        mask: takes secrets out of a text that is kept.
    """

    def __init__(
        self,
        scenario: Scenario,
        channels: Sequence[WorkerChannel],
        sink: SnapshotSink,
        clock: Clock,
        run_number: int,
        mask: Callable[[str], str] = str,
    ) -> None:
        self._scenario = scenario
        self._channels = list(channels)
        self._sink = sink
        self._clock = clock
        self._run_number = run_number
        self._mask = mask
        numbers = [channel.worker for channel in channels]
        self._accounts = {worker: Account(worker) for worker in numbers}
        self._merger = Merger(numbers, self._planned)
        self._live = dict(zip(numbers, channels, strict=True))
        self._quiet_s = dict.fromkeys(numbers, 0)
        self._orders: list[PhaseOrder] = []
        self._profiles: list[Profile] = []
        self._due: DueCounts | None = None
        self._lost: dict[int, int] = {}
        self._start_ns: int | None = None
        self._stop_ns: int | None = None
        self._group: asyncio.TaskGroup | None = None
        self._helpers: list[asyncio.Task[None]] = []
        self._ending = asyncio.Event()
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._pids: dict[int, int] = {}
        self._finished = False
        self._killed = False
        self.stopped_by = ""
        """Why the run was stopped; empty while it goes by its plan."""
        self.failure: SquallError | None = None
        """The first error: of a worker, of the channel to one, of the user's own code."""
        self.resources_left: int | None = 0
        """What workers left open when they ended; None where one could not say."""
        self.routes: tuple[Route, ...] = ()
        """By entry point, where sessions connect to instead; to be set before the first phase."""
        self.compiled = True
        """Whether every worker runs the compiled hot path."""

    # --- what the plan asks for ---

    async def start(self) -> None:
        """Greet every worker and hear its answer.

        Raises:
            FleetError: one does not answer, or is of another version.
        """
        scenario = to_bytes(self._scenario)
        for channel in self._channels:
            welcome = Welcome(
                version=PROTOCOL_VERSION,
                worker=channel.worker,
                workers=len(self._channels),
                run_number=self._run_number,
                scenario=scenario,
            )
            await self._greet(channel)
            await channel.send(welcome)
        group = self._group = await asyncio.TaskGroup().__aenter__()
        self._helpers = [group.create_task(self._watch()), group.create_task(self._spread_stop())]
        for channel in self._channels:
            group.create_task(self._listen(channel))

    async def begin(self, order: PhaseOrder) -> None:
        """Let a phase begin at its start, now or in some seconds. The first one starts the run's clock.

        None begins once the run was stopped.
        """
        if self._ending.is_set():
            return
        if self._start_ns is None:
            self._start_ns = self._clock.monotonic_ns() + LEAD_NS
        if order.traffic is not None:
            self._scenario, self._due = from_bytes(order.traffic), None
        self._orders.append(order)
        self._profiles.append(profile_of(order))
        for channel in list(self._live.values()):
            start_ns = self._start_ns + channel.clock_offset_ns
            await channel.send(Begin(order=order, start_monotonic_ns=start_ns, routes=self.routes))

    async def steer(self, share: float) -> int:
        """Let the present phase, an adaptive one, grow by this share of its plan; 0 freezes it.

        It takes effect a little later, at the same time in every worker. Returns the level reached by then.
        """
        start_ns = self._orders[-1].phase.start_ns
        at_ns = max(start_ns, self.now_ns() + LEAD_NS)
        before = self.ramp
        after = self._profiles[-1] = before.turned((at_ns - start_ns) / 1e9, share)
        level = after.level_at((at_ns - start_ns) / 1e9)
        stretch = before.share / share if share else None
        await self._tell_all(Steer(at_ns=at_ns, stretch=stretch, level=level))
        return level

    @property
    def ramp(self) -> Adaptive:
        """The profile of the present phase, with the turns that it took."""
        profile = self._profiles[-1]
        if not isinstance(profile, Adaptive):
            raise TypeError(f"{profile.describe()}: only an adaptive ramp is steered")
        return profile

    def fail(self, error: SquallError) -> None:
        """Stop the run for something that went wrong on this side; what the workers have is kept."""
        self._failed(error)

    def now_ns(self) -> int:
        """The time of the run; 0 until it has begun."""
        return 0 if self._start_ns is None else max(0, self._clock.monotonic_ns() - self._start_ns)

    async def wait_until(self, at_ns: int) -> bool:
        """Wait for a time of the run. False, and earlier, where the run is stopped or no worker is left."""
        while not self._ending.is_set():
            left_ns = at_ns - self.now_ns()
            if left_ns <= 0:
                return True
            try:
                async with asyncio.timeout(left_ns / 1e9):
                    await self._ending.wait()
            except TimeoutError:
                pass
        return False

    def stop(self, reason: str) -> None:
        """Let all sessions stop sending, drain and close, from now on. Only the first reason counts."""
        if self._stop_ns is None and not self._finished:
            self._stop_ns = self.now_ns()
            self.stopped_by = reason
            self._sink.happened(Event(at_ns=self._stop_ns, kind="stop", text=self._mask(reason)))
            self._ending.set()
            self._stopping.set()

    async def end(self) -> None:
        """No phase follows: wait until every worker has drained and left, and give the sink what is left.

        A worker that takes longer than its drains and closes may is killed, and counts as lost.
        """
        self._ending.set()
        if self._stop_ns is None:
            await self._tell_all(End())
        try:
            async with asyncio.timeout(self._end_max_s()):
                while self._live:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            for worker, channel in self._live.items():
                self._say("worker_stuck", f"worker {worker} did not end in time and is killed", worker)
                channel.kill()
            while self._live:
                self._changed.clear()
                await self._changed.wait()
        self._finish()

    def kill(self, reason: str) -> None:
        """End every worker at once; what they had in hand is unknown."""
        self.stop(reason)
        self._killed = True
        for channel in self._live.values():
            channel.kill()

    @property
    def lost(self) -> tuple[int, ...]:
        """The workers that died before they had told all."""
        return tuple(sorted(self._lost))

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of the workers that have not ended."""
        return tuple(pid for worker, pid in self._pids.items() if worker in self._live)

    @property
    def workers_left(self) -> int:
        """How many workers have not ended."""
        return len(self._live)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._finished = True
            self._ending.set()
            for channel in self._live.values():
                channel.kill()
            for helper in self._helpers:
                helper.cancel()
            if self._group is not None:
                # Not given the error: it would come back in a group, and the caller's own must pass as it is.
                await self._group.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            for channel in self._channels:
                await channel.close()

    # --- what workers say ---

    async def _greet(self, channel: WorkerChannel) -> None:
        """Hear a worker's hello, and check that it is one of ours."""
        try:
            async with asyncio.timeout(HELLO_MAX_S):
                hello = await channel.receive()
        except TimeoutError:
            raise FleetError(f"worker {channel.worker} said nothing for {HELLO_MAX_S:g} s") from None
        if isinstance(hello, Failed):
            raise _error(self._mask(f"worker {channel.worker}: {hello.message}"), hello.exit_code)
        if not isinstance(hello, Hello):
            words = self._mask(channel.last_words()) or "said something else than hello"
            raise FleetError(f"worker {channel.worker} did not start: {words}")
        if hello.version != PROTOCOL_VERSION:
            raise FleetError(
                f"worker {channel.worker} speaks protocol {hello.version}, this squall {PROTOCOL_VERSION}",
                hint="let all machines have the same version of squall",
            )
        skew_ns = abs(hello.monotonic_ns - channel.clock_offset_ns - self._clock.monotonic_ns())
        if skew_ns > CLOCK_SKEW_MAX_NS:
            raise FleetError(f"worker {channel.worker}: its clock is {skew_ns / 1e9:.0f} s off")
        self.compiled = self.compiled and hello.compiled
        self._pids[channel.worker] = hello.pid

    async def _listen(self, channel: WorkerChannel) -> None:
        """Take what one worker says until it leaves or is gone."""
        worker = channel.worker
        while True:
            try:
                message = await channel.receive()
            except FleetError as error:
                self._failed(error)
                channel.kill()
                message = None
            match message:
                case Report(snapshot=snapshot):
                    self._quiet_s[worker] = 0
                    self._accounts[worker].add(snapshot)
                    self._give(self._merger.add(snapshot))
                case Done(resources_left=count) if self._accounts[worker].final or not self._orders:
                    self.resources_left = _sum(self.resources_left, count)
                    self._give(self._merger.gone(worker))
                    return self._left(worker)
                case Failed(message=text, exit_code=code):
                    self._failed(_error(self._mask(f"worker {worker}: {text}"), code))
                case None:
                    return await self._gone(channel)
                case Hello() | Done():
                    self._failed(FleetError(f"worker {worker} said {type(message).__name__} out of turn"))
                    channel.kill()

    async def _gone(self, channel: WorkerChannel) -> None:
        """A worker died: account for what it had in hand, and go on without it if that is wanted."""
        await channel.close()
        worker = channel.worker
        self.resources_left = None
        if not self._finished:
            words = self._mask(channel.last_words()) or "its channel ended"
            if not self._orders:
                self._failed(FleetError(f"worker {worker} ended before the run began: {words}"))
            elif not self._accounts[worker].final:
                self._account_for(worker, words)
            self._give(self._merger.gone(worker))
        self._left(worker)

    def _account_for(self, worker: int, words: str) -> None:
        """A worker ended before it had told all."""
        now_ns = self._lost[worker] = self.now_ns()
        kind, what = ("killed", "was killed") if self._killed else ("worker_lost", "is lost")
        event = Event(at_ns=now_ns, kind=kind, text=f"worker {worker} {what}: {words}", worker=worker)
        until_ns = now_ns if self._stop_ns is None else min(now_ns, self._stop_ns)
        account = self._accounts[worker]
        self._add_own(account.lost(event, due_until_ns=until_ns, due=self._due_counts(), orders=self._orders))
        if self._scenario.engine.on_worker_loss == "stop":
            self.stop(f"worker {worker} was lost")

    def _left(self, worker: int) -> None:
        del self._live[worker]
        if not self._live:
            self._ending.set()
        self._changed.set()

    def _failed(self, error: SquallError) -> None:
        """The first failure stops the run; what the others have is kept."""
        self.failure = self.failure or error
        self.stop(error.message)

    # --- by itself ---

    async def _watch(self) -> None:
        """Kill a worker that reports nothing any more: a stopped or stuck process keeps its channel open.

        Seconds are counted, not measured: where this process itself was stopped, nobody was silent meanwhile.
        """
        while True:
            await asyncio.sleep(1.0)
            for worker, channel in self._live.items():
                self._quiet_s[worker] += self._start_ns is not None
                if self._quiet_s[worker] == SILENCE_MAX_S:
                    self._say("worker_silent", f"worker {worker} said nothing for {SILENCE_MAX_S} s", worker)
                    channel.kill()

    async def _spread_stop(self) -> None:
        """Pass a stop on at once, also while nobody waits for anything."""
        await self._stopping.wait()
        await self._tell_all(StopSending(reason=self.stopped_by))

    async def _tell_all(self, message: ToWorker) -> None:
        for channel in list(self._live.values()):
            await channel.send(message)

    def _end_max_s(self) -> float:
        return self._scenario.drain_s + self._scenario.target.close_timeout + END_MARGIN_S

    def _finish(self) -> None:
        """Count what lost workers could not send, and give out everything that still waits."""
        self._finished = True
        until_ns = self.now_ns() if self._stop_ns is None else self._stop_ns
        for worker, noticed_ns in self._lost.items():
            missing = self._accounts[worker].not_sent(
                noticed_ns, until_ns, due=self._due_counts(), orders=self._orders
            )
            if missing is not None:
                self._add_own(missing)
        self._give(self._merger.finish())

    def _due_counts(self) -> DueCounts:
        if self._due is None:
            self._due = DueCounts(self._scenario, len(self._channels))
        return self._due

    def _add_own(self, snapshot: Snapshot) -> None:
        self._give(self._merger.add(snapshot))

    def _give(self, intervals: list[Interval]) -> None:
        for interval in intervals:
            self._sink.accept(interval)

    def _say(self, kind: str, text: str, worker: int) -> None:
        self._sink.happened(Event(at_ns=self.now_ns(), kind=kind, text=text, worker=worker))

    def _planned(self, at_ns: int) -> int:
        """The level that the plan has at a time."""
        for order, profile in zip(reversed(self._orders), reversed(self._profiles), strict=True):
            if order.phase.start_ns <= at_ns:
                return profile.level_at((at_ns - order.phase.start_ns) / 1e9)
        return 0


def _error(message: str, exit_code: int) -> SquallError:
    """The error of this process for what a worker ended with; a bug, where it is none of the known kinds."""
    return _ERRORS.get(exit_code, SquallError)(message)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
