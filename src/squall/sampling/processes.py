"""What the system tells of single processes: parent, start, processor time, memory, threads, descriptors.

Linux tells all of it in a few small files; elsewhere psutil is asked. A process that is gone is None. Processor
time of a process is that of its living and ended threads, to the nanosecond where the system has a clock for it.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Final, NamedTuple

import psutil

from squall.clock import RealClock

__all__ = [
    "ON_LINUX",
    "Process",
    "descriptors_of",
    "parent_of",
    "read_process",
    "started_now",
    "thread_times",
]

ON_LINUX: Final = sys.platform == "linux"
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
    return _from_proc(pid) if ON_LINUX else _from_psutil(pid)


def started_now() -> float:
    """What `started` would be of a process that began now."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if ON_LINUX else RealClock().wall_ns() / 1e9


def parent_of(pid: int) -> int | None:
    """The parent of a process; None where there is none such, or none that may be seen."""
    if not ON_LINUX:
        process = _from_psutil(pid)
        return None if process is None else process.parent
    fields = _fields(_read(f"/proc/{pid}/stat"), at_most=2)
    return int(fields[1]) if len(fields) > 2 else None


def thread_times(pid: int) -> dict[int, int]:
    """Processor time of each living thread in ns, by its number; empty where it cannot be seen."""
    if not ON_LINUX:
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
    if not ON_LINUX:
        return _descriptors_from_psutil(pid)
    folder = f"/proc/{pid}/fd"
    try:
        # Linux 6.2 and later say it as the folder's size; before, its entries have to be counted.
        return os.stat(folder).st_size or len(os.listdir(folder))
    except OSError:
        return None


def _from_proc(pid: int) -> Process | None:
    fields = _fields(_read(f"/proc/{pid}/stat"))
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
    fields = _fields(_read(f"{folder}/stat"))
    return (int(fields[11]) + int(fields[12])) * _TICK_NS if len(fields) > 12 else None


def _fields(stat: bytes, at_most: int = -1) -> list[bytes]:
    """What stands behind the name, which is in parentheses and may hold anything, parentheses too."""
    return stat[stat.rfind(b")") + 2 :].split(maxsplit=at_most)


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


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
