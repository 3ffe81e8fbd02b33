"""What a run left behind, at either end: squall's own, counted by its workers, and the target's. Pure.

The rule: the ends are kept apart, because another one has to mend each, and because one may be measured where the
other is not. None is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from squall.metrics.figures import number

__all__ = ["Leftovers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What was still there once all had ended."""

    at_squall: int | None = None
    """Connections, descriptors and tasks of the workers."""
    at_target: int | None = None
    """Connections that we had closed and the target had not, or else descriptors that it had more than before."""

    @property
    def known(self) -> int:
        """How much is known to be left."""
        return (self.at_squall or 0) + (self.at_target or 0)

    @property
    def is_whole(self) -> bool:
        """Whether it was measured at both ends."""
        return self.at_squall is not None and self.at_target is not None

    @property
    def none_left(self) -> bool | None:
        """Whether nothing is left; None where an end was not measured and the other has nothing."""
        if self.known:
            return False
        return True if self.is_whole else None

    def in_words(self) -> str:
        """Both ends in one line."""
        squalls = "not measured" if self.at_squall is None else number(self.at_squall)
        targets = "not measured" if self.at_target is None else number(self.at_target)
        return (
            f"left at squall's end (connections, descriptors, tasks): {squalls};"
            f" at the target's (connections or descriptors): {targets}"
        )
