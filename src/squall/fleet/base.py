"""What a kind of fleet is: it starts workers and hands back a channel to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from squall.engine.base import WorkerChannel

__all__ = ["Fleet"]


class Fleet(Protocol):
    """Starts the workers of one run."""

    async def start(self) -> Sequence[WorkerChannel]:
        """A channel to each worker, by number. Raises `FleetError`, leaving none behind."""
        ...
