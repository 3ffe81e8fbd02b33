"""Whether connections of a run are still there after it, where the target is on this machine.

Once every worker is gone, a connection can only be left at the target's end: in CLOSE_WAIT, closed by us and
not by the target. The system tells them by port; one that stood so before the run is not the run's.
"""

from __future__ import annotations

from collections.abc import Iterable

from squall.sampling.sock_diag import half_closed

__all__ = ["left_at", "waiting_at"]


def waiting_at(ports: Iterable[int]) -> frozenset[int] | None:
    """The connections to these local ports that only the peer has closed, each by a number of its own.

    None where the system does not tell.
    """
    try:
        return half_closed(sorted(set(ports)))
    except OSError:
        return None


def left_at(before: frozenset[int] | None, after: frozenset[int] | None) -> int | None:
    """How many connections a run left behind; None where that was not measured."""
    return None if before is None or after is None else len(after - before)
