"""What is to be drawn, as plain data: lines, bars, bands of phases, marks of events, bounds.

Figures are in base units (milliseconds for latencies, seconds for times), None where nothing was measured.
Every line has its own x, so that what was sampled each five seconds lies beside what was counted each second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from squall.charts.columns import Middle
from squall.charts.quantities import Unit
from squall.charts.scales import Kind

__all__ = ["SIGNS", "Bound", "Chart", "Line", "Mark", "MarkKind", "Series", "Span"]

Series = Sequence[float | None] | Sequence[float] | NDArray[np.float64]
MarkKind = Literal["alert", "cleared", "event"]
SIGNS: Final[dict[MarkKind, str]] = {"alert": "▲", "cleared": "▽", "event": "◆"}
"""What stands at a mark's place, for each kind; whoever shows a mark in words uses the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One series. `low` and `high` are the least and greatest behind each point, where it stands for several.

    `floor` makes the area from there up to the line a tint of its colour: so percentiles become a fan.
    `gap` is how far apart two points may be and still be joined. `key` names the series in the page's data.
    """

    name: str
    x: Series
    y: Series
    low: Series | None = None
    high: Series | None = None
    floor: Series | None = None
    middle: Middle = "mean"
    look: Literal["line", "step", "bars", "dots"] = "line"
    colour: int | None = None
    """One of the palette, from 1; None takes the next."""
    faint: bool = False
    """For what is only there to compare with."""
    gap: float | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the x axis with a name: a phase, a fault that was on, an outage."""

    start: float
    end: float
    name: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one x."""

    at: float
    text: str
    kind: MarkKind = "event"


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that the lines are held against."""

    value: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """One picture. `x_range` None: from the first to the last point; give all charts of a page the same."""

    title: str
    lines: Sequence[Line]
    unit: Unit
    x_unit: Unit = "s"
    x_kind: Kind = "linear"
    y_kind: Kind = "linear"
    x_range: tuple[float, float] | None = None
    y_label: str = ""
    x_label: str = ""
    note: str = ""
    """What the figures are, in a sentence under the title."""
    spans: Sequence[Span] = ()
    faults: Sequence[Span] = ()
    """Drawn over the spans, in the colour of what is bad: they may overlap them and each other."""
    outages: Sequence[Span] = ()
    """Drawn over the faults, with a bar at the foot, so that both are told apart where they overlap."""
    marks: Sequence[Mark] = ()
    bounds: Sequence[Bound] = ()
