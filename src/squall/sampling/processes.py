"""What the system tells of single processes: parent, start, processor time, memory, threads, descriptors.

Linux tells all of it in a few small files; elsewhere psutil is asked. A process that is gone is None. Processor
time of a process is that of its living and ended threads, to the nanosecond where the system has a clock for it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

import psutil

from squall.clock import RealClock

__all__ = ["Process", "descendants", "descriptors_of", "read_process", "started_now", "thread_times"]

_ON_LINUX: Final = sys.platform == "linux"
_TICKS_HZ: Final = os.sysconf("SC_CLK_TCK")
_TICK_NS: Final = 1_000_000_000 // _TICKS_HZ
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    """One process at a moment. `started` and `pid` together name it for ever: numbers are used again.

    `started` is in seconds on the clock of `started_now`.
    """

    pid: int
    parent: int
    started: float
    cpu_ns: int
    memory_bytes: int
    threads: int


def read_process(pid: int) -> Process | None:
    """A process as it is now; None where there is none, or none that may be seen."""
    return _from_proc(pid) if _ON_LINUX else _from_psutil(pid)


def started_now() -> float:
    """What `started` would be of a process that began now."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if _ON_LINUX else RealClock().wall_ns() / 1e9


def descendants(roots: Iterable[int]) -> list[Process]:
    """The processes of these numbers, and then all that descend from one of them by living parents."""
    children: dict[int, list[int]] = {}
    for pid in psutil.pids():
        if (parent := _parent_of(pid)) is not None:
            children.setdefault(parent, []).append(pid)
    found: dict[int, Process] = {}
    waiting = list(roots)
    for pid in waiting:  # grows while it is gone through
        if pid not in found and (process := read_process(pid)) is not None:
            found[pid] = process
            waiting += children.get(pid, ())
    return list(found.values())


def thread_times(pid: int) -> dict[int, int]:
    """Processor time of each living thread in ns, by its number; empty where it cannot be seen."""
    if not _ON_LINUX:
        return _threads_from_psutil(pid)
    found = {}
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            spent_ns = _thread_ns(f"/proc/{pid}/task/{thread}")
            if spent_ns is not None:
                found[int(thread)] = spent_ns
    except OSError:
        pass  # the process ended meanwhile
    return found


def descriptors_of(pid: int) -> int | None:
    """How many files and sockets a process has open; None where that may not be seen."""
    if not _ON_LINUX:
        return _descriptors_from_psutil(pid)
    folder = f"/proc/{pid}/fd"
    try:
        # Linux 6.2 and later say it as the folder's size; before, its entries have to be counted.
        return os.stat(folder).st_size or len(os.listdir(folder))
    except OSError:
        return None


def _from_proc(pid: int) -> Process | None:
    content = _read(f"/proc/{pid}/stat")
    # The name stands in parentheses and may hold anything, parentheses too.
    fields = content[content.rfind(b")") + 2 :].split()
    if len(fields) < 22 or fields[0] in (b"Z", b"X"):
        return None
    ticks = int(fields[11]) + int(fields[12])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        started=int(fields[19]) / _TICKS_HZ,
        cpu_ns=_cpu_clock_ns(pid, ticks * _TICK_NS),
        memory_bytes=int(fields[21]) * _PAGE_BYTES,
        threads=int(fields[17]),
    )


def _parent_of(pid: int) -> int | None:
    if not _ON_LINUX:
        process = _from_psutil(pid)
        return None if process is None else process.parent
    content = _read(f"/proc/{pid}/stat")
    fields = content[content.rfind(b")") + 2 :].split(maxsplit=2)
    return int(fields[1]) if len(fields) > 2 else None


def _cpu_clock_ns(pid: int, otherwise_ns: int) -> int:
    """By the process's own clock, whose number follows from the pid (clock_getcpuclockid)."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return otherwise_ns


def _thread_ns(folder: str) -> int | None:
    spent = _read(f"{folder}/schedstat").split()
    if spent:
        return int(spent[0])
    content = _read(f"{folder}/stat")
    fields = content[content.rfind(b")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_NS if len(fields) > 12 else None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(4096)
    except OSError:
        return b""


def _from_psutil(pid: int) -> Process | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return Process(
                pid=pid,
                parent=process.ppid(),
                started=process.create_time(),
                cpu_ns=round((times.user + times.system) * 1e9),
                memory_bytes=process.memory_info().rss,
                threads=process.num_threads(),
            )
    except psutil.Error:
        return None


def _threads_from_psutil(pid: int) -> dict[int, int]:
    try:
        return {
            each.id: round((each.user_time + each.system_time) * 1e9)
            for each in psutil.Process(pid).threads()
        }
    except psutil.Error:
        return {}


def _descriptors_from_psutil(pid: int) -> int | None:
    try:
        return psutil.Process(pid).num_fds()
    except psutil.Error:
        return None
