"""Whether connections of a run are still there after it, where the target is on this machine.

Once every worker is gone, a connection can only be left at the target's end: in CLOSE_WAIT, closed by us and
not by the target. The system tells them by port; one that stood so before the run is not the run's. It tells only
those of its own network namespace: where nothing here listens on a port (a service in a container, a port that is
redirected), none seen is none measured. A redirection past a listener that is here as well it cannot know.
"""

from __future__ import annotations

from collections.abc import Iterable

from squall.sampling.sock_diag import half_closed, listeners

__all__ = ["left_at", "waiting_at", "waiting_before"]


def waiting_before(ports: Iterable[int]) -> frozenset[int] | None:
    """`waiting_at` at the look before a run; None as well where not each of the ports has a listener here."""
    ports = frozenset(ports)
    try:
        here = {listener.port for listener in listeners()}
    except OSError:
        return None
    return waiting_at(ports) if ports and ports <= here else None


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
