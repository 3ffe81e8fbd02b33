"""The stability checks of a held level: each interval, three shares, each by its tolerance."""

from __future__ import annotations

import msgspec

__all__ = ["StabilityCheck"]


class StabilityCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check, known one `drain_timeout` after its end. A share is None where there was nothing to share.

    Tolerances are as in the scenario; `held` is how many connections were held at its start.
    """

    phase: int
    index: int
    start_ns: int
    end_ns: int
    held: int
    drops: int
    drop_share: float | None
    drop_tolerance: float
    joined: int = 0
    """Connections established in it."""
    spiked: int
    """Connections with at least one response above the spike bound."""
    spike_share: float | None
    spike_tolerance: float
    sent: int
    undelivered: int
    """Messages due in it without a good copy one `drain_timeout` after its end."""
    failure_share: float | None
    failure_tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every share that could be measured is within its tolerance."""
        return all(
            share is None or share <= tolerance
            for share, tolerance in (
                (self.drop_share, self.drop_tolerance),
                (self.spike_share, self.spike_tolerance),
                (self.failure_share, self.failure_tolerance),
            )
        )
