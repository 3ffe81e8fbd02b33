"""The sockets of this machine that lead to some ports anywhere, by state: squall's own connections, mostly.

Of 10,000 connections that are held the kernel would tell the same at each look, and that is most of what a look
costs. So the established ones are counted anew only where one may have come or gone. The rule: they are as many as
they were where the machine's counters say that none of its sockets was opened, reset or closed since they were
counted, and as many as then are in each other state: one that a peer elsewhere has closed changes no counter, and
others end by themselves. Where all peers are on this machine and there are none in another state, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from squall.sampling.sock_diag import states_of

__all__ = ["PORTS_MAX", "Outgoing"]

PORTS_MAX: Final = 64
"""Of more ports than this the lowest ones are looked at."""

_COUNTERS: Final = Path("/proc/net/snmp")
_NAMES: Final = ("ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "CurrEstab")

Counters = tuple[int, ...]


class Outgoing:
    """Remembers the last count of all.

    Args:
        ports: to which the sockets lead.
        here: whether whoever listens on them is on this machine.
        counters: the file in which the system tells what its sockets came to.
    """

    def __init__(self, ports: Iterable[int], *, here: bool = False, counters: Path = _COUNTERS) -> None:
        self._ports = sorted(set(ports))[:PORTS_MAX]
        self._here = here
        self._file = counters
        self._counters: Counters = ()
        self._counted: dict[str, int] = {}

    def states(self) -> dict[str, int]:
        """How many are in each state.

        Raises:
            OSError: the system does not tell its sockets.
        """
        before = self._read()
        if before and before == self._counters and self._is_as_it_was(before):
            return self._counted
        counted = states_of(self._ports, "remote")
        self._counted, self._counters = counted, before if before == self._read() else ()
        return counted

    def _is_as_it_was(self, counters: Counters) -> bool:
        were = {state: count for state, count in self._counted.items() if state != "established"}
        if self._here and not were:
            return True
        return states_of(self._ports, "remote", established=False) == were and counters == self._read()

    def _read(self) -> Counters:
        """What changes with any socket that comes or goes; empty where that is not told."""
        try:
            lines = self._file.read_bytes().decode("ascii").splitlines()
        except OSError:
            return ()
        rows = [line.split() for line in lines if line.startswith("Tcp:")]
        if len(rows) != 2:
            return ()
        told = dict(zip(*rows, strict=False))
        return tuple(int(told[name]) for name in _NAMES) if told.keys() >= set(_NAMES) else ()
