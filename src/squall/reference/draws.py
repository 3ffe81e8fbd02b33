"""Random choices of the service, as pure functions of numbers: the same seed and count, the same choice.

The mixing is that of SplitMix64 (Steele, Lea and Flood, 2014). It keeps no state and knows nothing of what is
chosen.
"""

from __future__ import annotations

from typing import Final

__all__ = ["drawn", "share"]

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15


def drawn(*numbers: int) -> int:
    """A number of 64 bits, evenly spread, that depends on each of these and on their order."""
    state = 0
    for number in numbers:
        state = (state ^ number) + _GOLDEN & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def share(*numbers: int) -> float:
    """A number from 0 to below 1, likewise."""
    return (drawn(*numbers) >> 11) / (1 << 53)
