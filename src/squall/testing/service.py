"""The bundled service for a test, sound or broken: a process of its own on a free port, always stopped.

    with serve(processes=2) as service:                     # or: async with
        connect_to(service.url)
    with broken_server("lose", every=10) as service:        # each tenth message gets no answer
        ...

How it is started and stopped is `squall.runner.bundled`'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from squall.runner.bundled import Service, Start, serve

__all__ = ["Bug", "Service", "Start", "broken_server", "serve"]

Bug = Literal[
    "lose",
    "duplicate",
    "reorder",
    "corrupt",
    "corrupt-header",
    "delay",
    "stall",
    "ack-then-lose",
    "ack-never",
    "cross-deliver",
    "break-causality",
    "ignore-priorities",
    "cut",
    "refuse",
]
"""How a server misbehaves; `squall.reference.bugs` says what each does."""


def broken_server(
    bug: Bug,
    *,
    every: int = 10,
    rate: float | None = None,
    seconds: float | None = None,
    seed: int = 0,
    processes: int = 1,
    wire_log: Path | str | None = None,
) -> Start:
    """The bundled service with a bug, to see that what looks for it finds it. For several: `serve(bugs=…)`.

    Args:
        bug: what goes wrong.
        every: how often: each so many messages (`refuse`: upgrades) of a process, over all connections.
        rate: instead of that, the share that is struck, above 0 and below 1.
        seconds: how long a bug lasts that does; 1 by default.
        seed: what `rate` draws by.
        processes: how many share its port.
        wire_log: a new folder, where each message in and each frame out is logged.

    Raises:
        EnvironmentFailure: on entering: there is no such bug, or it cannot be started.
    """
    often = every if rate is None else rate
    text = f"{bug}:{often}" if seconds is None else f"{bug}:{often}:{seconds}"
    return serve(bugs=[text], bug_seed=seed, processes=processes, name=bug, wire_log=wire_log)
