"""The switch: once gracefully, twice at once, also when thrown before there was a run."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from squall.runner.stopping import StopSwitch, stopped_by_signals


class Told:
    """A run that notes what it is told."""

    def __init__(self) -> None:
        self.by: list[str] = []

    def stop(self, reason: str) -> None:
        self.by.append(f"stop: {reason}")

    def kill(self, reason: str) -> None:
        self.by.append(f"kill: {reason}")


def test_once_is_graceful_and_twice_at_once() -> None:
    switch, told = StopSwitch(), Told()
    switch.bind(told.stop, told.kill)
    assert told.by == []
    switch.throw()
    assert told.by == ["stop: interrupted"]
    switch.throw()
    assert told.by == ["stop: interrupted", "kill: interrupted"]
    assert switch.times == 2


@pytest.mark.parametrize(("times", "expected"), [(1, ["stop: interrupted"]), (2, ["kill: interrupted"])])
def test_a_run_is_told_of_what_was_before_it(times: int, expected: list[str]) -> None:
    switch, told = StopSwitch(), Told()
    for _ in range(times):
        switch.throw()
    switch.bind(told.stop, told.kill)
    assert told.by == expected


def test_a_run_that_is_over_is_told_no_more() -> None:
    switch, told = StopSwitch(), Told()
    switch.bind(told.stop, told.kill)
    switch.release()
    switch.throw()
    switch.throw()
    assert told.by == []
    assert switch.times == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_throw_it_and_are_as_before_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    async def both() -> int:
        switch = StopSwitch()
        with stopped_by_signals(switch):
            os.kill(os.getpid(), number)
            for _ in range(100):
                await asyncio.sleep(0.01)
                if switch.times:
                    break
        return switch.times

    # Not by asyncio.run, which has a handler of its own for SIGINT.
    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(both()) == 1
    finally:
        loop.close()
    assert signal.getsignal(number) == before


def test_whoever_waits_hears_of_it_also_when_it_was_before() -> None:
    async def both() -> None:
        switch = StopSwitch()
        await switch.wait(0.001)
        assert not switch.times
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(switch.wait(20))
            await asyncio.sleep(0)
            assert not waiting.done()
            switch.throw()
        await switch.wait(20)

    asyncio.run(both())
