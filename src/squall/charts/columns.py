"""A series made as narrow as the picture: one point for each column of it, and no spike lost on the way.

The rule: of the figures that fall into one column the least, the greatest and a middle are kept. The middle is
the mean for levels and rates; for percentiles it is the greatest, as a mean of percentiles means nothing. Where
nothing was measured there is a gap (NaN), never a zero, and no line is drawn across it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "Floats", "Middle", "as_array", "columns", "runs"]

Floats = NDArray[np.float64]
Middle = Literal["mean", "greatest"]


@dataclass(frozen=True, slots=True)
class Columns:
    """The points of a line by column: where, and the least, middle and greatest of what was measured there."""

    x: Floats
    low: Floats
    middle: Floats
    high: Floats


def as_array(values: Sequence[float | None] | Floats) -> Floats:
    """The figures as an array, which is not to be changed; None becomes NaN."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64, copy=False)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def columns(
    x: Floats, low: Floats, middle: Floats, high: Floats, *, count: int, by: Middle = "mean"
) -> Columns:
    """At most about `count` points of a line whose x (from 0 to 1) goes up; few enough stay as they are."""
    if len(x) <= count:
        return Columns(x, low, middle, high)
    column = np.floor(x * count).astype(np.int64)
    starts = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
    chosen = _means(middle, starts) if by == "mean" else np.fmax.reduceat(middle, starts)
    return Columns(
        (column[starts] + 0.5) / count,
        np.fmin.reduceat(low, starts),
        chosen,
        np.fmax.reduceat(high, starts),
    )


def runs(x: Floats, values: Floats, gap: float | None) -> Iterator[slice]:
    """The stretches without a gap: neither a NaN between, nor two points farther apart than `gap`."""
    there = ~np.isnan(values)
    if not there.any():
        return
    apart = np.zeros(len(x), dtype=bool) if gap is None else np.r_[False, np.diff(x) > gap]
    begins = there & np.r_[True, ~there[:-1]] | there & apart
    starts = np.flatnonzero(begins)
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < len(starts) else len(x)
        missing = np.flatnonzero(~there[start:stop])
        yield slice(int(start), int(start + missing[0]) if len(missing) else int(stop))


def _means(values: Floats, starts: NDArray[np.int64]) -> Floats:
    there = ~np.isnan(values)
    counts = np.add.reduceat(there.astype(np.float64), starts)
    sums = np.add.reduceat(np.where(there, values, 0.0), starts)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
