"""The control group of a process, on Linux: what it may use, and how often a quota held it back.

Version 2 and version 1 alike, and the mixture of both. The rule: a limit of a group above holds as well, so
the least one counts; a file that is not there is a limit that is not set. Every call reads anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Cgroup", "Throttling"]

_ROOT: Final = Path("/sys/fs/cgroup")
_PROC: Final = Path("/proc")
_UNLIMITED_BYTES: Final = 1 << 60
"""Version 1 says "no limit" by a number that no machine has."""
_FILE_BYTES_MAX: Final = 1 << 16
"""None of these files is anywhere near as long."""


class Throttling(NamedTuple):
    """Periods of a quota since the group was made, and those of them in which it was used up."""

    periods: int
    throttled: int


class Cgroup:
    """Where a process is accounted."""

    def __init__(self, pid: int | str = "self", *, root: Path = _ROOT, proc: Path = _PROC) -> None:
        paths = _paths(f"{proc}/{pid}/cgroup")
        self._memory = _folders(root, paths, "memory")
        self._cpu = _folders(root, paths, "cpu")

    def cores(self) -> float | None:
        """How many cores its quota is worth; None where it has none."""
        return min((quota for folder in self._cpu if (quota := _quota(folder)) is not None), default=None)

    def memory_limit(self) -> int | None:
        """Bytes that it may use; None where nothing limits it."""
        return min((limit for limit, _ in self._memories()), default=None)

    def memory_left(self) -> int | None:
        """Bytes that it may use beside those it does; None where nothing limits it."""
        return min((max(0, limit - used) for limit, used in self._memories()), default=None)

    def throttling(self) -> Throttling | None:
        """How often a quota held it back; None where it has none."""
        for folder in self._cpu:
            if _quota(folder) is not None:
                return _throttling(folder)
        return None

    def _memories(self) -> Iterator[tuple[int, int]]:
        for folder in self._memory:
            for limit_name, used_name in (
                ("memory.max", "memory.current"),
                ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            ):
                limit = _number(f"{folder}/{limit_name}")
                if limit is not None and limit < _UNLIMITED_BYTES:
                    yield limit, _number(f"{folder}/{used_name}") or 0


def _paths(file: str) -> dict[str, str]:
    """By controller, the group's path; that of version 2 by ""."""
    found: dict[str, str] = {}
    for line in _text(file).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        found |= dict.fromkeys(controllers.split(","), path)
    return found


def _folders(root: Path, paths: dict[str, str], controller: str) -> tuple[str, ...]:
    """The group's own folder and those above it, as far as they can be seen from here."""
    if controller in paths:
        base, path = f"{root}/{controller}", paths[controller]
    elif "" in paths:
        base, path = (f"{root}" if (root / "cgroup.controllers").exists() else f"{root}/unified"), paths[""]
    else:
        return ()
    names = [name for name in path.split("/") if name]
    levels = ["/".join((base, *names[:depth])) for depth in range(len(names), -1, -1)]
    return tuple(level for level in levels if os.path.isdir(level))


def _quota(folder: str) -> float | None:
    text = _text(f"{folder}/cpu.max")
    if text:
        quota, _, period = text.partition(" ")
        return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None
    quota_us, period_us = _number(f"{folder}/cpu.cfs_quota_us"), _number(f"{folder}/cpu.cfs_period_us")
    return quota_us / period_us if quota_us and quota_us > 0 and period_us else None


def _throttling(folder: str) -> Throttling | None:
    pairs = (line.partition(" ") for line in _text(f"{folder}/cpu.stat").splitlines())
    figures = {name: int(value) for name, _, value in pairs if value.isdecimal()}
    if "nr_periods" not in figures or "nr_throttled" not in figures:
        return None
    return Throttling(figures["nr_periods"], figures["nr_throttled"])


def _number(file: str) -> int | None:
    try:
        return int(_text(file))
    except ValueError:  # not there, or "max"
        return None


def _text(file: str) -> str:
    """Read in one go, since these files are read at each look at a process; empty where there is none."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _FILE_BYTES_MAX).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(descriptor)
