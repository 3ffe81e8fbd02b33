"""Watches a process by its number, with all that descend from it.

The process is known by its number and its start: where it ended and the number was given to another, that is
said, and the other is not measured. Its ports are those that it or its children listen on.
"""

from __future__ import annotations

from collections.abc import Sequence

from squall.record.resources import ResourceSample, Role
from squall.sampling.family import Family
from squall.sampling.parents import Parents
from squall.sampling.processes import Process, read_process
from squall.sampling.sock_diag import Listener, listeners
from squall.sampling.sockets import ServedPorts, held_of

__all__ = ["PidSampler"]


class PidSampler:
    """One process and its children."""

    role: Role = "target"

    def __init__(self, source: str, pid: int) -> None:
        self.source = source
        self._pid = pid
        found = read_process(pid)
        self._started = None if found is None else found.started
        self._family = Family()
        self._parents = Parents()
        self._ports = ServedPorts()
        self._seen: set[int] = set()
        self._own: set[int] = set()

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample:
        """What the process and its children use now."""
        members = self._parents.descendants([self._pid])
        problem = self._missing(members)
        figures = self._family.look([] if problem else members, clock_ns)
        if not problem:
            try:
                figures |= self._ports.look(self._listening(members), clock_ns)
            except OSError as error:
                problem = f"its sockets are not told: {error.strerror or error}"
        return ResourceSample(at_ns=at_ns, source=self.source, role=self.role, problem=problem, **figures)

    def close(self) -> None:
        """Holds nothing."""

    def _missing(self, members: Sequence[Process]) -> str:
        """Why the process is not there; empty where it is."""
        if self._started is None:
            return f"there was no process {self._pid} when the run began"
        if not members:
            return f"process {self._pid} has ended"
        if members[0].started != self._started:
            return f"process {self._pid} has ended, and its number was given to another"
        return ""

    def _listening(self, members: Sequence[Process]) -> list[Listener]:
        """The sockets it listens on. Whose they are is looked up only where one listens that did not before."""
        found = listeners()
        inodes = {each.inode for each in found}
        if not inodes <= self._seen:
            self._own = held_of(inodes, (each.pid for each in members))
        self._seen = inodes
        return [each for each in found if each.inode in self._own]
