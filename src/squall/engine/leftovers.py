"""What a worker has left open when all of its sessions are gone: descriptors and tasks of its process.

They are counted before the first connect and after the last close; what is more then is left. A loop closes
a descriptor a moment after its transport, so there is some time for that. Only for a process that has nothing
else to do than to be a worker.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

__all__ = ["Leftovers"]

_LOOKS: Final = 20
_PAUSE_S: Final = 0.05
_TABLE: Final = "/dev/fd"


class Leftovers:
    """See the module."""

    def __init__(self) -> None:
        self._descriptors: int | None = None
        self._tasks = 0

    def begin(self, *, besides: asyncio.Future[None]) -> None:
        """From now on; the task `besides` is not to be there any more in the end."""
        self._descriptors = _descriptors()
        self._tasks = len(asyncio.all_tasks() - {besides})

    async def count(self) -> int | None:
        """What is left, once it does not get less any more; None where the system does not tell."""
        for _ in range(_LOOKS):
            descriptors = _descriptors()
            if descriptors is None or self._descriptors is None:
                return None
            left = max(0, descriptors - self._descriptors) + max(0, len(asyncio.all_tasks()) - self._tasks)
            if not left:
                return 0
            await asyncio.sleep(_PAUSE_S)
        return left


def _descriptors() -> int | None:
    """How many descriptors this process has open."""
    try:
        return len(os.listdir(_TABLE))
    except OSError:
        return None
