"""`squall doctor`: what squall runs on here, and what limits follow from it."""

from __future__ import annotations

import platform
import sys
import time

from squall._native import reason_for_sources
from squall.cli.state import State
from squall.units import format_count, format_size

__all__ = ["show_doctor"]


def show_doctor(state: State) -> None:
    """Print what is here, then what follows."""
    for name, words in [*_software(), *_machine()]:
        state.say(f"{name:<20}{words}")


def _software() -> list[tuple[str, str]]:
    from importlib.metadata import version

    reason = reason_for_sources()
    return [
        ("squall", version("squall")),
        ("hot path", f"Python sources: {reason}" if reason else "compiled"),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
        ("picows, uvloop", f"{version('picows')}, {version('uvloop')}"),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("clock", _clock()),
    ]


def _clock() -> str:
    info = time.get_clock_info("monotonic")
    timer = "timerfd" if sys.platform == "linux" else "the loop's own timer (milliseconds)"
    return f"{info.implementation}, resolution {info.resolution * 1e9:.0f} ns; the pacer wakes by {timer}"


def _machine() -> list[tuple[str, str]]:
    from squall.engine.machine import this_machine
    from squall.engine.preflight import CONNECTIONS_PER_WORKER, FILES_APART

    machine = this_machine()
    found = [("cores", str(machine.cores))]
    if machine.memory_bytes is not None:
        found.append(("memory", format_size(machine.memory_bytes)))
    if machine.files_max is not None:
        room = min(machine.files_max - FILES_APART, CONNECTIONS_PER_WORKER)
        found.append(
            (
                "open files",
                f"{format_count(machine.files_max)} a process: at most {format_count(max(0, room))} "
                "connections a worker",
            )
        )
    if machine.ports is not None:
        found.append(
            (
                "local ports",
                f"{format_count(machine.ports)}: as many connections from one source address to one entry point; "
                "for more give source_addresses",
            )
        )
    return found
