"""Some processes with their children, as one source: what they use together, and what the busiest of them does.

Memory is the sum of their resident memory: pages that they share count in each. Processor time is that of the
processes seen at both looks, and of those that began between them; what one used that ended between two looks
is not in it, nor what an old process used that only just became one of them. The limits are those of the first
process: its cores and quota, its memory limit or the host's memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from squall.engine.cgroups import Cgroup, Throttling
from squall.sampling.processes import Process, descriptors_of, started_now, thread_times

__all__ = ["THREADS_MAX", "Family"]

THREADS_MAX: Final = 2_000
"""With more threads than this, the busiest one is not looked for: it would cost more than it tells."""


_START_GRAIN_S: Final = 0.02
"""The system rounds the start of a process to a hundredth of a second."""


@dataclass(slots=True)
class _Before:
    """The look before."""

    clock_ns: int
    started_now: float
    cpu_ns: dict[tuple[int, float], int] = field(default_factory=dict)
    threads_ns: dict[int, int] = field(default_factory=dict)
    throttling: Throttling | None = None


class Family:
    """Remembers the look before, for the figures that are rates."""

    def __init__(self) -> None:
        self._before: _Before | None = None

    def look(self, members: Sequence[Process], clock_ns: int) -> dict[str, Any]:
        """The figures of these processes, the first of them the one whose limits count; by their names."""
        if not members:
            self._before = None
            return {}
        first = members[0].pid
        cgroup = Cgroup(first)
        now = _Before(
            clock_ns,
            started_now(),
            {(each.pid, each.started): each.cpu_ns for each in members},
            _threads(members),
            cgroup.throttling(),
        )
        before, self._before = self._before, now
        memory_bytes = sum(each.memory_bytes for each in members)
        return {
            "processes": len(members),
            "memory_bytes": memory_bytes,
            "memory_share": memory_bytes / _memory_of(cgroup),
            "descriptors": _sum(descriptors_of(each.pid) for each in members),
            "threads": sum(each.threads for each in members),
            **({} if before is None else _rates(before, now, _cores_of(first, cgroup))),
        }


def _rates(before: _Before, now: _Before, cores: float) -> dict[str, Any]:
    elapsed_ns = now.clock_ns - before.clock_ns
    if elapsed_ns <= 0:
        return {}
    spent = [
        (now_ns - before.cpu_ns.get(key, 0)) / elapsed_ns
        for key, now_ns in now.cpu_ns.items()
        if key in before.cpu_ns or key[1] >= before.started_now - _START_GRAIN_S
    ]
    if not spent:
        return {}
    figures: dict[str, Any] = {
        "cpu_cores": sum(spent),
        "cpu_share": sum(spent) / cores,
        "cpu_process_max_cores": max(spent),
    }
    threads = [
        (spent_ns - before.threads_ns.get(thread, 0)) / elapsed_ns
        for thread, spent_ns in now.threads_ns.items()
        if thread in before.threads_ns or spent_ns <= elapsed_ns  # else an old one that is new to us
    ]
    if threads:
        figures["cpu_thread_max_cores"] = max(threads)
    if before.throttling is not None and now.throttling is not None:
        periods = now.throttling.periods - before.throttling.periods
        throttled = now.throttling.throttled - before.throttling.throttled
        figures["cpu_throttled_share"] = throttled / periods if periods else 0.0
    return figures


def _threads(members: Sequence[Process]) -> dict[int, int]:
    if sum(each.threads for each in members) > THREADS_MAX:
        return {}
    return {thread: spent_ns for each in members for thread, spent_ns in thread_times(each.pid).items()}


def _cores_of(pid: int, cgroup: Cgroup) -> float:
    """The cores that a process may use: those it may run on, or less by its quota."""
    try:
        allowed: float = len(os.sched_getaffinity(pid))
    except (AttributeError, OSError):  # not Linux; or it ended meanwhile
        allowed = os.cpu_count() or 1
    quota = cgroup.cores()
    return allowed if quota is None else min(allowed, quota)


def _memory_of(cgroup: Cgroup) -> int:
    host = int(psutil.virtual_memory().total)
    limit = cgroup.memory_limit()
    return host if limit is None else min(host, limit)


def _sum(values: Any) -> int | None:
    """None where one is not known."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
