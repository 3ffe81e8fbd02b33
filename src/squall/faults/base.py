"""Where faults of one sort are switched on and off: the port of whatever can do that."""

from __future__ import annotations

from typing import Protocol

from squall.scenario.faults import FaultKind

__all__ = ["FaultSite"]


class FaultSite(Protocol):
    """Something that can break a service, and mend it."""

    async def switch_on(self, fault: FaultKind) -> None:
        """Let a fault begin, now, and go on until it is switched off.

        Raises:
            EnvironmentFailure: it cannot.
        """
        ...

    async def switch_off(self, fault: FaultKind) -> None:
        """End a fault; nothing, where that is not on any more.

        Raises:
            EnvironmentFailure: it cannot be said to be off.
        """
        ...
