"""The doctor's words follow from the facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from squall.cli.doctor import Facts, doctor_lines, read_facts
from squall.engine.machine import Machine

FACTS = Facts(
    squall="1.2.3",
    python="CPython 3.11.7",
    system="Linux 6.1 (x86_64)",
    packages={"picows": "2.3.1", "cython": None},
    reason_for_sources="",
    machine=Machine(
        cores=2,
        files_max=20_000,
        ports=28_232,
        memory_bytes=4 << 30,
        addresses=frozenset({"192.0.2.7", "127.0.0.1"}),
    ),
    files_soft=1024,
    cores_all=8,
    clock_resolution_s=1e-9,
    has_timerfd=True,
    reason_for_sleep="",
    tells_sockets=True,
)


def lines(**changes: Any) -> str:
    machine = {key[len("machine_") :]: value for key, value in changes.items() if key.startswith("machine_")}
    rest = {key: value for key, value in changes.items() if not key.startswith("machine_")}
    facts = dataclasses.replace(FACTS, machine=dataclasses.replace(FACTS.machine, **machine), **rest)
    return "\n".join(doctor_lines(facts))


def test_facts_and_what_follows_from_them() -> None:
    text = lines()
    assert "squall 1.2.3 · CPython 3.11.7" in text
    assert "picows 2.3.1 · cython is not installed" in text
    assert "hot path: compiled" in text
    assert (
        "cores: 2 of 8 may be used\n  → 2 workers by default, 1 where the target is on this machine" in text
    )
    assert "open files of a process: 1,024; workers raise it to 20,000" in text
    assert "at most 19,800 connections per worker" in text
    assert "at most 28,232 connections from one source address to one entry point" in text
    assert "memory: 4 GiB available\n  → room for about 210,000 connections, 53,000 with TLS" in text
    assert "source addresses: 127.0.0.1, 192.0.2.7" in text
    assert "clock: monotonic, to 1 ns; the pacer wakes by timerfd" in text


def test_a_low_limit_of_files_says_how_to_raise_it() -> None:
    text = lines(machine_files_max=1024)
    assert "at most 824 connections per worker; more with a higher limit (ulimit -n" in text


def test_fewer_files_than_a_worker_needs_leave_no_connection() -> None:
    assert "at most 0 connections per worker" in lines(machine_files_max=64)


def test_sources_say_why_and_what_that_costs() -> None:
    text = lines(reason_for_sources="SQUALL_PURE is set")
    assert "hot path: Python sources (SQUALL_PURE is set)\n  → several times" in text


def test_what_the_system_does_not_tell_is_said_so() -> None:
    text = lines(machine_files_max=None, files_soft=None, machine_ports=None, machine_memory_bytes=None)
    assert "open files of a process: unlimited" in text
    assert "ephemeral ports: the system does not tell" in text
    assert "memory: the system does not tell" in text


def test_processors_that_may_sleep_are_said_to_wake_late() -> None:
    assert "processors: kept awake while a run lasts (/dev/cpu_dma_latency)" in lines()
    text = lines(reason_for_sleep="/dev/cpu_dma_latency: permission denied")
    assert "processors: may sleep, and wake late (/dev/cpu_dma_latency: permission denied)\n  → on a" in text


def test_without_a_timerfd_it_says_what_that_means() -> None:
    assert "the loop's own timer (no timerfd)\n  → sends are paced to about a millisecond" in lines(
        has_timerfd=False
    )


def test_where_sockets_are_not_told_it_says_what_cannot_be_watched() -> None:
    assert "sockets: told by port" in lines()
    assert "not told by port (sock_diag)\n  → no --watch-port" in lines(tells_sockets=False)


def test_the_facts_of_this_machine_can_be_read() -> None:
    facts = read_facts()
    assert facts.machine.cores >= 1
    assert facts.packages["picows"] is not None
    assert facts.clock_resolution_s > 0


def test_the_command_says_them(squall: Callable[..., Any]) -> None:
    called = squall("doctor")
    assert (called.code, called.err) == (0, "")
    assert "hot path:" in called.out
