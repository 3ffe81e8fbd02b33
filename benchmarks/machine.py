"""The machine that a bench ran on, and how much of it others used meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import time
from importlib.metadata import version
from pathlib import Path

import psutil

from squall import _native

__all__ = ["OthersMeter", "facts"]

LIBRARIES = ("picows", "uvloop", "aiofastnet")


def facts() -> list[str]:
    """What a reader must know to compare figures with another machine's; a line each."""
    reason = _native.reason_for_sources()
    memory_gb = psutil.virtual_memory().total / 1e9
    return [
        f"{len(os.sched_getaffinity(0))} cores, {_processor()}",
        f"{memory_gb:.0f} GB of memory",
        f"{platform.system()} {platform.release()}, {platform.machine()}",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        f"squall's hot path: {'compiled' if not reason else f'sources ({reason})'}",
    ]


class OthersMeter:
    """How much of the machine others use from now on.

    That is what all cores did, less what this process and those of its children did that have ended and were
    waited for. Time that the host took away counts as others'.
    """

    def __init__(self) -> None:
        self._begun = self._reading()

    def share(self) -> float:
        """The share of all cores in use by others until now, 0 to 1."""
        began_s, busy_before_s, ours_before_s = self._begun
        now_s, busy_s, ours_s = self._reading()
        others_s = (busy_s - busy_before_s) - (ours_s - ours_before_s)
        return max(0.0, others_s / ((now_s - began_s) * (psutil.cpu_count() or 1)))

    @staticmethod
    def _reading() -> tuple[float, float, float]:
        """The time, the busy seconds of all cores, and our own; in seconds."""
        cores = psutil.cpu_times()
        busy_s = sum(cores) - cores.idle - cores.iowait - cores.guest - cores.guest_nice
        mine, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        ours_s = mine.ru_utime + mine.ru_stime + ended.ru_utime + ended.ru_stime
        return time.monotonic(), busy_s, ours_s


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "a processor that the system does not name"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "a processor that the system does not name"
