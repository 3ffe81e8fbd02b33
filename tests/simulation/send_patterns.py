"""When a session's messages are due, by pattern: the production session against a model that plans them naively.

Run by `test_simulated_network.py` with the sources of the hot path, where a session takes a fake transport.
"""

from __future__ import annotations

import heapq
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation.sessions_and_network import SIZE, Clock, Frame, Keeper, Transport, lane_of
from squall.delivery.envelope import Codec
from squall.engine import connection as connection_module
from squall.engine import session as session_module
from squall.engine.lane import Lane
from squall.engine.session import Session
from squall.engine.tally import NEVER_NS, Tallies
from squall.profiles.schedule import OnReply, UniformArrivals

TIMEOUT_NS = 1000
LOST = -1

patched = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def intended_of(message: bytes) -> int:
    """The intended time in an envelope."""
    codec = Codec(77, False, (SIZE,), 5)
    assert codec.decode(message, len(message), False) == 0
    return int(codec.intended_ns)


def begun(monkeypatch: pytest.MonkeyPatch, lane: Lane, keeper: Keeper, at_ns: int) -> tuple[Any, ...]:
    """A session that is connected at a time, with what it reads the time from and what it sends to."""
    clock, transport = Clock(at_ns), Transport()
    for module in (session_module, connection_module):
        monkeypatch.setattr(module, "now_ns", lambda: clock.now)
    session = Session(0, 0, lane)
    session.connected(transport, keeper.tallies)
    return session, clock, transport


@patched
@given(
    delays=st.lists(st.integers(1, 3 * TIMEOUT_NS) | st.just(LOST), min_size=1, max_size=30),
    twice=st.booleans(),
    start_ns=st.integers(1, 10_000),
)
def test_a_sequential_session_goes_on_with_the_reply_or_the_time_out(
    monkeypatch: pytest.MonkeyPatch, delays: list[int], twice: bool, start_ns: int
) -> None:
    """Late replies, second copies and lost ones lead to no message of their own."""
    keeper = Keeper()
    lane = lane_of(keeper, (1.0,), arrivals=OnReply(TIMEOUT_NS), messages=len(delays), sequential=True)
    session, clock, transport = begun(monkeypatch, lane, keeper, start_ns)
    expected, due = [], start_ns
    for delay in delays:
        expected.append(due)
        due += TIMEOUT_NS if delay == LOST else min(delay, TIMEOUT_NS)

    replies: list[tuple[int, int, bytes]] = []
    found: list[int] = []
    while session.due_ns < 1 << 62 or replies:
        # A reply that comes in the very moment of the time-out is taken for late by session and model alike.
        if not replies or session.due_ns <= replies[0][0]:
            clock.now = session.due_ns
            session.on_due(clock.now)
        else:
            clock.now, _, message = heapq.heappop(replies)
            session.on_ws_frame(transport, Frame(message))
        for message in transport.sent:
            delay = delays[len(found)]
            found.append(intended_of(message))
            if delay != LOST:
                replies += [(clock.now + delay, len(found), message)] * (2 if twice else 1)
                heapq.heapify(replies)
        transport.sent.clear()
    assert found == expected
    assert not keeper.errors


def test_a_sequential_session_begins_soon_after_a_phase_in_which_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = Keeper()
    loud, keeper.tallies = keeper.tallies, Tallies(0, 0, 0, 0, max_latencies_ns=[NEVER_NS], sends=False)
    keeper.tallies.until_ns = 1_000_000_000
    lane = lane_of(keeper, (1.0,), arrivals=OnReply(5_000_000_000), messages=3, sequential=True)
    session, clock, transport = begun(monkeypatch, lane, keeper, 70_000_000)
    keeper.tallies = loud
    while not transport.sent:
        clock.now = session.due_ns
        session.on_due(clock.now)
    assert 1_000_000_000 <= intended_of(transport.sent[0]) < 1_100_000_000


@patched
@given(size=st.integers(1, 12), messages=st.integers(1, 60), start_ns=st.integers(1, 10_000))
def test_a_burst_is_due_in_one_moment_and_ends_with_the_last_message(
    monkeypatch: pytest.MonkeyPatch, size: int, messages: int, start_ns: int
) -> None:
    keeper, grid = Keeper(), UniformArrivals(TIMEOUT_NS, 5)
    lane = lane_of(keeper, (1.0,), arrivals=grid, messages=messages, burst_size=size)
    session, clock, transport = begun(monkeypatch, lane, keeper, start_ns)
    expected, due = [], grid.due_at_or_after(0, start_ns)
    while len(expected) < messages:
        expected += [due] * min(size, messages - len(expected))
        due += TIMEOUT_NS
    while session.due_ns < 1 << 62:
        clock.now = session.due_ns
        session.on_due(clock.now)
    assert [intended_of(message) for message in transport.sent] == expected
