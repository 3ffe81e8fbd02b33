"""Looks in a thread of their own: in time, one after another, and never with an error."""

from __future__ import annotations

import asyncio
import threading

import pytest

from squall.record.resources import ResourceSample, Role
from squall.sampling import lookout
from squall.sampling.lookout import Lookout


class Stub:
    """A sampler that does what a test wants."""

    source = "target"
    role: Role = "target"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None
        self.news = True
        self.threads: set[str] = set()
        self.closed = False

    def look(self, at_ns: int, _clock_ns: int) -> ResourceSample | None:
        self.threads.add(threading.current_thread().name)
        self.go_on.wait(5)
        if self.error is not None:
            raise self.error
        return ResourceSample(at_ns=at_ns, source="target", role="target", threads=1) if self.news else None

    def close(self) -> None:
        self.closed = True


def times() -> tuple[int, int]:
    return 7, 9


def test_a_look_is_taken_in_a_thread_of_its_own() -> None:
    async def doing() -> None:
        stub = Stub()
        watching = Lookout(stub, times)
        assert await watching.look(5) == ResourceSample(at_ns=7, source="target", role="target", threads=1)
        stub.news = False
        assert await watching.look(5) is None
        await watching.close()
        assert stub.threads == {"squall watch target"}
        assert stub.closed

    asyncio.run(doing())


def test_a_slow_look_fails_and_the_next_waits_for_its_end() -> None:
    async def doing() -> None:
        stub = Stub()
        stub.go_on.clear()
        watching = Lookout(stub, times)
        slow, next_one = await watching.look(0.02), await watching.look(0.02)
        assert slow is not None
        assert next_one is not None
        assert (slow.problem, slow.threads) == ("no answer within 0.02 s", None)
        assert next_one.problem == "the look before it has not ended yet"
        stub.go_on.set()
        found = next_one
        while found is not None and found.problem:
            await asyncio.sleep(0.01)
            found = await watching.look(5)
        assert found is not None
        assert found.threads == 1
        await watching.close()

    asyncio.run(doing())


def test_an_error_is_a_problem_without_its_words() -> None:
    async def doing() -> None:
        stub = Stub()
        stub.error = KeyError("s3cret")
        watching = Lookout(stub, times)
        found = await watching.look(5)
        assert found is not None
        assert found.problem == "the look failed: KeyError"
        await watching.close()

    asyncio.run(doing())


def test_a_sampler_that_hangs_does_not_keep_its_lookout_from_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "CLOSE_WAIT_S", 0.1)

    async def doing() -> None:
        stub = Stub()
        stub.go_on.clear()
        watching = Lookout(stub, times)
        await watching.look(0.01)
        async with asyncio.timeout(3):
            await watching.close()
        stub.go_on.set()

    asyncio.run(doing())
