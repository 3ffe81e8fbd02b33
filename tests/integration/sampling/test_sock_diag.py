"""The kernel's sockets, asked for by port: those there are, in both families, and no others."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from squall.sampling import sock_diag
from squall.sampling.sock_diag import connections, half_closed, listeners, states_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is Linux's")

Held = tuple[int, list[socket.socket]]


@pytest.fixture
def both() -> Iterator[tuple[Held, Held]]:
    """A listener of each family, with five and with three connections."""
    with ExitStack() as stack:

        def serve(family: int, host: str, count: int) -> Held:
            server = stack.enter_context(socket.create_server((host, 0), family=family))
            port = server.getsockname()[1]
            ends = []
            for _ in range(count):
                ends.append(stack.enter_context(socket.create_connection((host, port))))
                ends.append(stack.enter_context(server.accept()[0]))
            return port, ends

        try:
            six = serve(socket.AF_INET6, "::1", 3)
        except OSError:
            pytest.skip("no IPv6 here")
        yield serve(socket.AF_INET, "127.0.0.1", 5), six


def test_connections_are_found_by_either_end(both: tuple[Held, Held]) -> None:
    (four, _), (six, _) = both
    assert states_of([four], "local") == {"established": 5}
    assert states_of([four], "remote") == {"established": 5}
    assert states_of([six], "local") == {"established": 3}
    assert states_of([1, six, 2, four, 3], "remote") == {"established": 8}
    assert states_of([1, 2], "local") == {}
    assert states_of([], "local") == {}
    assert connections([six, four], "local").states == {"established": 8}
    assert connections([], "local").states == {}


def test_states_and_what_was_carried_are_told(both: tuple[Held, Held]) -> None:
    (port, ends), _ = both
    client, server = ends[0], ends[1]
    client.sendall(b"x" * 1000)
    assert len(server.recv(1000, socket.MSG_WAITALL)) == 1000
    ends[2].close()
    found = connections([port], "local")
    assert found.states == {"established": 4, "close_wait": 1}
    assert states_of([port], "local") == found.states
    assert states_of([port], "local", established=False) == {"close_wait": 1}
    assert set(found.cookies.tolist()) > half_closed([port])
    assert len(set(found.cookies.tolist())) == 5
    assert max(found.received.tolist()) == 1000
    assert found.received.sum() <= 1001  # the end of a stream counts as a byte
    ends[3].close()
    assert states_of([port], "remote")["time_wait"] == 1


def test_records_of_several_lengths_are_read_as_those_of_one(
    both: tuple[Held, Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    (port, _), _ = both
    quickly = connections([port], "local")
    monkeypatch.setattr(sock_diag, "_alike", lambda *_: None)
    slowly = connections([port], "local")
    assert slowly.states == quickly.states
    assert np.array_equal(slowly.cookies, quickly.cookies)


@pytest.mark.parametrize("pieces", [1, 8])
def test_what_comes_in_several_pieces_is_told_once(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sock_diag, "_RECEIVE_BYTES", pieces * sock_diag._PIECE_BYTES_MAX)
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = server.getsockname()[1]
        for _ in range(300):  # four hundred bytes each, 32 KiB a piece
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            stack.enter_context(server.accept()[0])
        found = connections([port], "local")
        assert found.states == {"established": 300}
        assert len(set(found.cookies.tolist())) == 300


def test_listeners_have_their_queue_and_backlog() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=7) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            (found,) = [each for each in listeners() if each.port == port]
    assert (found.queue, found.backlog, found.dropped) == (1, 7, 0)
    assert not [each for each in listeners() if each.port == port]


def test_what_the_kernel_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sock_diag, "_TCPDIAG_GETSOCK", 99)
    with pytest.raises(OSError, match="sock_diag"):
        listeners()


def test_what_is_larger_than_there_is_room_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sock_diag, "_RECEIVE_BYTES", 64)
    monkeypatch.setattr(sock_diag, "_PIECE_BYTES_MAX", 64)
    with (
        socket.create_server(("127.0.0.1", 0)),
        pytest.raises(OSError, match="larger pieces"),
    ):
        listeners()
