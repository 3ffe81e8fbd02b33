"""Addresses as people write them, and sockets that have their port to themselves."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from squall.errors import EnvironmentFailure
from squall.reference.listening import listen, url_host


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "[::1]"),
        ("fe80::1", "[fe80::1]"),
    ],
)
def test_a_host_is_written_as_a_client_here_needs_it(host, written) -> None:
    assert url_host(host) == written


@pytest.mark.parametrize("sockets", [1, 3])
def test_all_sockets_have_one_port_and_nobody_else_gets_it(sockets) -> None:
    with ExitStack() as opened:
        ours = [opened.enter_context(each) for each in listen("127.0.0.1", 0, sockets=sockets)]
        (port,) = {each.getsockname()[1] for each in ours}
        assert len(ours) == sockets
        for wanted in (1, 2):
            with pytest.raises(EnvironmentFailure, match=f"127.0.0.1 port {port}: Address already in use"):
                listen("127.0.0.1", port, sockets=wanted)


def test_a_failure_leaves_no_socket_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFailure):
            listen("127.0.0.1", port)
    for each in listen("127.0.0.1", port):
        each.close()


@pytest.mark.parametrize("host", ["x" * 300, "192.0.2.1", "no colon: here"])
def test_a_host_that_cannot_be_is_the_same_kind_of_failure(host) -> None:
    with pytest.raises(EnvironmentFailure, match=f"cannot listen on {host} port 0: "):
        listen(host, 0)
