"""Backpressure over all connections of a worker: production sessions, each before a peer that takes nothing.

Run by `test_simulated_network.py` with the sources of the hot path, where a session takes a fake transport.
"""

from __future__ import annotations

from typing import Any

import pytest
from picows import WSMsgType

from simulation.sessions_and_network import Clock, Keeper
from squall.engine import connection as connection_module
from squall.engine import session as session_module
from squall.engine.session import Session
from squall.engine.setup import Setup
from squall.scenario.loader import load_scenario

SIZE, TOTAL, WORKERS = 1000, 40_000, 2


class Transport:
    """Keeps what it is given until the peer takes it."""

    is_close_frame_sent = False

    def __init__(self) -> None:
        self.kept = 0
        self.underlying_transport = self

    def send(self, _: WSMsgType, message: bytes) -> None:
        self.kept += len(message)

    def get_write_buffer_size(self) -> int:
        return self.kept


class Peers:
    """Sessions of two populations in one worker, on connections whose peers have stopped reading."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sessions: int) -> None:
        self.clock, self.keeper = Clock(), Keeper()
        for module in (session_module, connection_module):
            monkeypatch.setattr(module, "now_ns", lambda: self.clock.now)
        population = {"traffic": {"rate": "10/s", "payload": [SIZE]}}
        scenario = load_scenario(
            {
                "target": "ws://a/",
                "populations": [{"name": "p", **population}, {"name": "q", **population}],
                "engine": {"send_buffer_max": TOTAL, "send_buffer_total_max": TOTAL},
            }
        ).scenario
        self.setup = Setup(scenario, 0, WORKERS, 1)
        keeper: Any = self.keeper
        self.setup.begin(0, 0, keeper)
        self.sessions = [self.setup.session(number) for number in range(sessions)]
        self.transports = [Transport() for _ in self.sessions]
        for session, transport in zip(self.sessions, self.transports, strict=True):
            session.connected(transport, self.keeper.tallies)  # type: ignore[arg-type]  # a fake one
            session.pause_writing()

    def let_due(self, seconds: int) -> None:
        for _ in range(seconds * 10):
            self.clock.now += 100_000_000
            for session in self.sessions:
                session.on_due(self.clock.now)
        assert not self.keeper.errors

    @property
    def kept(self) -> int:
        return sum(transport.kept for transport in self.transports)

    def take_all(self, session: Session) -> None:
        """The peer of a session reads."""
        transport = self.transports[self.sessions.index(session)]
        transport.kept = 0
        session.resume_writing()


def test_the_populations_of_a_worker_share_its_part_of_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = Peers(monkeypatch, 8)
    assert {session.lane.population for session in peers.sessions} == {0, 1}
    peers.let_due(4)
    share = TOTAL // WORKERS
    # A connection sees what it kept when its next message is due: each may be one message past the limit.
    assert share < peers.kept <= share + len(peers.sessions) * SIZE
    assert peers.setup.backlog.unsent == peers.kept
    assert all(session.held for session in peers.sessions)


def test_what_one_population_gets_rid_of_makes_room_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = Peers(monkeypatch, 2)
    first, second = peers.sessions
    assert first.lane is not second.lane
    peers.let_due(4)
    held = len(second.held or ())
    assert held > 0
    peers.take_all(first)
    second.on_due(peers.clock.now + 100_000_000)
    assert len(second.held or ()) < held


def test_nothing_is_left_of_connections_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = Peers(monkeypatch, 4)
    peers.let_due(4)
    peers.sessions[0].went_down()
    for session in peers.sessions[1:]:
        session.end(True)
    assert peers.setup.backlog.unsent == 0
