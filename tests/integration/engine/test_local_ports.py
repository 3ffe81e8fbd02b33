"""Parts of the local ports, on real sockets: a connection comes from its part, and from elsewhere where that is full."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest

from integration.engine.kernel import holds_to_parts
from squall.engine.local_ports import LocalPorts, port_range

SOURCE = "127.0.0.77"
"""Nobody else connects from here."""
WIDTH = 4


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two parts of the range of this machine."""
    found = port_range()
    if found is None:
        pytest.skip("this system does not tell its range of ports")
    if not holds_to_parts():
        pytest.skip("this kernel holds no socket to a part of its range (Linux 6.3)")
    first = found[0] + 128
    return first, first + 2 * WIDTH - 1


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def connected(opened: ExitStack, ports: LocalPorts, address: tuple[str, int], there: int = 100) -> int:
    """The local port of one more connection, narrowed first, and widened where that does not do."""
    sock = opened.enter_context(socket.socket())
    sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    sock.bind((SOURCE, 0))
    ports.narrow(sock, there)
    if sock.connect_ex(address) == errno.EADDRNOTAVAIL:
        ports.widen(sock)
        sock.connect(address)
    return int(sock.getsockname()[1])


def test_connections_take_the_parts_in_turn_and_other_ports_once_these_are_full(
    ports: tuple[int, int], opened: ExitStack
) -> None:
    listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
    parts = LocalPorts(ports, width=WIDTH)
    first, last = ports
    taken = [connected(opened, parts, listener.getsockname()) for _ in range(2 * WIDTH)]
    assert sorted(taken) == list(range(first, last + 1))
    in_first = [port < first + WIDTH for port in taken]
    assert all(one != other for one, other in pairwise(in_first))
    further = [connected(opened, parts, listener.getsockname()) for _ in range(3)]
    assert not any(first <= port <= last for port in further)


def test_as_long_as_there_is_room_the_system_chooses(ports: tuple[int, int], opened: ExitStack) -> None:
    listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
    parts = LocalPorts((ports[0], ports[0]), width=1, sharing=1 / 300)
    taken = [connected(opened, parts, listener.getsockname(), there) for there in (0, 99, 100)]
    assert ports[0] not in taken[:2]
    assert taken[2] == ports[0]


def test_a_kernel_that_cannot_is_asked_once_and_the_system_chooses(ports: tuple[int, int]) -> None:
    """What is no socket of the internet cannot be held to a part, as on an older kernel none can."""
    parts = LocalPorts(ports, width=WIDTH)
    with socket.socket(socket.AF_UNIX) as cannot, socket.socket() as could:
        assert not parts.narrow(cannot, 100)
        assert not parts.narrow(could, 100)
        assert LocalPorts(ports, width=WIDTH).narrow(could, 100)


def test_without_a_known_range_ports_are_the_systems(opened: ExitStack) -> None:
    listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
    assert connected(opened, LocalPorts(None), listener.getsockname()) > 0


def test_the_range_is_that_of_the_system() -> None:
    found = port_range()
    assert found is None or 0 < found[0] <= found[1] < 1 << 16
