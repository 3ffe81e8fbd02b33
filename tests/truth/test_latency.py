"""Times against a server that stamps what it reads and sends: response from when a message was due, service from its send.

Each message says itself when it was due, and the server's clock is the client's. So no answer can have come sooner than
the server's stamps have it: percentiles are held against those, exactly from below, and from above with room for a
machine that has other things to do.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from oracle.envelope import parse
from oracle.peer import BadServer, Message, Peer
from squall_run import Ran, run_squall

BUCKET = 0.0040
"""A percentile stands for a bucket of its histogram: so far it may be from the value at its rank."""
ROOM_MS = 250.0
"""So much later than the server's stamps has to be enough, on a busy machine too, for all but the highest percentiles."""
RANKS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
RANKS_BOUNDED_ABOVE = ("p50", "p90", "p95")

DELAYS_S = (0.1,) * 7 + (0.4,) * 4 + (1.0,)
"""By message of a connection, over and over: p50, p90 and p95 are one of each, and none is near the next one's rank."""


@dataclass(frozen=True)
class Answer:
    """When a message was due (on the run's clock), when the server had read it, and when it sent it back (on its own)."""

    due_ns: int
    came_ns: int
    left_ns: int


class Answers:
    """All that a server has answered. Times in milliseconds, least first."""

    def __init__(self) -> None:
        self.all: list[Answer] = []
        self.again_ns = 0
        """When the server, after a stall, was about to read on."""

    def note(self, message: Message, came_ns: int) -> None:
        """A message goes back now."""
        envelope = parse(*message)
        assert envelope is not None
        self.all.append(Answer(envelope.intended_ns, came_ns, time.monotonic_ns()))

    def service_ms(self) -> list[float]:
        """The least that each can have taken from its send."""
        return sorted((each.left_ns - each.came_ns) / 1e6 for each in self.all)

    def response_ms(self) -> list[float]:
        """The least that each can have taken from when it was due."""
        start_ns = self.start_ns()
        return sorted((each.left_ns - start_ns - each.due_ns) / 1e6 for each in self.all)

    def start_ns(self) -> int:
        """When the run began on the server's clock, or a little later: no message came before it was due."""
        return min(each.came_ns - each.due_ns for each in self.all)


def delaying(answers: Answers) -> BadServer:
    """Sends each message back after a delay of its own, and reads on meanwhile."""

    async def behave(peer: Peer) -> None:
        def answer(message: Message, came_ns: int) -> None:
            answers.note(message, came_ns)
            peer.send(*message)

        await peer.upgrade()
        for delay_s in cycle(DELAYS_S):
            message = await peer.message()
            asyncio.get_running_loop().call_later(delay_s, answer, message, time.monotonic_ns())

    return BadServer(behave)


def stalling(
    answers: Answers, *, after: int, seconds: float, receive_buffer_bytes: int | None = None
) -> BadServer:
    """Echoes, but after so many messages of a connection reads and sends nothing for a while, once."""

    async def behave(peer: Peer) -> None:
        async def echo() -> None:
            message = await peer.message()
            answers.note(message, time.monotonic_ns())
            peer.send(*message)
            await peer.writer.drain()

        await peer.upgrade()
        for _ in range(after):
            await echo()
        await asyncio.sleep(seconds)
        answers.again_ns = time.monotonic_ns()
        while True:
            await echo()

    return BadServer(behave, receive_buffer_bytes=receive_buffer_bytes)


def run(url: str, folder: Path, *, connections: int, rate: str, hold: str, **more: Any) -> Ran:
    """All that is sent is due in the hold, so that its latency is that of all messages."""
    traffic = {"rate": rate, "during_ramp": False, **more.pop("traffic", {})}
    scenario = {
        "target": url,
        "load": {"connections": connections, "ramp_up": "200ms", "hold": hold, "ramp_down": "0s"},
        "traffic": traffic,
        "delivery": {"integrity": False},
        "engine": {"workers": 1, **more.pop("engine", {})},
        **more,
    }
    ran = run_squall(scenario, folder)
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0
    assert ran.summary is not None
    assert ran.summary["service_unmeasured"] == 0
    return ran


def latency(ran: Ran) -> dict[str, dict[str, float]]:
    assert ran.summary is not None
    return dict(ran.summary["latency"])


def at(values: list[float], share: float) -> float:
    """The nearest rank, as the definition of a percentile has it."""
    return values[math.ceil(share * len(values)) - 1]


def assert_not_below(got: dict[str, float], least_ms: list[float]) -> None:
    """No percentile is lower than the server's stamps let it be."""
    assert got["count"] == len(least_ms)
    for name, share in RANKS.items():
        assert got[name] >= at(least_ms, share) * (1 - BUCKET), name
    assert got["min"] >= least_ms[0]
    assert got["max"] >= least_ms[-1]
    assert got["mean"] >= fmean(least_ms)


def assert_not_above(got: dict[str, float], least_ms: list[float], room_ms: float = ROOM_MS) -> None:
    """Nor much higher."""
    for name in RANKS_BOUNDED_ABOVE:
        assert got[name] <= at(least_ms, RANKS[name]) * (1 + BUCKET) + room_ms, name
    assert got["mean"] <= fmean(least_ms) + room_ms


def assert_parts_add_up(got: dict[str, dict[str, float]]) -> None:
    """The difference of response and service is how late the messages were sent: to the nanosecond, in the mean."""
    assert got["response"]["mean"] - got["service"]["mean"] == pytest.approx(got["lag"]["mean"], abs=1e-6)


def test_percentiles_are_the_delays_of_the_server(tmp_path: Path) -> None:
    answers = Answers()
    with delaying(answers) as server:
        ran = run(server.url, tmp_path, connections=20, rate="4/s", hold="3s")
    delays_ms, got = answers.service_ms(), latency(ran)
    assert [at(delays_ms, share) >= least for share, least in ((0.5, 100), (0.9, 400), (0.95, 1000))] == [
        True
    ] * 3
    assert_not_below(got["service"], delays_ms)
    assert_not_above(got["service"], delays_ms)
    assert_not_below(got["response"], answers.response_ms())
    assert_not_above(got["response"], answers.response_ms())
    assert_parts_add_up(got)


def test_a_stall_is_in_the_response_of_all_that_was_due_meanwhile(tmp_path: Path) -> None:
    """What is small the kernel takes: nothing is held back, so that service has the stall as well."""
    answers = Answers()
    with stalling(answers, after=20, seconds=1.0) as server:
        ran = run(server.url, tmp_path, connections=20, rate="20/s", hold="3s")
    got, least_ms = latency(ran), answers.response_ms()
    assert at(least_ms, 0.9) > 300  # a third of the messages was due while nothing was read
    assert least_ms[-1] >= 900
    assert_not_below(got["response"], least_ms)
    assert_not_above(got["response"], least_ms)
    assert_parts_add_up(got)
    assert got["lag"] == got["pacer_lag"]  # the target held nothing back
    assert got["service"]["max"] > 500


def test_what_a_stall_holds_back_counts_for_response_and_not_for_service(tmp_path: Path) -> None:
    """Large messages, more of them than the kernel and squall's buffer take: the rest is sent late, and says so."""
    size, after, stall_s = 256 << 10, 20, 2.0
    buffer, unsent_max = 128 << 10, 64 << 10
    answers = Answers()
    with stalling(answers, after=after, seconds=stall_s, receive_buffer_bytes=buffer) as server:
        ran = run(
            server.url,
            tmp_path,
            connections=1,
            rate="25/s",
            hold="4s",
            traffic={"payload": [size]},
            engine={"send_buffer_max": unsent_max},
        )
    got = latency(ran)
    assert_not_below(got["response"], answers.response_ms())
    assert_parts_add_up(got)
    # All that can have left squall before the server read again: what both kernels, both buffers and one message hold.
    kernel = int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text(encoding="ascii").split()[2]) + 2 * buffer
    gone = math.ceil((kernel + unsent_max + (512 << 10) + size) / size)
    again_ns = answers.again_ns - answers.start_ns()
    held_ms = [
        (again_ns - each.due_ns) / 1e6 for each in answers.all[after + gone :] if each.due_ns < again_ns
    ]
    assert len(held_ms) > 10, "the kernel takes too much here for this test"
    assert got["lag"]["max"] >= max(held_ms)
    assert got["lag"]["mean"] >= sum(held_ms) / len(answers.all)
    assert got["lag"]["mean"] - got["pacer_lag"]["mean"] > 0
    assert (
        got["lag"]["mean"]
        <= fmean((each.came_ns - answers.start_ns() - each.due_ns) / 1e6 for each in answers.all) + ROOM_MS
    )
