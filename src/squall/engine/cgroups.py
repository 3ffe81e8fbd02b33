"""The control group of a process, on Linux: what it may use, and how often a quota held it back.

Version 2 and version 1 alike, and the mixture of both. The rule: a limit of a group above holds as well, so
the least one counts; a file that is not there is a limit that is not set. Every call reads anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Cgroup", "Throttling"]

_ROOT: Final = Path("/sys/fs/cgroup")
_PROC: Final = Path("/proc")
_UNLIMITED_BYTES: Final = 1 << 60
"""Version 1 says "no limit" by a number that no machine has."""


class Throttling(NamedTuple):
    """Periods of a quota since the group was made, and those of them in which it was used up."""

    periods: int
    throttled: int


class Cgroup:
    """Where a process is accounted."""

    def __init__(self, pid: int | str = "self", *, root: Path = _ROOT, proc: Path = _PROC) -> None:
        paths = _paths(proc / str(pid) / "cgroup")
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
                limit, used = _number(folder / limit_name), _number(folder / used_name)
                if limit is not None and limit < _UNLIMITED_BYTES:
                    yield limit, used or 0


def _paths(file: Path) -> dict[str, str]:
    """By controller, the group's path; that of version 2 by ""."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        found |= dict.fromkeys(controllers.split(","), path)
    return found


def _folders(root: Path, paths: dict[str, str], controller: str) -> tuple[Path, ...]:
    """The group's own folder and those above it, as far as they can be seen from here."""
    if controller in paths:
        base, path = root / controller, paths[controller]
    elif "" in paths:
        base, path = (root if (root / "cgroup.controllers").exists() else root / "unified"), paths[""]
    else:
        return ()
    own = base / path.strip("/")
    levels = [own, *own.parents]
    return tuple(level for level in levels if level.is_relative_to(base) and level.is_dir())


def _quota(folder: Path) -> float | None:
    text = _text(folder / "cpu.max")
    if text:
        quota, _, period = text.partition(" ")
        return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None
    quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota_us / period_us if quota_us and quota_us > 0 and period_us else None


def _throttling(folder: Path) -> Throttling | None:
    pairs = (line.partition(" ") for line in _text(folder / "cpu.stat").splitlines())
    figures = {name: int(value) for name, _, value in pairs if value.isdecimal()}
    if "nr_periods" not in figures or "nr_throttled" not in figures:
        return None
    return Throttling(figures["nr_periods"], figures["nr_throttled"])


def _number(file: Path) -> int | None:
    try:
        return int(_text(file))
    except ValueError:  # not there, or "max"
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""
