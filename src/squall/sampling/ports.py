"""Watches whoever listens on a port of this machine, with all that descend from them.

Whose a listening socket is stands in the descriptors of every process: that is looked up once, and again only
when other sockets listen on the port or one of their holders has ended. A holder is known by its number and its
start, since another process may have its number by then. Needs Linux, and the right to look into the processes
(those of the same user, or root).
"""

from __future__ import annotations

from squall.record.resources import ResourceSample, Role
from squall.sampling.family import Family
from squall.sampling.parents import Parents
from squall.sampling.processes import Process
from squall.sampling.sock_diag import Listener, listeners
from squall.sampling.sockets import ServedPorts, holders

__all__ = ["PortSampler"]


class PortSampler:
    """The processes behind one port."""

    role: Role = "target"

    def __init__(self, source: str, port: int) -> None:
        self.source = source
        self._port = port
        self._family = Family()
        self._parents = Parents()
        self._ports = ServedPorts()
        self._inodes: frozenset[int] = frozenset()
        self._holders: dict[int, float | None] = {}

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample:
        """What they use now."""
        problem, figures = "", {}
        members: list[Process] = []
        try:
            found = [each for each in listeners() if each.port == self._port]
            figures = self._ports.look(found, clock_ns) if found else {}
            members = self._members(found)
        except OSError as error:
            problem = f"who listens on port {self._port} is not told: {error.strerror or error}"
        else:
            if not found:
                problem = f"nobody listens on port {self._port} of this machine"
            elif not members:
                problem = f"whoever listens on port {self._port} may not be looked into: run as their user"
        figures |= self._family.look(members, clock_ns)
        return ResourceSample(at_ns=at_ns, source=self.source, role=self.role, problem=problem, **figures)

    def close(self) -> None:
        """Holds nothing."""

    def _members(self, found: list[Listener]) -> list[Process]:
        """The holders of the sockets, and their children."""
        inodes = frozenset(each.inode for each in found)
        members = self._parents.descendants(self._holders)
        if inodes != self._inodes or not self._holders.items() <= _started(members).items():
            pids = holders(inodes)
            members = self._parents.descendants(pids)
            started = _started(members)
            self._inodes, self._holders = inodes, {pid: started.get(pid) for pid in pids}
        return members


def _started(members: list[Process]) -> dict[int, float]:
    return {each.pid: each.started for each in members}
