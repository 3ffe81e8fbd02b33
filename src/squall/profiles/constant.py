"""The constant profile: one level, at once, for the whole duration."""

from __future__ import annotations

from dataclasses import dataclass

from squall.profiles.base import (
    Levels,
    Shape,
    checked_duration_s,
    checked_level,
    connections_in_words,
    duration_in_words,
)

__all__ = ["Constant"]


@dataclass(frozen=True)
class Constant(Shape):
    """`level` connections from offset 0 on.

    `from_level` is the level that it jumps from (all at once, at offset 0), where that is not its own: with
    it a constant part can follow any other part of a sequence.

    Raises:
        ValueError: a level or the duration is out of range.
    """

    level: int
    duration_s: float = 0.0
    from_level: int | None = None

    def __post_init__(self) -> None:
        checked_level("level", self.level)
        checked_level("from_level", self.start)
        checked_duration_s("duration", self.duration_s)

    @property
    def start(self) -> int:
        """The level that it jumps from; its own where none was named."""
        return self.level if self.from_level is None else self.from_level

    @property
    def end(self) -> int:
        """The level."""
        return self.level

    def describe(self) -> str:
        """The shape in words."""
        jump = "" if self.start == self.level else f", at once from {connections_in_words(self.start)}"
        held = f" for {duration_in_words(self.duration_s)}" if self.duration_s else ""
        return f"constant at {connections_in_words(self.level)}{jump}{held}"

    def _levels(self) -> Levels:
        return Levels([0.0], [self.level], duration_s=self.duration_s)
