"""Connections that only the peer has closed are found, by port."""

from __future__ import annotations

import socket
import sys

import pytest

from squall.runner import leftovers
from squall.runner.leftovers import left_at, waiting_at, waiting_before


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are told by Linux only")
def test_only_closed_connections_to_the_ports_asked_for_are_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port, elsewhere = server.getsockname()[1], other.getsockname()[1]
        before = waiting_before([port])
        assert before == frozenset()
        ends = [(socket.create_connection(("127.0.0.1", port)), server.accept()[0]) for _ in range(3)]
        for ours, _ in ends[:2]:
            ours.close()
        found = waiting_at([port, elsewhere])
        assert left_at(before, found) == 2
        assert waiting_at([elsewhere]) == frozenset()
        ends[0][1].close()
        assert left_at(before, waiting_at([port])) == 1
        for end in (*ends[1], *ends[2]):
            end.close()
        assert waiting_at([port]) == frozenset()


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are told by Linux only")
def test_where_nothing_here_listens_nothing_is_measured() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port, elsewhere = server.getsockname()[1], silent.getsockname()[1]
        assert waiting_before([port]) == frozenset()
        assert waiting_before([elsewhere]) is None
        assert waiting_before([port, elsewhere]) is None


def test_no_port_has_none() -> None:
    assert waiting_at([]) == frozenset()
    assert waiting_before([]) is None


def test_a_system_that_does_not_tell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_ports: object) -> frozenset[int]:
        raise OSError("sock_diag is not there")

    monkeypatch.setattr(leftovers, "half_closed", refuse)
    assert waiting_at([8080]) is None
    monkeypatch.setattr(leftovers, "listeners", lambda: refuse(()))
    assert waiting_before([8080]) is None


def test_what_stood_so_before_the_run_is_not_its_own() -> None:
    assert left_at(frozenset({1}), frozenset({1, 2})) == 1
    assert left_at(frozenset({1}), frozenset()) == 0
    assert left_at(None, frozenset()) is None
    assert left_at(frozenset(), None) is None
