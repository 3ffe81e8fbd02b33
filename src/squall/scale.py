"""How large a test is to be: sizes and durations go by it, bounds never do.

It is here alone, and imports nothing: pytest loads it with the plug-in.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["SCALES", "Scale"]

Scale = Literal["smoke", "standard", "full"]
"""`full` has the sizes and times of the specification; `standard` takes less time; `smoke` is small, and under a
minute."""

SCALES: Final[tuple[Scale, ...]] = get_args(Scale)
"""From the smallest to the largest."""
