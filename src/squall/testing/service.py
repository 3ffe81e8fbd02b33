"""The bundled service for a test, sound or broken: a process of its own on a free port, always stopped.

    with serve(processes=2) as service:                     # or: async with
        connect_to(service.url)
    with broken_server("swallows", every=10) as service:    # each tenth message gets no answer
        ...

How it is started and stopped is `squall.runner.bundled`'s.
"""

from __future__ import annotations

from typing import Literal

from squall.runner.bundled import Service, Start, serve

__all__ = ["Bug", "Service", "Start", "broken_server", "serve"]

Bug = Literal["swallows", "duplicates", "corrupts", "reorders", "delays", "cuts", "refuses"]
"""How a server misbehaves each so many messages; `squall.reference.bugs` says what each does."""


def broken_server(bug: Bug, *, every: int = 10, seconds: float | None = None, processes: int = 1) -> Start:
    """The bundled service with a bug, to see that what looks for it finds it.

    Args:
        bug: what goes wrong.
        every: how often: each so many messages (`refuses`: upgrades) of a process, over all connections.
        seconds: how late a delayed answer comes; 1 by default.
        processes: how many share its port.

    Raises:
        EnvironmentFailure: on entering: there is no such bug, or it cannot be started.
    """
    text = f"{bug}:{every}" if seconds is None else f"{bug}:{every}:{seconds}"
    return Start([f"--bug={text}", f"--processes={processes}", f"--name={bug}"])
