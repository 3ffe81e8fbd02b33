"""The sockets towards some ports: counted once while nothing comes or goes, and never another number than there is."""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from squall.sampling import outgoing
from squall.sampling.outgoing import Outgoing
from squall.sampling.sock_diag import End, states_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sockets are told by Linux only")

COUNTERS = """\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs
Tcp: 1 {active} 20 1 2 {now} 999
"""


class Machine:
    """A listener with five connections, and what the machine's counters are said to be."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port: int = self.server.getsockname()[1]
        self.counters = folder / "snmp"
        self.ends = [(self._connect(stack), stack.enter_context(self.server.accept()[0])) for _ in range(5)]
        self.says(active=10, now=10)

    def says(self, *, active: int, now: int) -> None:
        """The counters: sockets opened, and those that are established or half closed."""
        self.counters.write_text(COUNTERS.format(active=active, now=now))

    def _connect(self, stack: ExitStack) -> socket.socket:
        return stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        yield Machine(stack, tmp_path)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the established ones were counted, for each time that the kernel was asked."""
    asked: list[bool] = []

    def noted(ports: Collection[int], end: End, *, established: bool = True) -> dict[str, int]:
        asked.append(established)
        return states_of(ports, end, established=established)

    monkeypatch.setattr(outgoing, "states_of", noted)
    return asked


def test_the_established_are_counted_once_while_nothing_comes_or_goes(
    machine: Machine, whole: list[bool]
) -> None:
    found = Outgoing([machine.port], counters=machine.counters)
    assert [found.states() for _ in range(3)] == [{"established": 5}] * 3
    assert whole == [True, False, False]


def test_nothing_is_asked_where_all_peers_are_here_and_no_socket_is_on_its_way(
    machine: Machine, whole: list[bool]
) -> None:
    found = Outgoing([machine.port], here=True, counters=machine.counters)
    assert [found.states() for _ in range(3)] == [{"established": 5}] * 3
    assert whole == [True]
    machine.ends[0][1].close()
    machine.says(active=10, now=9)
    assert [found.states() for _ in range(2)] == [{"established": 4, "close_wait": 1}] * 2
    machine.ends[0][0].close()
    assert found.states() == {"established": 4}
    assert whole == [True, True, False, False, True]


def test_they_are_counted_again_after_one_came_or_went(machine: Machine, whole: list[bool]) -> None:
    found = Outgoing([machine.port], counters=machine.counters)
    found.states()
    with socket.create_connection(("127.0.0.1", machine.port)):
        machine.says(active=11, now=12)
        assert found.states() == {"established": 6}
    machine.says(active=11, now=10)
    machine.ends[0][1].close()
    machine.ends[0][0].close()
    assert found.states()["established"] == 5 - 1
    assert whole == [True, True, True]


def test_one_that_its_peer_closed_is_seen_although_no_counter_tells(
    machine: Machine, whole: list[bool]
) -> None:
    found = Outgoing([machine.port], counters=machine.counters)
    found.states()
    machine.ends[0][1].close()
    assert found.states() == {"established": 4, "close_wait": 1}
    assert found.states() == {"established": 4, "close_wait": 1}
    assert whole == [True, False, True, False]


def test_nothing_is_remembered_of_a_count_during_which_something_came(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[bool] = []

    def meanwhile(ports: Collection[int], end: End, *, established: bool = True) -> dict[str, int]:
        whole.append(established)
        machine.says(active=10 + len(whole), now=10)
        return states_of(ports, end, established=established)

    monkeypatch.setattr(outgoing, "states_of", meanwhile)
    found = Outgoing([machine.port], counters=machine.counters)
    assert [found.states() for _ in range(3)] == [{"established": 5}] * 3
    assert whole == [True, True, True]


@pytest.mark.parametrize("content", ["", "Tcp: ActiveOpens\nTcp: 1\n", None])
def test_without_counters_all_are_counted_each_time(
    machine: Machine, whole: list[bool], content: str | None
) -> None:
    machine.counters.unlink()
    if content is not None:
        machine.counters.write_text(content)
    found = Outgoing([machine.port], counters=machine.counters)
    assert [found.states() for _ in range(2)] == [{"established": 5}] * 2
    assert whole == [True, True]


@pytest.mark.parametrize("here", [False, True])
def test_the_machine_tells_its_counters(machine: Machine, here: bool) -> None:
    found = Outgoing([machine.port, machine.port, 9], here=here)
    assert found.states() == {"established": 5}
    machine.ends[0][1].close()
    assert found.states() == {"established": 4, "close_wait": 1}
    assert found._read()


def test_no_ports_have_no_sockets(machine: Machine) -> None:
    assert Outgoing([], counters=machine.counters).states() == {}
