"""The machine that the load comes from: the limits that decide what it can carry, read once and as they are.

Linux tells all of them; elsewhere a limit that the system does not tell is None, and is not checked.
"""

from __future__ import annotations

import math
import os
import resource
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from squall.engine.cgroups import Cgroup
from squall.engine.local_ports import port_range

__all__ = ["Machine", "this_machine"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a run on this machine has to fit into."""

    cores: int
    """Cores that this process may use, rounded up where a quota gives a part of one."""
    files_max: int | None
    """Descriptors that a process may open: the hard limit, to which workers raise their own."""
    ports: int | None
    """Ephemeral ports for each pair of a source address and a destination."""
    memory_bytes: int | None
    """Memory that is to be had: what the system calls available, or less where a cgroup gives less."""
    addresses: frozenset[str]
    """The addresses of this machine's interfaces."""
    unbindable: frozenset[str] = frozenset()
    """Those of the addresses asked for that no socket can be bound to."""


def this_machine(source_addresses: Iterable[str] = ()) -> Machine:
    """The machine as it is now; tries whether a socket can be bound to each of `source_addresses`."""
    return Machine(
        cores=_cores(),
        files_max=_files_max(),
        ports=_ports(),
        memory_bytes=_memory_bytes(),
        addresses=frozenset(
            each.address.partition("%")[0]
            for interface in psutil.net_if_addrs().values()
            for each in interface
            if each.family in (socket.AF_INET, socket.AF_INET6)
        ),
        unbindable=frozenset(address for address in source_addresses if not _can_bind(address)),
    )


def _cores() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Cgroup().cores()
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def _files_max() -> int | None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if hard == resource.RLIM_INFINITY else hard


def _ports() -> int | None:
    found = port_range()
    return None if found is None else found[1] - found[0] + 1


def _memory_bytes() -> int | None:
    available = int(psutil.virtual_memory().available)
    left = Cgroup().memory_left()
    return available if left is None else min(available, left)


def _can_bind(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            return False
    return True
