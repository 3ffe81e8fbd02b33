"""An adaptive ramp while it lasts: each interval is judged, and the workers are told where growth changes.

At the end of each interval the conditions are judged first: one of `stop_when` freezes the level at once, one
of `slow_when` halves growth at once. Else the callback, if there is one, has its say, as soon as it returns.

**A slow callback** slows nothing: the workers go on at the pace that they have. An interval that ends while
it still runs is not given to it (`callback_intervals_skipped` counts them); the conditions of that interval
are judged all the same, and what the callback says late counts when it says it.

The ramp ends when its level is reached, frozen, or after `longest_s`; what is left of it by then is judged like
an interval, so that a level that was reached and broke the target is not called carried. What it did is in the
event log.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final

from squall.engine.coordinator import Coordinator
from squall.errors import UserCodeError
from squall.live.base import LiveView
from squall.metrics.conditions import Finding
from squall.metrics.ramp_statistics import RampStatistics, ramp_statistics
from squall.metrics.totals import Totals
from squall.profiles.adaptive import Growth
from squall.profiles.base import connections_in_words, duration_in_words
from squall.record.resources import ResourceSample
from squall.record.run import Freeze, Phase
from squall.record.snapshots import Event, Interval
from squall.runner.callback import MonitoringCallback, RampDecision, call
from squall.runner.phase_results import RampAccount
from squall.runner.recording import Recording
from squall.runner.rules import LONGEST, Rules

__all__ = ["PresentInterval", "Steering", "following"]

LAST_WORD_S: Final = 1.0
"""How long a callback has for what it was given at the very end of a ramp."""

_SECOND_NS: Final = 1_000_000_000
_LOOK_NS: Final = 100_000_000
"""How soon it is seen that the end of the ramp has moved."""


class Steering:
    """One adaptive ramp; see the module.

    Args:
        coordinator: told of each turn.
        recording: where intervals come from, and events go.
        phase: the ramp, begun.
        rules: how it is steered.
        reported: waits until all up to a time of the run is in the totals.
        callback: the user's, asked each interval.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        recording: Recording,
        phase: Phase,
        rules: Rules,
        reported: Callable[[int], Awaitable[None]],
        callback: MonitoringCallback | None = None,
    ) -> None:
        self._coordinator = coordinator
        self._recording = recording
        self._phase = phase
        self._rules = rules
        self._reported = reported
        self._callback = callback
        self._growth = Growth()
        self._turning = asyncio.Lock()
        self._asked: asyncio.Queue[RampStatistics] = asyncio.Queue(maxsize=1)
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._unsettled: Finding | None = None
        self._slow_at_s = 0.0
        self._planned_s = coordinator.ramp.duration_s
        longest_s = LONGEST * self._planned_s if rules.longest_s is None else rules.longest_s
        self._latest_ns = phase.start_ns + round(longest_s * _SECOND_NS)
        self.intervals_slow = 0
        """Intervals that halved growth."""
        self.callback_calls = 0
        self.callback_intervals_skipped = 0
        self.freeze: Freeze | None = None
        self.failure: UserCodeError | None = None
        """What the callback raised; the run was stopped for it."""

    @property
    def account(self) -> RampAccount:
        """What became of the ramp so far."""
        return RampAccount(
            freeze=self.freeze,
            intervals_slow=self.intervals_slow,
            callback_calls=self.callback_calls,
            callback_intervals_skipped=self.callback_intervals_skipped,
        )

    @property
    def end_ns(self) -> int:
        """When the ramp ends, with the turns so far."""
        return self._phase.start_ns + round(self._coordinator.ramp.duration_s * _SECOND_NS)

    async def carry_out(self, settle: Callable[[], Awaitable[object]]) -> None:
        """Steer until the planned level is reached, or frozen, or the run is over; then wait for `settle`."""
        async with asyncio.TaskGroup() as group:
            conversing = group.create_task(self._converse())
            with following(self._recording, self._phase) as interval:
                await self._watch(interval)
                await settle()
                if interval.seconds:
                    await self._judge_the_rest(*interval.take())
            conversing.cancel()

    # --- what each interval says ---

    async def _watch(self, interval: PresentInterval) -> None:
        """Judge each interval as it ends."""
        next_ns = self._phase.start_ns
        while True:
            next_ns = _whole_second(next_ns + round(self._rules.interval_s * _SECOND_NS))
            while (until_ns := min(next_ns, self.end_ns, self._latest_ns)) > self._coordinator.now_ns():
                # The end moves, where the callback answers meanwhile.
                if not await self._coordinator.wait_until(
                    min(until_ns, self._coordinator.now_ns() + _LOOK_NS)
                ):
                    return
            now_ns = self._coordinator.now_ns()
            if now_ns >= self.end_ns:
                return
            if now_ns >= self._latest_ns:
                await self._out_of_time()
                return
            await self._reported(next_ns)
            totals, statistics = interval.take()
            await self._judge(totals, statistics)
            if self._callback is not None:
                self._ask(statistics)

    async def _judge(self, totals: Totals, statistics: RampStatistics) -> None:
        """Let the conditions have their say; what they leave open is the callback's."""
        await self._settle_alone()
        stop = _any(each.judge(totals, statistics) for each in self._rules.stop_when)
        if stop.holds:
            await self._stop(stop)
            return
        slow = _any(each.judge(totals, statistics) for each in self._rules.slow_when)
        if slow.holds:
            self._slow_at_s = statistics.at_s
        if slow.holds or self._callback is None or not self._is_free.is_set():
            await self._step(slow)
        else:
            self._unsettled = slow

    async def _settle_alone(self) -> None:
        """The callback did not answer within its interval: what the conditions said of it counts."""
        slow, self._unsettled = self._unsettled, None
        if slow is not None:
            await self._step(slow)

    # --- what the callback says ---

    def _ask(self, statistics: RampStatistics) -> None:
        if self._is_free.is_set():
            self._is_free.clear()
            self._asked.put_nowait(statistics)
        else:
            self.callback_intervals_skipped += 1

    async def _converse(self) -> None:
        """Hand the callback one interval after another, and follow what it says."""
        while self._callback is not None and self.failure is None:
            statistics = await self._asked.get()
            self.callback_calls += 1
            try:
                decision = await call(self._callback, statistics)
            except UserCodeError as error:
                self.failure = error
                self._coordinator.fail(error)
            else:
                await self._follow(decision, statistics)
            finally:
                self._is_free.set()

    async def _follow(self, decision: RampDecision, statistics: RampStatistics) -> None:
        slow, self._unsettled = self._unsettled, None
        if not decision.continue_ramp_up:
            await self._stop(Finding(True, None, "the monitoring callback said so"))
        elif self._coordinator.now_ns() >= self.end_ns:
            return
        elif decision.adjust_ramp_rate and self._slow_at_s != statistics.at_s:
            await self._step(Finding(True, None, "the monitoring callback asked for it"))
        elif slow is not None:
            unknown = slow.holds is None and self._rules.slow_when
            await self._step(Finding(None if unknown else False, None, ""))

    async def _judge_the_rest(self, totals: Totals, statistics: RampStatistics) -> None:
        """The level is reached: what its last stretch says still counts, though nothing is left to slow."""
        stop = _any(each.judge(totals, statistics) for each in self._rules.stop_when)
        if stop.holds:
            await self._stop(stop)
        if self._callback is not None:
            await self._have_the_last_word(statistics)

    async def _have_the_last_word(self, statistics: RampStatistics) -> None:
        """The callback sees the rest of the ramp as well, and may still stop it, or raise."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await self._is_free.wait()
        if self.failure is not None:
            return
        self._ask(statistics)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await self._is_free.wait()

    # --- what follows from it ---

    async def _step(self, slow: Finding) -> None:
        """One interval more: tell the workers if growth changes by it."""
        async with self._turning:
            before, self._growth = self._growth.share, self._growth.after(slow.holds)
            if self._growth.share == before:
                return
            self.intervals_slow += slow.holds is True
            await self._coordinator.steer(self._growth.share)
        words = f"the ramp grows by {self._growth.share:.3g} of what is planned"
        if slow.holds:
            self._say("ramp_slower", f"{words}: {slow.why}", slow)
        else:
            self._say("ramp_faster", f"{words}: nothing is slow", slow)

    async def _stop(self, stop: Finding) -> None:
        """Freeze the level, for good."""
        async with self._turning:
            if self._growth.is_frozen:
                return
            self._growth = self._growth.after(None, stop=True)
            level = await self._coordinator.steer(0.0)
            self.freeze = Freeze(level=level, at_ns=self._coordinator.now_ns(), why=stop.why)
        self._recording.freeze(self.freeze)
        self._say("ramp_frozen", f"the ramp is frozen at {connections_in_words(level)}: {stop.why}", stop)

    async def _out_of_time(self) -> None:
        longest = duration_in_words((self._latest_ns - self._phase.start_ns) / _SECOND_NS)
        grows = f"it grows by {self._growth.share:.3g} of what is planned"
        await self._stop(Finding(True, None, f"its longest time, {longest}, is over, and {grows}"))

    def _say(self, kind: str, text: str, found: Finding) -> None:
        event = Event(
            at_ns=self._coordinator.now_ns(), kind=kind, text=text, figure=found.figure, bound=found.bound
        )
        self._recording.happened(event)


class PresentInterval(LiveView):
    """What has happened since the interval before was taken."""

    def __init__(self, recording: Recording, phase: Phase) -> None:
        self._recording = recording
        self._phase = phase
        self._begin()

    def _begin(self) -> None:
        totals = self._recording.totals
        self._totals = totals.from_here(self._phase)
        self._held_before = totals.level().last or 0
        self._samples: list[ResourceSample] = []

    @property
    def seconds(self) -> int:
        """How many seconds of it have been reported."""
        return self._totals.seconds

    def accept(self, interval: Interval) -> None:
        """One second more."""
        self._totals.add(interval)

    def sampled(self, sample: ResourceSample) -> None:
        """One look more at a watched machine."""
        self._totals.sampled(sample)
        self._samples.append(sample)

    def take(self) -> tuple[Totals, RampStatistics]:
        """All of it; the next one begins."""
        taken, held_before, samples = self._totals, self._held_before, self._samples
        self._begin()
        return taken, ramp_statistics(taken, held_before=held_before, samples=samples)


@contextlib.contextmanager
def following(recording: Recording, phase: Phase) -> Iterator[PresentInterval]:
    """The present interval of a phase, fed with all that is recorded while the block runs."""
    interval = PresentInterval(recording, phase)
    recording.views.append(interval)
    try:
        yield interval
    finally:
        recording.views.remove(interval)


def _whole_second(at_ns: int) -> int:
    """Reports are of whole seconds of the run: an interval ends with one."""
    return -(-at_ns // _SECOND_NS) * _SECOND_NS


def _any(findings: Iterable[Finding]) -> Finding:
    """The first that holds; else one of which nobody knows, if there is any."""
    unknown = False
    for finding in findings:
        if finding.holds:
            return finding
        unknown = unknown or finding.holds is None
    return Finding(None if unknown else False, None, "")
