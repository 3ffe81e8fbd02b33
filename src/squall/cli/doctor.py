"""`squall doctor`: what this machine is, and what follows from it for a run.

The facts are read in `read_facts`; what is said of them (`doctor_lines`) is pure.
"""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from squall import _native
from squall.cli.state import State
from squall.engine.awake import DEVICE, reason_against
from squall.engine.machine import Machine, this_machine
from squall.engine.preflight import (
    CONNECTION_BYTES,
    CONNECTIONS_PER_WORKER,
    FILES_APART,
    TLS_BYTES,
    WORKER_BYTES,
)
from squall.engine.timer import FdTimer, make_timer
from squall.sampling.sock_diag import listeners
from squall.units import format_count, format_duration, format_size

__all__ = ["Facts", "doctor_lines", "read_facts", "show_doctor"]

_PACKAGES = ("picows", "uvloop", "aiofastnet", "numpy", "msgspec", "pydantic", "cython")
_RAISE_FILES = "ulimit -n, LimitNOFILE= of a service, or /etc/security/limits.conf"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was found. None: the system does not tell."""

    squall: str
    python: str
    system: str
    packages: Mapping[str, str | None]
    """None: not installed."""
    reason_for_sources: str
    machine: Machine
    files_soft: int | None
    cores_all: int
    clock_resolution_s: float
    has_timerfd: bool
    reason_for_sleep: str
    """Why processors cannot be kept awake; empty where they can."""
    tells_sockets: bool


def show_doctor(state: State) -> None:
    """Say all of it."""
    for line in doctor_lines(read_facts()):
        state.say(line)


def read_facts() -> Facts:
    """Look at this machine and this installation."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Facts(
        squall=version("squall"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.release()} ({platform.machine()})",
        packages={name: _version(name) for name in _PACKAGES},
        reason_for_sources=_native.reason_for_sources(),
        machine=this_machine(),
        files_soft=None if soft == resource.RLIM_INFINITY else soft,
        cores_all=os.cpu_count() or 1,
        clock_resolution_s=time.get_clock_info("monotonic").resolution,
        has_timerfd=_has_timerfd(),
        reason_for_sleep=reason_against(),
        tells_sockets=_tells_sockets(),
    )


def doctor_lines(facts: Facts) -> list[str]:
    """The facts in words, and below each what follows from it."""
    return [
        f"squall {facts.squall} · {facts.python} · {facts.system}",
        "  " + " · ".join(f"{name} {found or 'is not installed'}" for name, found in facts.packages.items()),
        *_hot_path(facts),
        *_cores(facts),
        *_files(facts),
        *_ports(facts.machine),
        *_memory(facts.machine),
        *_addresses(facts.machine),
        *_clock(facts),
        *_sleep(facts),
        *_watching(facts),
    ]


def _hot_path(facts: Facts) -> Iterator[str]:
    if not facts.reason_for_sources:
        yield "hot path: compiled"
        return
    yield f"hot path: Python sources ({facts.reason_for_sources})"
    yield "  → several times the processor time for each message; `squall run` works all the same"


def _cores(facts: Facts) -> Iterator[str]:
    cores = facts.machine.cores
    beside = f" of {facts.cores_all}" if facts.cores_all != cores else ""
    yield f"cores: {cores}{beside} may be used"
    local = max(1, cores // 2)
    yield f"  → {_counted(cores, 'worker')} by default, {local} where the target is on this machine"


def _files(facts: Facts) -> Iterator[str]:
    hard = facts.machine.files_max
    soft = "unlimited" if facts.files_soft is None else format_count(facts.files_soft)
    if hard is None:
        yield f"open files of a process: {soft}; workers may raise it without limit"
        yield f"  → at most {format_count(CONNECTIONS_PER_WORKER)} connections per worker, by squall's choice"
        return
    yield f"open files of a process: {soft}; workers raise it to {format_count(hard)}, the hard limit"
    room = max(0, hard - FILES_APART)
    if room < CONNECTIONS_PER_WORKER:
        yield f"  → at most {_counted(room, 'connection')} per worker; more with a higher limit ({_RAISE_FILES})"
    else:
        yield (
            f"  → at most {format_count(room)} connections per worker; squall itself gives a worker no more than"
            f" {format_count(CONNECTIONS_PER_WORKER)} unless told how many workers to use"
        )


def _ports(machine: Machine) -> Iterator[str]:
    if machine.ports is None:
        yield "ephemeral ports: the system does not tell"
        return
    ports = format_count(machine.ports)
    yield f"ephemeral ports: {ports}"
    yield (
        f"  → at most {ports} connections from one source address to one entry point; more with"
        " --source-address, more entry points, or a wider net.ipv4.ip_local_port_range"
    )


def _memory(machine: Machine) -> Iterator[str]:
    if machine.memory_bytes is None:
        yield "memory: the system does not tell"
        return
    yield f"memory: {format_size(machine.memory_bytes)} available"
    room = max(0, machine.memory_bytes - WORKER_BYTES)
    plain, secure = room // CONNECTION_BYTES, room // (CONNECTION_BYTES + TLS_BYTES)
    yield f"  → room for about {_rounded(plain)} connections, {_rounded(secure)} with TLS, at small messages"


def _addresses(machine: Machine) -> Iterator[str]:
    yield f"source addresses: {', '.join(sorted(machine.addresses)) or 'none was found'}"
    yield "  → on loopback, all of 127.0.0.0/8 will do on Linux: --source-address 127.0.0.2"


def _clock(facts: Facts) -> Iterator[str]:
    resolution = format_duration(max(facts.clock_resolution_s, 1e-9))
    timer = "timerfd" if facts.has_timerfd else "the loop's own timer (no timerfd)"
    yield f"clock: monotonic, to {resolution}; the pacer wakes by {timer}"
    if not facts.has_timerfd:
        yield "  → sends are paced to about a millisecond; every run reports its lag"


def _sleep(facts: Facts) -> Iterator[str]:
    if not facts.reason_for_sleep:
        yield f"processors: kept awake while a run lasts ({DEVICE})"
        return
    yield f"processors: may sleep, and wake late ({facts.reason_for_sleep})"
    yield (
        "  → on a virtual machine that can be milliseconds, which count as squall's own lag; root may keep them"
        f" awake, or whoever may write {DEVICE}"
    )


def _watching(facts: Facts) -> Iterator[str]:
    if facts.tells_sockets:
        yield "sockets: told by port; a target on this machine can be watched by --watch-port and --watch-pid"
        return
    yield "sockets: not told by port (sock_diag)"
    yield "  → no --watch-port; --watch-pid without its connections; the rest works all the same"


def _tells_sockets() -> bool:
    try:
        listeners()
    except OSError:
        return False
    return True


def _has_timerfd() -> bool:
    loop = asyncio.new_event_loop()
    try:
        timer = make_timer(loop, _no_wake)
        try:
            return isinstance(timer, FdTimer)
        finally:
            timer.close()
    finally:
        loop.close()


def _no_wake() -> None:
    """The timer is never armed."""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def _counted(count: int, noun: str) -> str:
    return f"{format_count(count)} {noun}{'' if count == 1 else 's'}"


def _rounded(count: int) -> str:
    """To two digits: it is an estimate."""
    return format_count(round(count, 2 - len(str(count))) if count >= 100 else count)
