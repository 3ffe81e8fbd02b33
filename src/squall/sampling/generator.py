"""Watches squall itself: the process that coordinates, and its workers. Always, whatever the target.

Other processes that were started from here (a target under test, a command) are not squall's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from squall.record.resources import ResourceSample, Role
from squall.sampling.family import Family
from squall.sampling.outgoing import Outgoing
from squall.sampling.processes import read_process

__all__ = ["GeneratorSampler"]


class GeneratorSampler:
    """This process and the workers.

    Args:
        workers: asked at each look for the workers' processes of this machine.
        ports: those of the target, by which squall's connections are known.
        here: whether the target is on this machine.
    """

    source = "generator"
    role: Role = "generator"

    def __init__(
        self, workers: Callable[[], Sequence[int]], ports: Sequence[int], *, here: bool = False
    ) -> None:
        self._workers = workers
        self._outgoing = Outgoing(ports, here=here)
        self._family = Family()

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample:
        """What squall uses now."""
        pids = dict.fromkeys((os.getpid(), *self._workers()))
        members = [process for pid in pids if (process := read_process(pid)) is not None]
        figures = self._family.look(members, clock_ns)
        problem = ""
        try:
            figures["tcp_states"] = self._outgoing.states()
        except OSError as error:
            problem = f"its sockets are not told: {error.strerror or error}"
        return ResourceSample(at_ns=at_ns, source=self.source, role=self.role, problem=problem, **figures)

    def close(self) -> None:
        """Holds nothing."""
