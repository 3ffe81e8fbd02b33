"""What a run's header says of where it took place: versions, machine, limits. Reads, changes nothing."""

from __future__ import annotations

import platform
import resource
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from squall._native import reason_for_sources
from squall.engine.machine import Machine
from squall.seeds import mix64

__all__ = ["run_number_of", "squall_version", "surroundings"]

_PACKAGES = ("picows", "uvloop", "aiofastnet", "msgspec", "numpy", "xxhash")


def surroundings(machine: Machine, workers: int, processors: str) -> dict[str, Any]:
    """The environment of a run, as plain data; `processors` says whether they may sleep."""
    reason = reason_for_sources()
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "squall": squall_version(),
        **{name: _version_of(name) for name in _PACKAGES},
        "hot_path": f"sources: {reason}" if reason else "compiled",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": machine.cores,
        "processors": processors,
        "workers": workers,
        "memory_available_bytes": machine.memory_bytes,
        "files_max": list(resource.getrlimit(resource.RLIMIT_NOFILE)),
        "processes_max": list(resource.getrlimit(resource.RLIMIT_NPROC)),
        "ports": machine.ports,
        "clock": "CLOCK_MONOTONIC",
        "clock_resolution_ns": round(time.get_clock_info("monotonic").resolution * 1e9),
    }


def squall_version() -> str:
    """The version of the squall that is installed; "unknown" where it runs without having been."""
    return _version_of("squall")


def run_number_of(wall_ns: int, pid: int) -> int:
    """The 32 bits by which messages of this run are told from those of any other. Never 0."""
    return int(mix64(wall_ns ^ (pid << 40)) & 0xFFFFFFFF) or 1


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
