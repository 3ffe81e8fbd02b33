"""Says before a run what this machine cannot carry, all of it at once, and what to change. Pure.

- **Descriptors**: a worker opens one for each connection, and up to `FILES_APART` for the rest.
- **Ports**: each pair of a source address and a destination has the system's range of ephemeral ports.
- **Memory**: `CONNECTION_BYTES` a connection (more with TLS), `ACCOUNT_BYTES` a publisher and member of a room, and
  `WORKER_BYTES` a worker, as measured.
- **Source addresses** that no socket can be bound to.

It does not look at what other programs use, and does not know how fast the target is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from squall.engine.machine import Machine
from squall.errors import PreflightError
from squall.units import format_count, format_size

__all__ = [
    "ACCOUNT_BYTES",
    "ARRIVAL_BYTES",
    "CONNECTIONS_PER_WORKER",
    "FILES_APART",
    "MISSING_BYTES",
    "Demand",
    "Destination",
    "Problem",
    "check",
    "choose_workers",
    "is_local",
    "memory_bytes",
    "problems",
    "warnings",
]

CONNECTIONS_PER_WORKER: Final = 15_000
"""More than this and one worker's loop is what a run measures."""

FILES_APART: Final = 200
"""Descriptors of a worker beside its connections: the interpreter's, the loop's, the resolver's."""

CONNECTION_BYTES: Final = 20_000
TLS_BYTES: Final = 60_000
"""What TLS adds to a connection."""
ACCOUNT_BYTES: Final = 750
"""What a publisher owes to one member of its room, while all arrives."""
MISSING_BYTES: Final = 200
"""Each message that is missing in an account or a stream, up to its window."""
ARRIVAL_BYTES: Final = 12
"""Each arrival behind one that is missing whose time a stream keeps, up to `squall.delivery.ledger.HELD_MAX`."""
WORKER_BYTES: Final = 70_000_000
"""A worker before its first connection."""

_LOOPBACK_NAMES: Final = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})


@dataclass(frozen=True)
class Destination:
    """Where an entry point is."""

    host: str
    port: int
    secure: bool


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a plan asks of the machine. `destinations` has one for each entry point, so some may be equal."""

    connections: int
    destinations: tuple[Destination, ...]
    spread: bool
    """Whether connections are spread over the entry points, or may all take one."""
    source_addresses: tuple[str, ...]
    send_buffer_total_max: int
    workers: int | None
    """As asked for; None where squall is to choose."""
    accounts: int = 0
    """Pairs of a publisher and another member of its room, over all rooms."""
    missing_max: int = 0
    """The messages that all of these together remember as missing, at most."""


@dataclass(frozen=True)
class Problem:
    """Something that does not fit, and what would change that."""

    what: str
    change: str


def check(demand: Demand, machine: Machine) -> None:
    """Nothing, if all fits. Raises `PreflightError` with all that does not."""
    found = problems(demand, machine)
    if found:
        many = "this machine cannot carry the plan"
        raise PreflightError(
            "\n".join([f"{many}:", *(f"  - {problem.what}" for problem in found)]),
            hint="; ".join(dict.fromkeys(problem.change for problem in found)),
        )


def choose_workers(demand: Demand, machine: Machine) -> int:
    """How many workers: those asked for; else the cores, less the half that a target on this machine needs.

    Never more than connections, and never so few that one has more than `CONNECTIONS_PER_WORKER`.
    """
    if demand.workers is not None:
        return demand.workers
    local = any(is_local(destination.host, machine) for destination in demand.destinations)
    cores = max(1, machine.cores // 2) if local else machine.cores
    least = -(-demand.connections // CONNECTIONS_PER_WORKER)
    return max(1, least, min(cores, demand.connections))


def problems(demand: Demand, machine: Machine) -> list[Problem]:
    """All that does not fit."""
    workers = choose_workers(demand, machine)
    found = [
        _addresses(demand, machine),
        _files(demand, machine, workers),
        _ports(demand, machine),
        _memory(demand, machine, workers),
    ]
    return [problem for problem in found if problem is not None]


def warnings(demand: Demand, machine: Machine) -> list[str]:
    """What fits, and may still make the run suffer."""
    found = []
    workers = choose_workers(demand, machine)
    if workers > machine.cores:
        found.append(f"{workers} workers share {_counted(machine.cores, 'core')}: messages may be sent late")
    need = memory_bytes(demand, workers)
    if (
        machine.memory_bytes is not None
        and need <= machine.memory_bytes < need + demand.send_buffer_total_max
    ):
        found.append(
            f"where the target stops reading, squall keeps up to {format_size(demand.send_buffer_total_max)}"
            f" (engine.send_buffer_total_max); only {format_size(machine.memory_bytes - need)} would be left"
        )
    return found


def memory_bytes(demand: Demand, workers: int) -> int:
    """What all workers take at the peak, without what a target leaves unread."""
    secure = sum(destination.secure for destination in demand.destinations)
    tls = TLS_BYTES * secure // max(1, len(demand.destinations))
    connections = demand.connections * (CONNECTION_BYTES + tls)
    return workers * WORKER_BYTES + connections + demand.accounts * ACCOUNT_BYTES


def is_local(host: str, machine: Machine) -> bool:
    """Whether a host is this machine, as far as its name shows."""
    bare = host.strip("[]").lower()
    return bare in _LOOPBACK_NAMES or bare.startswith("127.") or bare == "::1" or bare in machine.addresses


def _addresses(demand: Demand, machine: Machine) -> Problem | None:
    unfit = [address for address in demand.source_addresses if address in machine.unbindable]
    if not unfit:
        return None
    return Problem(
        f"no socket can be bound to the source address {', '.join(unfit)}",
        "leave out of source_addresses what is not an address of this machine, or add it to an interface",
    )


def _files(demand: Demand, machine: Machine, workers: int) -> Problem | None:
    if machine.files_max is None:
        return None
    need = -(-demand.connections // workers) + FILES_APART
    if need <= machine.files_max:
        return None
    room = machine.files_max - FILES_APART
    more = f"{_counted(-(-demand.connections // room), 'worker')} (engine.workers), or " if room > 0 else ""
    return Problem(
        f"each of {_counted(workers, 'worker')} needs {format_count(need)} open files, and a process may have"
        f" {format_count(machine.files_max)}",
        f"{more}a limit of {format_count(need)} open files (ulimit -n)",
    )


def _ports(demand: Demand, machine: Machine) -> Problem | None:
    if machine.ports is None:
        return None
    places = Counter((each.host, each.port) for each in demand.destinations)
    (host, port), share = places.most_common(1)[0]
    to_one = demand.connections
    if demand.spread:
        to_one = -(-demand.connections * share // len(demand.destinations))
    sources = max(1, len(demand.source_addresses))
    if to_one <= machine.ports * sources:
        return None
    wanted = -(-to_one // machine.ports)
    if is_local(host, machine) and ":" not in host:
        listed = ", ".join(f"127.0.0.{number}" for number in range(2, min(wanted, 5) + 2))
        change = f"source_addresses: {listed}{', …' if wanted > 5 else ''}"
    else:
        change = f"source_addresses: {wanted} addresses of this machine"
    return Problem(
        f"{format_count(to_one)} connections to {host}:{port} need a port each, and"
        f" {_counted(sources, 'source address')} {'has' if sources == 1 else 'have'}"
        f" {format_count(machine.ports * sources)}",
        f"{change} ({wanted} of them), or a wider net.ipv4.ip_local_port_range",
    )


def _memory(demand: Demand, machine: Machine, workers: int) -> Problem | None:
    need = memory_bytes(demand, workers)
    if machine.memory_bytes is None or need <= machine.memory_bytes:
        return None
    return Problem(
        f"{format_count(demand.connections)} connections take about {format_size(need)} of memory, and"
        f" {format_size(machine.memory_bytes)} is available",
        "fewer connections, or more memory",
    )


def _counted(count: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{format_count(count)} {noun if count == 1 else plural}"
