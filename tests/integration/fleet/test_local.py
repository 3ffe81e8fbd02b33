"""Workers as processes: they start, they end with whoever started them, and their deaths are explained."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from squall.engine.base import PROTOCOL_VERSION, Done, End, Failed, Hello, Welcome, WorkerChannel
from squall.errors import ExitCode, FleetError
from squall.fleet import local
from squall.fleet.inline import InlineFleet
from squall.fleet.local import STDERR_KEPT, LocalFleet, LocalWorker
from squall.scenario.codec import to_bytes
from squall.scenario.loader import load_scenario

SCENARIO = load_scenario({"target": "ws://127.0.0.1:1/"}).scenario


def welcome(worker: int = 0, scenario: bytes | None = None) -> Welcome:
    content = to_bytes(SCENARIO) if scenario is None else scenario
    return Welcome(version=PROTOCOL_VERSION, worker=worker, workers=2, run_number=5, scenario=content)


def with_workers(count: int, body: Callable[[list[LocalWorker]], Awaitable[None]]) -> None:
    async def both() -> None:
        channels = await LocalFleet(count).start()
        try:
            await body(channels)
        finally:
            for channel in channels:
                channel.kill()
                await channel.close()
        assert not any(psutil.pid_exists(channel.pid) for channel in channels)

    asyncio.run(asyncio.wait_for(both(), 60))


def test_workers_say_hello_and_leave_when_told() -> None:
    async def body(channels: list[LocalWorker]) -> None:
        for channel in channels:
            hello = await channel.receive()
            assert isinstance(hello, Hello)
            assert hello.pid == channel.pid
            assert abs(hello.monotonic_ns - time.monotonic_ns()) < 60 * 10**9
            assert channel.last_words() == ""
            await channel.send(welcome(channel.worker))
            await channel.send(End())
            assert await channel.receive() == Done(resources_left=0)
            assert await channel.receive() is None
            await channel.close()
            assert channel.last_words() == f"process {channel.pid} ended with exit code 0"

    with_workers(2, body)


def test_a_worker_is_in_a_session_of_its_own_and_ignores_what_a_terminal_sends() -> None:
    async def body(channels: list[LocalWorker]) -> None:
        [channel] = channels
        await channel.receive()
        assert os.getsid(channel.pid) == channel.pid
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(channel.pid, number)
        await channel.send(welcome())
        await channel.send(End())
        assert await channel.receive() == Done(resources_left=0)

    with_workers(1, body)


def test_a_killed_worker_is_noticed_at_once_and_its_signal_named() -> None:
    async def body(channels: list[LocalWorker]) -> None:
        [channel] = channels
        await channel.receive()
        os.kill(channel.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            assert await channel.receive() is None
        await channel.close()
        assert channel.last_words() == f"process {channel.pid} was ended by SIGKILL"

    with_workers(1, body)


def test_a_worker_whose_channel_ends_leaves_by_itself() -> None:
    async def body(channels: list[LocalWorker]) -> None:
        [channel] = channels
        await channel.receive()
        await channel.close()
        assert channel.last_words() == f"process {channel.pid} ended with exit code 0"

    with_workers(1, body)


def test_a_mistake_in_the_scenario_comes_back_with_its_exit_code() -> None:
    async def body(channels: list[LocalWorker]) -> None:
        [channel] = channels
        await channel.receive()
        await channel.send(welcome(scenario=b"{}"))
        failed = await channel.receive()
        assert isinstance(failed, Failed)
        assert failed.exit_code == ExitCode.SCENARIO
        await channel.close()
        assert f"ended with exit code {ExitCode.SCENARIO:d}" in channel.last_words()

    with_workers(1, body)


def test_the_last_of_what_a_worker_wrote_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = "import sys; sys.stderr.write('x' * 1_000_000 + 'the end'); sys.exit(3)"
    monkeypatch.setattr(local, "_command", lambda _fd: [sys.executable, "-c", talk])

    async def body(channels: list[LocalWorker]) -> None:
        [channel] = channels
        async with asyncio.timeout(10):
            assert await channel.receive() is None
        await channel.close()
        words = channel.last_words()
        assert words.startswith(f"process {channel.pid} ended with exit code 3; it wrote:\nx")
        assert words.endswith("the end")
        assert len(words) < STDERR_KEPT + 200

    with_workers(1, body)


def test_a_stuck_worker_is_killed_when_its_channel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_command", lambda _fd: [sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(local, "EXIT_GRACE_S", 0.2)

    async def body(channels: list[LocalWorker]) -> None:
        await channels[0].close()
        assert "SIGKILL" in channels[0].last_words()

    with_workers(1, body)


def test_a_worker_that_cannot_be_started_leaves_no_other_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls, pids = local._command, [], []

    def command(fd: int) -> list[str]:
        calls.append(fd)
        return real(fd) if len(calls) < 3 else ["/nonexistent/python"]

    made = LocalWorker.__init__

    def note(self: LocalWorker, *arguments: object) -> None:
        made(self, *arguments)  # type: ignore[arg-type]  # whatever the test gives
        pids.append(self.pid)

    monkeypatch.setattr(local, "_command", command)
    monkeypatch.setattr(LocalWorker, "__init__", note)
    with pytest.raises(FleetError, match="worker process 2 could not be started"):
        asyncio.run(LocalFleet(3).start())
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


HOLDER = """
import asyncio
from squall.fleet.local import LocalFleet

async def main():
    channels = await LocalFleet(2).start()
    for channel in channels:
        await channel.receive()
    print(*[channel.pid for channel in channels], flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_workers_end_within_five_seconds_of_a_coordinator_that_was_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert holder.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in holder.stdout.readline().split()]
        assert len(workers) == 2
        holder.send_signal(signal.SIGKILL)
        gone, alive = psutil.wait_procs(workers, timeout=5)
        assert (len(gone), alive) == (2, [])
    finally:
        holder.kill()
        holder.communicate()


def test_a_worker_in_this_process_behaves_like_any_other() -> None:
    async def both() -> None:
        channels: list[WorkerChannel] = list(await InlineFleet(2).start())
        first, second = channels
        for channel in channels:
            hello = await channel.receive()
            assert isinstance(hello, Hello)
            assert hello.pid == os.getpid()
            assert channel.last_words() == ""
        await first.send(welcome())
        await first.send(End())
        assert await first.receive() == Done(resources_left=0)
        assert await first.receive() is None
        await first.close()
        assert first.last_words() == "ended with exit code 0"
        second.kill()
        assert await second.receive() is None
        await second.close()
        assert second.last_words() == "was cancelled"

    asyncio.run(asyncio.wait_for(both(), 20))
