"""Processes and ports, watched: what is planted is found, with its size, and nothing where nothing is."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import psutil
import pytest

from squall.record.resources import ResourceSample
from squall.sampling import pids, ports, processes
from squall.sampling.family import Family
from squall.sampling.generator import GeneratorSampler
from squall.sampling.host import HostSampler
from squall.sampling.parents import Parents
from squall.sampling.pids import PidSampler
from squall.sampling.ports import PortSampler
from squall.sampling.processes import Process, descriptors_of, read_process, thread_times
from squall.sampling.sockets import holders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sockets are told by Linux only")

MB = 1_000_000


class Watched(Protocol):
    pid: int

    def tell(self, words: str) -> str: ...
    def end(self) -> None: ...


class Looks(Protocol):
    def look(self, at_ns: int, clock_ns: int) -> ResourceSample | None: ...


Start = Callable[[], Watched]


def look(sampler: Looks, *, after_s: float = 0.0) -> ResourceSample:
    """One look, some time from now."""
    threading.Event().wait(after_s)
    now_ns = time.monotonic_ns()
    found = sampler.look(now_ns, now_ns)
    assert found is not None
    return found


def spent_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to it"
        threading.Event().wait(0.01)


def test_one_burning_thread_is_found_as_the_busiest(start: Start) -> None:
    burner = start()
    burner.tell("burn")
    sampler = PidSampler("target", burner.pid)
    begun_s, before_s = time.monotonic(), spent_s(burner.pid)
    look(sampler)
    until(lambda: spent_s(burner.pid) - before_s > 0.5)
    found = look(sampler)
    really = (spent_s(burner.pid) - before_s) / (time.monotonic() - begun_s)
    assert found.problem == ""
    assert found.threads == 2
    assert found.cpu_cores is not None
    assert found.cpu_cores == pytest.approx(really, rel=0.15)  # near 1, where the machine has it to give
    assert found.cpu_thread_max_cores == pytest.approx(found.cpu_cores, rel=0.1)
    assert found.cpu_process_max_cores == found.cpu_cores
    assert found.cpu_share == pytest.approx(found.cpu_cores / len(os.sched_getaffinity(burner.pid)))


def test_two_burning_threads_share_what_there_is_and_the_busiest_is_one_of_them(start: Start) -> None:
    burner = start()
    burner.tell("burn")
    burner.tell("burn")
    sampler = PidSampler("target", burner.pid)
    before_s = spent_s(burner.pid)
    look(sampler)
    until(lambda: spent_s(burner.pid) - before_s > 0.5)
    found = look(sampler)
    assert found.cpu_cores is not None
    assert found.cpu_thread_max_cores is not None
    assert found.cpu_thread_max_cores < 0.8 * found.cpu_cores


def test_an_idle_process_is_near_zero(start: Start) -> None:
    sampler = PidSampler("target", start().pid)
    assert look(sampler).cpu_cores is None
    found = look(sampler, after_s=0.3)
    assert found.cpu_cores is not None
    assert found.cpu_cores < 0.02
    assert (found.accept_queue, found.tcp_states) == (0, {})


def test_memory_descriptors_and_children_are_counted(start: Start) -> None:
    watched = start()
    sampler = PidSampler("target", watched.pid)
    before = look(sampler)
    watched.tell(f"allocate {64 * MB}")
    watched.tell("open 40")
    child = int(watched.tell("fork"))
    after = look(sampler)
    assert before.memory_bytes is not None
    assert after.memory_bytes is not None
    assert before.descriptors is not None
    one = read_process(watched.pid)
    assert one is not None
    assert one.memory_bytes - before.memory_bytes == pytest.approx(64 * MB, rel=0.05)
    assert after.memory_share == pytest.approx(after.memory_bytes / psutil.virtual_memory().total, rel=0.01)
    assert (before.processes, after.processes) == (1, 2)
    assert after.descriptors == 2 * (before.descriptors + 40)  # the child has them too
    assert Parents().descendants([watched.pid])[1].pid == child


def test_a_process_that_ends_is_said_and_not_measured(start: Start) -> None:
    watched = start()
    sampler = PidSampler("target", watched.pid)
    look(sampler)
    watched.end()
    found = look(sampler)
    assert found.problem == f"process {watched.pid} has ended"
    assert (found.cpu_cores, found.memory_bytes, found.processes, found.tcp_states) == (None,) * 4


def test_a_number_that_was_given_to_another_is_not_measured(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = start()

    def had_it_before(pid: int) -> Process | None:
        now = processes.read_process(pid)
        return None if now is None else now._replace(started=now.started - 60)

    monkeypatch.setattr(pids, "read_process", had_it_before)
    found = look(PidSampler("target", watched.pid))
    assert found.problem == f"process {watched.pid} has ended, and its number was given to another"
    assert found.memory_bytes is None


def test_a_process_that_never_was_is_said() -> None:
    unused = next(pid for pid in range(4_000_000, 4_100_000) if not psutil.pid_exists(pid))
    assert look(PidSampler("target", unused)).problem == f"there was no process {unused} when the run began"


def test_an_old_process_that_joins_late_does_not_bring_its_past(start: Start) -> None:
    first, joins = start(), start()
    joins.tell("burn")
    until(lambda: (psutil.Process(joins.pid).cpu_times().user) > 0.2)
    family = Family()
    members = [process for pid in (first.pid, joins.pid) if (process := read_process(pid)) is not None]
    family.look(members[:1], time.monotonic_ns())
    found = family.look(members, time.monotonic_ns() + 1_000_000)
    assert found["cpu_cores"] < 10  # 0.2 s of its past in a millisecond would be 200


def test_what_linux_tells_is_what_psutil_tells(start: Start) -> None:
    watched = start()
    watched.tell("burn")
    watched.tell("open 10")
    own, other = read_process(watched.pid), processes._from_psutil(watched.pid)
    assert own is not None
    assert other is not None
    assert (own.parent, own.threads) == (other.parent, other.threads)
    assert own.memory_bytes == pytest.approx(other.memory_bytes, rel=0.05)
    assert descriptors_of(watched.pid) == processes._descriptors_from_psutil(watched.pid)
    assert thread_times(watched.pid).keys() == processes._threads_from_psutil(watched.pid).keys()


def test_whoever_listens_on_a_port_is_found_with_its_connections(start: Start) -> None:
    watched = start()
    port = int(watched.tell("listen 0 10"))
    sampler = PortSampler("target", port)
    look(sampler)
    with (
        socket.create_connection(("127.0.0.1", port)) as waits,
        socket.create_connection(("127.0.0.1", port)),
    ):
        assert look(sampler).accept_queue == 2
        watched.tell("accept")
        waits.sendall(b"x" * 50_000)
        watched.tell("echo 50000")
        found = look(sampler)
        assert found.problem == ""
        assert found.processes == 1
        assert found.accept_queue == 1
        assert found.tcp_states == {"established": 2}
        assert found.received_bytes_hz is not None
        assert found.sent_bytes_hz is not None
        assert found.received_bytes_hz > 0.9 * found.sent_bytes_hz > 0
    by_pid = look(PidSampler("node", watched.pid))
    assert by_pid.accept_queue is not None
    assert sum((by_pid.tcp_states or {}).values()) >= 1


def test_bytes_are_counted_as_they_were_carried(start: Start) -> None:
    watched = start()
    port = int(watched.tell("listen 0 10"))
    sampler = PortSampler("target", port)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        watched.tell("accept")
        first = time.monotonic_ns()
        sampler.look(0, 0)
        connection.sendall(b"x" * 20_000)
        watched.tell("echo 20000")
        assert len(connection.recv(20_000, socket.MSG_WAITALL)) == 20_000
        until(lambda: time.monotonic_ns() - first > 50_000_000)  # the last acknowledgement may be delayed
        found = sampler.look(10**9, 10**9)
    assert found.received_bytes_hz == 20_000
    assert found.sent_bytes_hz == 20_000


def test_connections_that_a_full_queue_turns_away_are_counted(start: Start) -> None:
    watched = start()
    port = int(watched.tell("listen 0 1"))
    sampler, host = PortSampler("target", port), HostSampler()
    look(sampler)
    look(host)
    tried = [socket.socket() for _ in range(6)]
    try:
        for each in tried:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        overflows = 0

        def counted() -> bool:
            nonlocal overflows
            overflows += look(sampler).accept_overflows or 0
            return overflows >= 4  # two fit into a backlog of one

        until(counted)
        found = look(sampler)
        assert found.accept_queue == 2
        everybody = look(host).accept_overflows
        assert everybody is not None
        assert everybody >= 4
    finally:
        for each in tried:
            each.close()


def test_nobody_on_a_port_is_said_and_a_service_that_comes_back_is_found(start: Start) -> None:
    watched = start()
    port = int(watched.tell("listen 0 10"))
    sampler = PortSampler("target", port)
    assert look(sampler).processes == 1
    watched.end()
    gone = look(sampler)
    assert gone.problem == f"nobody listens on port {port} of this machine"
    assert (gone.processes, gone.memory_bytes) == (None, None)
    again = start()
    again.tell(f"listen {port} 10")
    found = look(sampler)
    assert (found.problem, found.processes) == ("", 1)
    assert found.cpu_cores is None  # nothing to compare with yet


def test_whoever_got_the_number_of_one_who_held_a_socket_is_not_measured(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, stranger = start(), start()
    port = int(watched.tell("listen 0 10"))
    sampler = PortSampler("target", port)

    def held_by_two(inodes: frozenset[int]) -> list[int]:
        return [*holders(inodes), stranger.pid]

    descendants = Parents.descendants

    def one_of_them_older(parents: Parents, roots: Iterable[int]) -> list[Process]:
        found = descendants(parents, roots)
        return [each._replace(started=each.started - 60 * (each.pid == stranger.pid)) for each in found]

    with monkeypatch.context() as before:
        before.setattr(ports, "holders", held_by_two)
        before.setattr(Parents, "descendants", one_of_them_older)
        assert look(sampler).processes == 2
        assert look(sampler).processes == 2
    assert look(sampler).processes == 1  # the socket is the same: the other one holds it still


def test_squall_watches_itself_without_what_it_started(start: Start) -> None:
    worker, other = start(), start()
    sampler = GeneratorSampler(lambda: [worker.pid], [9])
    look(sampler)
    found = look(sampler, after_s=0.05)
    assert (found.source, found.role, found.problem) == ("generator", "generator", "")
    assert found.processes == 2
    assert found.cpu_cores is not None
    worker.end()
    assert look(sampler).processes == 1
    assert psutil.pid_exists(other.pid)


def test_the_host_is_told_by_its_counters() -> None:
    sampler = HostSampler()
    first = look(sampler)
    assert (first.cpu_share, first.received_bytes_hz, first.accept_overflows) == (None, None, None)
    found = look(sampler, after_s=0.2)
    assert found.memory_share is not None
    assert 0 < found.memory_share < 1
    assert found.cpu_share is not None
    assert 0 <= found.cpu_share <= 1
    assert found.tcp_states is not None
    assert found.tcp_states.keys() == {"in_use", "orphaned", "time_wait", "open"}
    assert found.accept_overflows is not None


def test_a_host_that_tells_nothing_is_not_measured(tmp_path: Any) -> None:
    sampler = HostSampler(proc=tmp_path)
    found = look(sampler)
    assert (found.tcp_states, found.descriptors, found.threads, found.accept_overflows) == (None,) * 4
