"""Whether connections of a run are still there after it, where the target is on this machine.

Once every worker is gone, a connection can only be left at the target's end: in CLOSE_WAIT, closed by us and
not by the target. The socket table of Linux tells them; one that stood so before the run is not the run's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["left_at", "waiting_at"]

_CLOSE_WAIT = "08"
_TABLES = ("tcp", "tcp6")


def waiting_at(
    ports: Iterable[int], *, tables: Path = Path("/proc/net")
) -> frozenset[tuple[str, str]] | None:
    """The connections to these local ports that only the peer has closed, as pairs of addresses.

    None where the system does not tell.
    """
    wanted = {f"{port:04X}" for port in ports}
    found = set()
    for name in _TABLES:
        try:
            lines = (tables / name).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            if name == "tcp":
                return None
            continue  # a machine without IPv6
        for line in lines:
            _, local, remote, state = line.split(maxsplit=4)[:4]
            if state == _CLOSE_WAIT and local.rpartition(":")[2] in wanted:
                found.add((local, remote))
    return frozenset(found)


def left_at(
    before: frozenset[tuple[str, str]] | None, after: frozenset[tuple[str, str]] | None
) -> int | None:
    """How many connections a run left behind; None where that was not measured."""
    return None if before is None or after is None else len(after - before)
