"""The bytes that the connections of a worker have together not sent yet, and how many those may be.

All lanes of a worker share one: the limit is on what this process keeps, whatever population it belongs to.
"""

from __future__ import annotations

import cython

__all__ = ["Backlog"]


@cython.cclass
class Backlog:
    """`unsent` bytes now, each session's share entered by itself; more than `unsent_max` block whoever has some."""

    def __init__(self, unsent_max: int) -> None:
        self.unsent_max = unsent_max
        self.unsent = 0
