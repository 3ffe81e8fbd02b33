"""The TCP sockets of some ports as figures: how many are in which state, who waits to be accepted, who was not.

**Bytes** are those of the connections open at the look: what one carried after the look before it was closed is
not in them. **accept_overflows** counts attempts: a client that is turned away and tries again counts again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psutil

from squall.sampling.base import rate_hz
from squall.sampling.sock_diag import Connections, Listener, connections

__all__ = ["SERVED_PORTS_MAX", "ServedPorts", "held_of", "holders"]

SERVED_PORTS_MAX: Final = 64


class ServedPorts:
    """Remembers the look before, for what is counted since."""

    def __init__(self) -> None:
        self._dropped: dict[int, int] | None = None
        self._before: Connections | None = None
        self._clock_ns = 0

    def look(self, listening: Sequence[Listener], clock_ns: int) -> dict[str, Any]:
        """The figures of these listening sockets and of the connections to their ports.

        Raises:
            OSError: the system does not tell its sockets.
        """
        ports = sorted({each.port for each in listening})[:SERVED_PORTS_MAX]
        now = connections(ports, "local")
        figures = {
            "tcp_states": now.states,
            "accept_queue": sum(each.queue for each in listening),
            **self._overflows(listening),
            **self._rates(now, clock_ns),
        }
        self._dropped = {each.inode: each.dropped for each in listening}
        self._before, self._clock_ns = now, clock_ns
        return figures

    def _overflows(self, listening: Iterable[Listener]) -> dict[str, int]:
        before = self._dropped
        if before is None:
            return {}
        return {"accept_overflows": sum(each.dropped - before.get(each.inode, 0) for each in listening)}

    def _rates(self, now: Connections, clock_ns: int) -> dict[str, float | None]:
        before = self._before
        if before is None:
            return {}
        there = _places(now.cookies, before.cookies)
        sent = int(now.acked.sum()) - int(before.acked[there].sum())
        received = int(now.received.sum()) - int(before.received[there].sum())
        elapsed_ns = clock_ns - self._clock_ns
        return {
            "sent_bytes_hz": rate_hz(sent, 0, elapsed_ns),
            "received_bytes_hz": rate_hz(received, 0, elapsed_ns),
        }


def _places(now: npt.NDArray[np.uint64], before: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp] | slice:
    """Where in the look before those stand that are still there. The kernel tells the same ones in the same order."""
    if np.array_equal(now, before):
        return slice(None)
    _, _, there = np.intersect1d(now, before, assume_unique=True, return_indices=True)
    return there


def held_of(inodes: Iterable[int], pids: Iterable[int]) -> set[int]:
    """Those of these sockets that these processes have open. Looks at all that they have: not for each look."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    return {wanted[name] for pid in pids for name in _links(pid) if name in wanted}


def holders(inodes: frozenset[int]) -> list[int]:
    """The processes that have one of these sockets open. Looks at every process: not for each look."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return [pid for pid in sorted(psutil.pids()) if any(name in wanted for name in _links(pid))]


def _links(pid: int) -> Iterator[str]:
    """What the descriptors of a process lead to, as far as it is there and may be looked into."""
    try:
        folder = os.open(f"/proc/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return  # gone, or not ours to look into
    try:
        for name in os.listdir(folder):
            try:
                yield os.readlink(name, dir_fd=folder)
            except OSError:
                pass  # closed meanwhile
    except OSError:
        pass  # it has ended
    finally:
        os.close(folder)
