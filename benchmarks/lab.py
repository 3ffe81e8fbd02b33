"""What the benches share: where they may write, how long they take, and what one found that another needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Lab"]

FAST_RATE_UNKNOWN_HZ = 20_000
"""Messages per second over 100 connections that any machine of use for this carries."""


@dataclass(kw_only=True)
class Lab:
    """One run of the bench."""

    folder: Path
    """Removed at the end."""
    quick: bool
    """Shorter and fewer: to see whether it works, not to be quoted."""
    say: Callable[[str], None]
    """Told what goes on, a line at a time."""
    ends_s: float
    """When the whole bench is to be over, on the monotonic clock."""
    fast_rate_hz: float = FAST_RATE_UNKNOWN_HZ
    """The highest rate over 100 connections at which a run stayed valid, once that is known."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def fresh(self, name: str) -> Path:
        """A path in `folder` that nothing has used."""
        return self.folder / f"{next(self._numbers):03d}-{name}"

    def seconds(self, full: float, quick: float) -> float:
        """How long something takes."""
        return quick if self.quick else full

    @property
    def pairs(self) -> int:
        """How many interleaved pairs a ratio is the median of."""
        return 2 if self.quick else 5
