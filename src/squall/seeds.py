"""Every random choice of a run: pure functions of the run's seed, so that any choice replays.

There is no generator with a state. A choice is a hash of the seed and of what it is about (`draw(seed,
stream, sequence)`), so a worker needs no history to know it, and the number of workers changes nothing.
The mixer is SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
OOPSLA 2014).
"""

from __future__ import annotations

import cython

__all__ = ["derive", "mix64", "unit_draw", "word_draw"]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF

if not cython.compiled:  # compiled, they are C's: a number above 63 bits would be a Python object here
    FIRST_FACTOR = 0xBF58476D1CE4E5B9
    SECOND_FACTOR = 0x94D049BB133111EB
    GOLDEN = _GOLDEN
    SILVER = 0xD1B54A32D192ED03
    MASK = _MASK


@cython.ccall
@cython.exceptval(check=False)
def mix64(value: cython.ulonglong) -> cython.ulonglong:
    """A bijection of 64-bit words whose output looks random for any input pattern."""
    word: cython.ulonglong = value
    word = ((word ^ (word >> 30)) * FIRST_FACTOR) & MASK
    word = ((word ^ (word >> 27)) * SECOND_FACTOR) & MASK
    return word ^ (word >> 31)


@cython.ccall
@cython.exceptval(check=False)
def word_draw(seed: cython.ulonglong, about: cython.ulonglong, index: cython.ulonglong) -> cython.ulonglong:
    """A 64-bit word for choice number `index` about `about` (a stream, say)."""
    mixed: cython.ulonglong = mix64((seed + (about + 1) * GOLDEN) & MASK)
    return mix64((mixed + (index + 1) * SILVER) & MASK)


@cython.ccall
@cython.exceptval(check=False)
def unit_draw(seed: cython.ulonglong, about: cython.ulonglong, index: cython.ulonglong) -> cython.double:
    """A number in [0, 1) for choice number `index` about `about`."""
    return (word_draw(seed, about, index) >> 11) * (1.0 / 9007199254740992.0)


def derive(seed: int, label: str) -> int:
    """A seed of its own for a purpose ("types", "arrivals", …), far from every other purpose's."""
    word = mix64(
        seed & _MASK
    )  # mixed first: else one more of the seed could make up for one less of a letter
    for byte in label.encode():
        word = mix64((word + _GOLDEN + byte) & _MASK)
    return int(word)
