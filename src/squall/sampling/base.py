"""What a kind of sampler is: it takes one look at one source whenever it is asked.

The rule: a look raises nothing that its source can bring about. What could not be measured is None, and the
sample's `problem` says why. A look may block, but not for ever: it runs in a thread of its own
(`squall.sampling.lookout`).
"""

from __future__ import annotations

from typing import Protocol

from squall.record.resources import ResourceSample, Role

__all__ = ["Sampler", "rate_hz"]


class Sampler(Protocol):
    """One source. Called from one thread at a time."""

    source: str
    role: Role

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample | None:
        """Take a look. `at_ns` is the time of the run, `clock_ns` that of the clock, by which rates go.

        None where there is nothing new to tell, and nothing wrong with that.
        """
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


def rate_hz(now: float | None, before: float | None, elapsed_ns: int) -> float | None:
    """What a count grew by in a second; None where it was not known before, or began anew."""
    if now is None or before is None or elapsed_ns <= 0 or now < before:
        return None
    return (now - before) / elapsed_ns * 1e9
