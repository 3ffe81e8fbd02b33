"""The roster with scripted connects: who connects when, who is kept, who is let go, and what is booked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from squall.engine import roster as module
from squall.engine.base import PhaseOrder, ProfileSpec
from squall.engine.check_windows import CheckWindows
from squall.engine.connector import ConnectFailed
from squall.engine.roster import Roster
from squall.engine.session import CLOSING, DOWN, DRAINING, GONE, IDLE, OPEN
from squall.engine.setup import make_book
from squall.engine.ticks import now_ns
from squall.record.outcomes import Trouble
from squall.record.run import Phase, PhaseKind
from squall.scenario.load import Reconnect
from squall.scenario.loader import load_scenario

NEVER = 1 << 62
ENTRY = SimpleNamespace(public="ws://a")


class Transport:
    """A connection that ends when it is told to."""

    def __init__(self) -> None:
        self.underlying_transport = SimpleNamespace(set_write_buffer_limits=lambda high: high)
        self.close_handshake: Any = None
        self.cut = False

    def disconnect(self, _graceful: bool) -> None:
        self.cut = True


class Client:
    """What the roster needs of a session: its states, and nothing of messages."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lane = SimpleNamespace(population=0)
        self.state, self.epoch, self.place, self.attempts = IDLE, -1, 0, 0
        self.leave_ns, self.upgraded_ns = NEVER, 0
        self.started = self.scheduled = self.down_by_tester = self.cut_by_fault = False
        self.silent_from = -1
        self.transport: Transport | None = None
        self.refusal: tuple[int, str] | None = None
        self.attempt: Any = None
        self.keeper: Any = None
        self.settled: list[bool] = []

    def connected(self, transport: Transport, _tallies: object) -> None:
        self.transport, self.state = transport, OPEN
        self.epoch += 1
        if not self.scheduled:
            self.scheduled = True
            self.keeper.ready(self)

    def drain(self) -> None:
        self.state = DRAINING
        self.keeper.drained(self)

    def close(self, _code: int) -> None:
        self.state = CLOSING

    def give_up_held(self) -> None:
        """Nothing is held back here."""

    def went_down(self) -> None:
        self.state, self.transport = DOWN, None

    def settle(self, lived: bool) -> None:
        self.settled.append(lived)

    def end(self, lived: bool) -> None:
        self.settle(lived)
        self.state = GONE

    def come_again(self) -> None:
        self.state, self.scheduled, self.leave_ns, self.transport = IDLE, False, NEVER, None


class Bench:
    """A roster whose connects do what the script says: True is accepted, False is refused, None hangs until `gate`."""

    def __init__(
        self,
        policy: Reconnect,
        *script: bool | None,
        kind: PhaseKind = "sustained",
        brings_new_ones: bool = True,
    ) -> None:
        scenario = load_scenario({"target": "ws://a/"}).scenario
        self.script = list(script)
        self.tried: list[int] = []
        self.enrolled: list[int] = []
        self.forgotten: list[int] = []
        self.errors: list[BaseException] = []
        self.gate = asyncio.Event()
        self.made: list[Client] = []
        self.book = make_book(scenario)
        phase = Phase(
            id=0, name=kind, kind=kind, start_ns=0, end_ns=None, level_start=0, level_end=9, words=""
        )
        spec = ProfileSpec(kind="constant", start=9, target=9, duration_s=9.0)
        self.book.begin(
            PhaseOrder(
                phase=phase,
                profile=spec,
                previous=0,
                connect_rate_max_hz=None,
                sends=True,
                retries=kind == "ramp_up",
            )
        )
        setup: Any = SimpleNamespace(
            connects_in_flight_max=8,
            worker=0,
            workers=1,
            seed=1,
            start_ns=now_ns(),
            reconnect=policy,
            drain_timeout_s=5.0,
            close_timeout_s=5.0,
            checks=CheckWindows(10**9),
            connector=SimpleNamespace(connect=self._connect),
            session=self._session,
            brings_new_ones=brings_new_ones,
            forget=lambda session: self.forgotten.append(session.number),
            attempt=lambda session: SimpleNamespace(
                session=session,
                entry=ENTRY,
                node="",
                begun_ns=0,
                tcp_ns=0,
                secured_ns=0,
                lost=None,
                secure=False,
            ),
        )
        pacer: Any = SimpleNamespace(enrol=lambda session: self.enrolled.append(session.number))
        self.roster: Any = Roster(setup, self.book, pacer, self.errors.append)

    def _session(self, number: int) -> Client:
        client = Client(number)
        client.keeper = self.roster
        self.made.append(client)
        return client

    async def _connect(self, attempt: Any) -> None:
        self.tried.append(attempt.session.number)
        outcome = self.script.pop(0)
        await asyncio.sleep(0)
        if outcome is None:
            await self.gate.wait()
        if outcome is not False:
            self.roster.upgraded(attempt.session, Transport())
        else:
            raise ConnectFailed(Trouble("connect", "refused", "target"))

    def ended(self, number: int) -> None:
        """The connection of a session is over, without a close frame."""
        client = self.roster.sessions[number]
        self.roster.disconnected(client, client.transport)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop run until something holds."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - what it waits for is not told of
                await asyncio.sleep(0.001)

    def counts(self) -> dict[str, int]:
        """What was booked of connections."""
        cells = self.book.take(0)[1]
        names = ("attempted", "established", "failed", "closed", "dropped", "reconnected", "abandoned")
        return {name: total for name in names if (total := sum(getattr(cell, name) for cell in cells))}


def on_the_bench(bench: Callable[[], Bench], act: Callable[[Bench], Awaitable[None]]) -> Bench:
    """Let a roster run while a test acts."""

    async def acted() -> Bench:
        made = bench()
        running = asyncio.ensure_future(made.roster.run())
        try:
            await act(made)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert made.errors == []
        return made

    return asyncio.run(acted())


NO = Reconnect()
AGAIN = Reconnect(after_drop=True, backoff=0.001, backoff_max=0.002)


def test_a_session_comes_when_it_is_wanted_and_goes_by_drain_and_close() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0, 77)
        await bench.until(lambda: bench.roster.held == 1)
        client = bench.roster.sessions[3]
        assert (client.state, client.leave_ns, bench.enrolled) == (OPEN, 77, [3])
        bench.roster.leave(3)
        assert client.state == CLOSING
        bench.ended(3)
        await bench.roster.emptied()
        assert (client.state, client.settled, bench.forgotten) == (GONE, [True], [3])

    bench = on_the_bench(lambda: Bench(NO, True), act)
    assert bench.counts() == {"attempted": 1, "established": 1, "closed": 1}


def test_where_the_level_may_rise_again_who_has_left_goes_on_with_its_stream() -> None:
    async def act(bench: Bench) -> None:
        for visit in range(2):
            bench.roster.want(3, 0)
            await bench.until(lambda: bench.roster.held == 1)
            assert bench.roster.sessions[3].epoch == visit
            bench.roster.leave(3)
            bench.ended(3)
            await bench.roster.emptied()
        assert bench.forgotten == []
        bench.roster.forget_left()
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)

    bench = on_the_bench(lambda: Bench(NO, True, True, True, brings_new_ones=False), act)
    assert (len(bench.made), bench.forgotten) == (2, [3])


def test_how_long_sessions_had_no_connection_is_counted_as_it_passes() -> None:
    async def act(bench: Bench) -> None:
        roster = bench.roster
        roster.want(3, 0)
        assert roster.absences.count == 1
        await bench.until(lambda: roster.held == 1)
        assert (roster.absences.count, roster.absences.take(roster.now_ns()) > 0) == (0, True)
        bench.ended(3)
        assert roster.absences.count == 1
        roster.leave(3)
        assert roster.absences.count == 0
        assert roster.absences.take(roster.now_ns()) > 0

    on_the_bench(lambda: Bench(NO, True), act)


def test_without_a_policy_a_drop_stays_one() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)
        bench.ended(3)
        assert bench.roster.sessions[3].state == DOWN
        bench.roster.leave(3)
        await bench.roster.emptied()

    bench = on_the_bench(lambda: Bench(NO, True), act)
    assert bench.counts() == {"attempted": 1, "established": 1, "dropped": 1, "abandoned": 1}


def test_with_one_it_connects_again_under_the_next_epoch() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)
        bench.ended(3)
        await bench.until(lambda: bench.roster.held == 1)
        assert bench.roster.sessions[3].epoch == 1

    bench = on_the_bench(lambda: Bench(AGAIN, True, False, False, True), act)
    [cell] = [cell for cell in bench.book.take(0)[1] if cell.reconnected]
    assert cell.reconnect is not None
    assert cell.reconnect.count == 1
    assert bench.made == bench.made[:1]
    assert bench.enrolled == [3]


def test_after_so_many_tries_it_gives_up_what_it_owes() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)
        bench.ended(3)
        await bench.until(lambda: bench.made[0].settled != [])

    policy = Reconnect(after_drop=True, backoff=0.001, backoff_max=0.002, attempts_max=2)
    bench = on_the_bench(lambda: Bench(policy, True, False, False), act)
    assert bench.made[0].settled == [False]
    assert bench.counts() == {"attempted": 3, "established": 1, "failed": 2, "dropped": 1, "abandoned": 1}


@pytest.mark.parametrize(
    ("kind", "policy", "tries"),
    [
        ("ramp_up", Reconnect(backoff=0.001, backoff_max=0.001), 2),
        ("sustained", NO, 1),
        ("sustained", AGAIN, 2),
    ],
)
def test_a_failed_connect_is_tried_again_in_the_ramp_or_by_the_policy(
    kind: PhaseKind, policy: Reconnect, tries: int
) -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1 or (tries == 1 and not bench.roster.remaining()))

    assert on_the_bench(lambda: Bench(policy, False, True, kind=kind), act).tried == [3] * tries


def test_one_that_rests_is_kept_and_comes_again_once_it_is_closed() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0, 50)
        await bench.until(lambda: bench.roster.held == 1)
        client = bench.roster.sessions[3]
        bench.roster.rest(3)
        bench.roster.want(3, 0, 90)  # its next visit begins before the one before is closed
        assert client.state == CLOSING
        bench.ended(3)
        await bench.until(lambda: bench.roster.held == 1)
        assert (bench.roster.sessions[3] is client, client.epoch, client.leave_ns) == (True, 1, 90)
        bench.roster.rest(3)
        bench.ended(3)
        assert (client.state, bench.roster.remaining()) == (IDLE, [3])
        bench.roster.leave(3)
        await bench.roster.emptied()

    bench = on_the_bench(lambda: Bench(NO, True, True), act)
    assert bench.enrolled == [3, 3]
    assert bench.counts() == {"attempted": 2, "established": 2, "closed": 2}


def test_a_visit_that_ends_while_it_is_down_is_abandoned_and_the_next_one_comes() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)
        bench.ended(3)
        bench.roster.rest(3)
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)

    slow = Reconnect(after_drop=True, backoff=60, backoff_max=60, jitter="none")
    counts = on_the_bench(lambda: Bench(slow, True, True), act).counts()
    assert counts == {"attempted": 2, "established": 2, "dropped": 1, "abandoned": 1}


def test_a_visit_that_never_connected_leaves_the_stream_for_the_next() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)
        bench.roster.rest(3)
        bench.ended(3)
        bench.roster.want(3, 0)
        await bench.until(lambda: len(bench.tried) == 2 and bench.roster.pending == 0)
        bench.roster.rest(3)
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.roster.held == 1)

    bench = on_the_bench(lambda: Bench(NO, True, False, True), act)
    assert [client.epoch for client in bench.made] == [1]


def test_a_connect_that_hangs_does_not_keep_a_session_that_is_to_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRACE_S", 0.01)

    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.tried == [3])
        bench.roster.leave(3)
        assert bench.roster.remaining() == [3]
        async with asyncio.timeout(5):
            await bench.roster.emptied()

    assert on_the_bench(lambda: Bench(NO, None), act).counts() == {"attempted": 1}


def test_a_connect_that_comes_through_as_its_session_leaves_is_closed_and_counted() -> None:
    async def act(bench: Bench) -> None:
        bench.roster.want(3, 0)
        await bench.until(lambda: bench.tried == [3])
        bench.roster.leave(3)
        bench.gate.set()
        await bench.until(lambda: bench.roster.held == 1)
        bench.ended(3)
        await bench.roster.emptied()

    bench = on_the_bench(lambda: Bench(NO, None), act)
    assert bench.counts() == {"attempted": 1, "established": 1, "closed": 1}


def test_stopped_nobody_new_comes_and_everybody_leaves() -> None:
    async def act(bench: Bench) -> None:
        for number in range(3):
            bench.roster.want(number, 0)
        bench.roster.want(9, NEVER)
        await bench.until(lambda: bench.roster.held == 3)
        bench.roster.rest(2)
        bench.roster.stop()
        assert {client.state for client in bench.made} == {CLOSING}
        for number in range(3):
            bench.ended(number)
        await bench.roster.emptied()

    counts = on_the_bench(lambda: Bench(AGAIN, True, True, True), act).counts()
    assert counts == {"attempted": 3, "established": 3, "closed": 3}
