"""The schedule of a run's faults, with a clock that the test turns: each on in its window, and off whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from squall.errors import EnvironmentFailure, SquallError
from squall.faults.schedule import FaultSchedule
from squall.record.snapshots import Event
from squall.scenario.faults import Drop, FaultKind, Latency
from squall.scenario.run_faults import Cut

S = 10**9


class World:
    """A clock, a site of faults, and what was told."""

    def __init__(self, *, refuses: str = "") -> None:
        self.now_ns = 0
        self.on: list[str] = []
        self.calls: list[str] = []
        self.events: list[Event] = []
        self.errors: list[SquallError] = []
        self.stopped = False
        self._refuses = refuses
        self._moved = asyncio.Event()

    def schedule(self, *faults: FaultKind) -> FaultSchedule:
        return FaultSchedule(
            faults,
            self,
            now_ns=lambda: self.now_ns,
            wait_until=self.wait_until,
            happened=self.events.append,
            failed=self.errors.append,
        )

    async def switch_on(self, fault: FaultKind) -> None:
        if self._refuses == f"+{fault.label}":
            raise EnvironmentFailure("it is gone")
        self.on.append(fault.label)

    async def switch_off(self, fault: FaultKind) -> None:
        if self._refuses == f"-{fault.label}":
            raise EnvironmentFailure("it is gone")
        self.on.remove(fault.label)

    async def wait_until(self, at_ns: int) -> bool:
        while self.now_ns < at_ns and not self.stopped:
            self._moved = asyncio.Event() if self._moved.is_set() else self._moved
            await self._moved.wait()
        return not self.stopped

    async def turn(self, to_s: float) -> None:
        self.now_ns = int(to_s * S)
        await self._let_all_see()

    async def stop(self) -> None:
        self.stopped = True
        await self._let_all_see()

    async def _let_all_see(self) -> None:
        self._moved.set()
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def told(self) -> list[tuple[float, str, str]]:
        return [(event.at_ns / S, event.kind, event.name) for event in self.events]


def carried_out(what: Coroutine[Any, Any, None]) -> None:
    asyncio.run(what)


DROP = Drop(probability=0.05)
LATENCY = Latency.model_validate({"at": "2s", "for": "3s"})


def test_a_fault_without_a_time_is_on_for_the_whole_run() -> None:
    async def run() -> None:
        world = World()
        async with world.schedule(DROP) as schedule:
            await schedule.begin()
            assert world.on == ["drop"]
            await world.turn(10)
            schedule.hold(10 * S, 20 * S)
            await world.turn(40)
            assert world.on == ["drop"]
        assert world.on == []
        assert world.told == [(0, "fault", "drop"), (40, "fault_healed", "drop")]
        assert world.events[0].figure is None

    carried_out(run())


def test_a_window_counts_from_the_start_of_the_hold() -> None:
    async def run() -> None:
        world = World()
        async with world.schedule(LATENCY) as schedule:
            await schedule.begin()
            await world.turn(10)
            schedule.hold(10 * S, 20 * S)
            seen = []
            for second in (10, 11.9, 12, 14.9, 15, 20):
                await world.turn(second)
                seen.append(list(world.on))
            assert seen == [[], [], ["latency"], ["latency"], [], []]
        assert world.told == [(12, "fault", "latency"), (15, "fault_healed", "latency")]
        assert world.events[0].figure == 3.0

    carried_out(run())


def test_a_window_without_an_end_lasts_until_the_schedule_is_left() -> None:
    async def run() -> None:
        world = World()
        async with world.schedule(Drop.model_validate({"at": 5})) as schedule:
            await world.turn(10)
            schedule.hold(10 * S, 20 * S)
            await world.turn(35)
            assert world.on == ["drop"]
        assert world.told == [(35, "fault", "drop"), (35, "fault_healed", "drop")]

    carried_out(run())


def test_a_run_that_is_stopped_heals_at_once_and_begins_nothing() -> None:
    async def run() -> None:
        world = World()
        later = Latency.model_validate({"name": "later", "at": 8, "for": 2})
        async with world.schedule(LATENCY, later) as schedule:
            schedule.hold(0, 20 * S)
            await world.turn(3)
            assert world.on == ["latency"]
            await world.stop()
            assert world.on == []
        assert [kind for _, kind, _ in world.told] == ["fault", "fault_healed"]

    carried_out(run())


def test_an_error_of_the_caller_leaves_nothing_on() -> None:
    async def run() -> None:
        world = World()
        try:
            async with world.schedule(DROP, LATENCY) as schedule:
                await schedule.begin()
                schedule.hold(0, 20 * S)
                await world.turn(3)
                assert sorted(world.on) == ["drop", "latency"]
                raise RuntimeError("of the caller's own")
        except RuntimeError:
            pass
        assert world.on == []

    carried_out(run())


def test_faults_of_sessions_have_their_window_and_touch_no_site() -> None:
    async def run() -> None:
        world = World()
        async with world.schedule(Cut(probability=0.1)) as schedule:
            await schedule.begin()
            assert world.told == []
            schedule.hold(0, 20 * S)
            await world.turn(1)
            assert world.on == []
            await world.turn(20)
        assert [(kind, name) for _, kind, name in world.told] == [("fault", "cut"), ("fault_healed", "cut")]

    carried_out(run())


def test_a_fault_that_cannot_be_switched_is_told_of() -> None:
    async def run() -> None:
        world = World(refuses="+latency")
        async with world.schedule(LATENCY) as schedule:
            schedule.hold(0, 20 * S)
            await world.turn(3)
        assert [error.message for error in world.errors] == ["it is gone"]
        assert world.told == []
        world = World(refuses="-drop")
        async with world.schedule(DROP) as schedule:
            await schedule.begin()
        assert [error.message for error in world.errors] == ["it is gone"]
        assert [kind for _, kind, _ in world.told] == ["fault"]

    carried_out(run())
