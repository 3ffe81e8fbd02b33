"""The TCP sockets of some ports as figures: how many are in which state, who waits to be accepted, who was not.

**Bytes** are those of the connections open at the look: what one carried after the look before it was closed is
not in them. **accept_overflows** counts attempts: a client that is turned away and tries again counts again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import psutil

from squall.sampling.base import rate_hz
from squall.sampling.sock_diag import Connections, Listener, connections

__all__ = ["SERVED_PORTS_MAX", "ServedPorts", "holders", "inodes_of", "states_towards"]

SERVED_PORTS_MAX: Final = 64
_SOCKET: Final = re.compile(r"socket:\[(\d+)\]")


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
        now = connections(ports, "local", with_bytes=True)
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
        _, _, there = np.intersect1d(now.cookies, before.cookies, assume_unique=True, return_indices=True)
        sent = int(now.acked.sum()) - int(before.acked[there].sum())
        received = int(now.received.sum()) - int(before.received[there].sum())
        elapsed_ns = clock_ns - self._clock_ns
        return {
            "sent_bytes_hz": rate_hz(sent, 0, elapsed_ns),
            "received_bytes_hz": rate_hz(received, 0, elapsed_ns),
        }


def states_towards(ports: Sequence[int]) -> dict[str, int]:
    """The sockets of this machine that lead to these ports anywhere, by state.

    Raises:
        OSError: the system does not tell its sockets.
    """
    return connections(ports[:SERVED_PORTS_MAX], "remote", with_bytes=False).states


def inodes_of(pids: Iterable[int]) -> set[int]:
    """The sockets that these processes have open. Looks at every descriptor: not for each look."""
    found = set()
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            for name in os.listdir(folder):
                match = _SOCKET.fullmatch(_link(f"{folder}/{name}"))
                if match is not None:
                    found.add(int(match[1]))
        except OSError:
            pass  # gone, or not ours to look into
    return found


def holders(inodes: frozenset[int]) -> list[int]:
    """The processes that have one of these sockets open. Looks at every process: not for each look."""
    return [pid for pid in sorted(psutil.pids()) if inodes & inodes_of([pid])]


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # closed meanwhile
        return ""
