"""A chart as SVG: the one renderer, of which the report, Markdown and the live page have their pictures.

The rule: what is drawn is in the chart; least and greatest survive at any width (`columns`), and what was not
measured is a gap. In a page a picture is as wide as its place, with letters of one size at every width: the
plot is 1,000 units wide and stretched, all else stands at a share of the width. A picture of its own (a file)
has its size, its colours and its legend with it.

Text from elsewhere is escaped here. It knows no page: title, legend and figures around it are `figure`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from squall.charts.chart import SIGNS, Chart, Line, Mark, Span
from squall.charts.columns import Columns, as_array, columns, runs
from squall.charts.palette import COLOURS, PALETTE_CSS, STROKES_CSS
from squall.charts.quantities import quantity
from squall.charts.scales import Scale, value_scale, x_scale

__all__ = ["MARGIN", "colour_of", "describe", "svg", "svg_file", "x_range"]

Floats = NDArray[np.float64]

WIDTH: Final = 1000
"""Of the plot, in its own units: as many columns of it are told apart."""
MARGIN: Final = (28, 14, 26, 64)
"""Above, right, below and left of the plot, in pixels: room for the words."""

_LETTER_PX: Final = 6.6
_WIDE_PX: Final = 640
_NARROW_PX: Final = 280
_FOOT_PX: Final = 5
_OUTAGE: Final = "outage"


@dataclass(frozen=True, slots=True)
class _Frame:
    x: Scale
    y: Scale
    height: int


def svg(chart: Chart, *, height: int = 200, ident: str = "", columns: int = WIDTH) -> str:
    """The picture for a page that has `PALETTE_CSS` and `STROKES_CSS`; `height` is the plot's.

    `ident` names a figure of the page, whose title and table name and describe it.
    """
    frame = _frame(chart, height)
    top, right, bottom, left = MARGIN
    style = f"display:block;overflow:visible;margin:{top}px {right}px {bottom}px {left}px;"
    label = f'aria-label="{escape(chart.title)}"'
    if ident:
        label = f'aria-labelledby="{ident}-title" aria-describedby="{ident}-figures"'
    return (
        f'<svg class="chart" role="img" {label} height="{height}"'
        f' style="{style}width:calc(100% - {left + right}px)">{_plot(chart, frame, columns)}</svg>'
    )


def svg_file(chart: Chart, *, width: int = 960, height: int = 320) -> str:
    """The picture as a file of its own, `width` by `height` pixels."""
    top, right, bottom, left = MARGIN
    legend, legend_height = _legend(chart, left, width - right)
    above = top + 24
    plot_height = max(40, height - above - bottom - legend_height)
    frame = _frame(chart, plot_height)
    title, about = escape(chart.title), escape(describe(chart))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"><title>{title}</title><desc>{about}</desc>'
        f"<style>{PALETTE_CSS}{STROKES_CSS}.chart .title{{font-size:15px;font-weight:600;fill:var(--ink)}}</style>"
        f'<rect width="100%" height="100%" style="fill:var(--paper)"/>'
        f'<text class="title" x="12" y="22">{title}</text>'
        f'<svg x="{left}" y="{above}" width="{width - left - right}" height="{plot_height}"'
        f' style="overflow:visible">{_plot(chart, frame, WIDTH)}</svg>'
        f'<g transform="translate(0 {above + plot_height + bottom})">{legend}</g></svg>\n'
    )


def describe(chart: Chart) -> str:
    """What the picture shows, in words: what each line's least and greatest are, and where."""
    said = []
    for line in chart.lines:
        low, high = (
            as_array(line.y if line.low is None else line.low),
            as_array(line.y if line.high is None else line.high),
        )
        if np.isnan(high).all():
            said.append(f"{line.name}: not measured.")
            continue
        at = quantity(float(as_array(line.x)[int(np.nanargmax(high))]), chart.x_unit)
        least = quantity(float(np.nanmin(low)), chart.unit)
        said.append(
            f"{line.name}: from {least} to {quantity(float(np.nanmax(high)), chart.unit)}, greatest at {at}."
        )
    return " ".join(said) or "Nothing was measured."


def x_range(chart: Chart) -> tuple[float, float]:
    """From where to where the chart goes."""
    if chart.x_range is not None:
        return chart.x_range
    ends = [as_array(line.x) for line in chart.lines]
    ends = [each for each in ends if len(each)]
    if not ends:
        return 0.0, 1.0
    return min(float(each[0]) for each in ends), max(float(each[-1]) for each in ends)


def colour_of(chart: Chart, position: int) -> int:
    """The number of the colour of a chart's line."""
    return chart.lines[position].colour or position % COLOURS + 1


def _frame(chart: Chart, height: int) -> _Frame:
    every = [
        as_array(side) for line in chart.lines for side in (line.y, line.low, line.high) if side is not None
    ]
    figures = np.concatenate(every) if every else np.empty(0)
    figures = figures[np.isfinite(figures)]
    least, greatest = (float(figures.min()), float(figures.max())) if len(figures) else (0.0, 0.0)
    for bound in chart.bounds:
        # A bound far above all that was measured would press it flat onto the axis.
        if chart.y_kind == "log" or bound.value <= 3 * greatest:
            greatest = max(greatest, bound.value)
    if chart.y_kind == "log" and len(figures):
        above_zero = figures[figures > 0]
        least = float(above_zero.min()) if len(above_zero) else 0.0
    marks = max(2, min(5, height // 40))
    return _Frame(
        x_scale(*x_range(chart), chart.x_unit, chart.x_kind),
        value_scale(least, greatest, chart.unit, chart.y_kind, marks),
        height,
    )


def _plot(chart: Chart, frame: _Frame, count: int) -> str:
    height = frame.height
    drawn = [
        _line(line, frame, colour_of(chart, number), number, count) for number, line in enumerate(chart.lines)
    ]
    measured = any(drawn)
    parts = [_grid(chart, frame) if measured else ""]
    parts.append(
        f'<svg class="data" x="0" y="0" width="100%" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        f' preserveAspectRatio="none">{_spans(chart, frame)}{_mark_lines(chart, frame)}{"".join(drawn)}</svg>'
    )
    parts.append(f'<line class="axis" x1="0" x2="100%" y1="{height}" y2="{height}"/>')
    parts.append(_x_words(chart, frame) + _span_words(chart, frame))
    if measured:
        parts.append(_bounds(chart, frame))
    else:
        parts.append(f'<text class="mid" x="50%" y="{height // 2}">not measured</text>')
    return "".join(parts)


def _grid(chart: Chart, frame: _Frame) -> str:
    parts = []
    for tick in frame.y.ticks:
        y = _short(frame.height * (1 - tick.at))
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="end" x="-8" y="{y}" dy=".35em">{escape(tick.text)}</text>')
    named = " ".join(filter(None, (chart.y_label, "(logarithmic)" if chart.y_kind == "log" else "")))
    if named:
        parts.append(f'<text class="named" x="-56" y="-18">{escape(named)}</text>')
    return "".join(parts)


def _x_words(chart: Chart, frame: _Frame) -> str:
    y = frame.height + 17
    words = "".join(
        f'<text class="tick mid" x="{_share(tick.at)}" y="{y}">{escape(tick.text)}</text>'
        for tick in frame.x.ticks
    )
    named = f'<text class="end" x="100%" y="{y + 13}">{escape(chart.x_label)}</text>' if chart.x_label else ""
    return f'<g class="ticks">{words}</g>{named}'


def _spans(chart: Chart, frame: _Frame) -> str:
    parts = []
    for number, span in enumerate(chart.spans):
        start, end = (WIDTH * frame.x.place(each) for each in (span.start, span.end))
        parts.append(
            f'<rect class="span{number % 2}" x="{_short(start)}" y="0" width="{_short(max(0.0, end - start))}"'
            f' height="{frame.height}"><title>{escape(span.name)}</title></rect>'
        )
    parts += [_band(fault, frame, ("fault", 0)) for fault in chart.faults]
    foot = max(0, frame.height - _FOOT_PX)
    parts += [_band(outage, frame, ("outage", 0), ("foot", foot)) for outage in chart.outages]
    return "".join(parts)


def _band(span: Span, frame: _Frame, *pieces: tuple[str, int]) -> str:
    """A stretch with its name, of pieces that go from their top to the foot of the plot, never too thin to see."""
    start, end = (WIDTH * frame.x.place(each) for each in (span.start, span.end))
    drawn = "".join(
        f'<rect class="{kind}" x="{_short(start)}" y="{top}" width="{_short(max(1.0, end - start))}"'
        f' height="{frame.height - top}"/>'
        for kind, top in pieces
    )
    return f"<g><title>{escape(span.name)}</title>{drawn}</g>"


def _span_words(chart: Chart, frame: _Frame) -> str:
    """What stands above each phase, and at the foot of each outage, where there is room for it."""
    foot = frame.height - _FOOT_PX - 4
    return "".join(
        [
            *(_word(span, frame, span.name, -5, "") for span in chart.spans),
            *(_word(span, frame, _OUTAGE, foot, " on-outage") for span in chart.outages),
        ]
    )


def _word(span: Span, frame: _Frame, word: str, y: int, kind: str) -> str:
    """A word at the start of a stretch that has room for it: on any page, on a wide one only, or on none."""
    start, end = frame.x.place(span.start), frame.x.place(span.end)
    width = _LETTER_PX * len(word)
    if width > (end - start) * _WIDE_PX:
        return ""
    wide = "" if width <= (end - start) * _NARROW_PX else " wide-only"
    return (
        f'<text class="at{kind}{wide}" data-at="{_short(start, 5)}" x="{_share(start)}" dx="3" y="{y}">'
        f"{escape(word)}</text>"
    )


def _mark_lines(chart: Chart, frame: _Frame) -> str:
    return "".join(_mark(mark, WIDTH * frame.x.place(mark.at), frame.height) for mark in chart.marks)


def _mark(mark: Mark, x: float, height: int) -> str:
    return f'<path class="mark {mark.kind}" d="M{_short(x)} 0V{height}"><title>{escape(mark.text)}</title></path>'


def _bounds(chart: Chart, frame: _Frame) -> str:
    parts = [
        f'<text class="at mid {mark.kind}" data-at="{_short(frame.x.place(mark.at), 5)}"'
        f' x="{_share(frame.x.place(mark.at))}" y="10">{SIGNS[mark.kind]}<title>{escape(mark.text)}</title></text>'
        for mark in chart.marks
    ]
    for bound in chart.bounds:
        at = frame.y.place(bound.value)
        if 0 <= at <= 1:
            y = _short(frame.height * (1 - at))
            parts.append(f'<line class="bound" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
            parts.append(
                f'<text class="end on-bound" x="100%" y="{y}" dx="-4" dy="-4">{escape(bound.text)}</text>'
            )
    return "".join(parts)


def _line(line: Line, frame: _Frame, colour: int, number: int, count: int) -> str:
    """One series: its fan, its band from least to greatest, its stroke; "" where nothing was measured."""
    x, y = as_array(line.x), as_array(line.y)
    if not len(x) or np.isnan(y).all():
        return ""
    at = frame.x.places(x)
    inside = (at >= -1e-9) & (at <= 1 + 1e-9)
    sides = [y if side is None else as_array(side) for side in (line.low, line.high)]
    points = columns(at[inside], sides[0][inside], y[inside], sides[1][inside], count=count, by=line.middle)
    span = frame.x.end - frame.x.start
    gap = None if line.gap is None or frame.x.kind != "linear" else line.gap / span + 1.5 / count
    drawn = []
    if line.floor is not None:
        floor = as_array(line.floor)[inside]
        below = columns(at[inside], floor, floor, floor, count=count, by=line.middle)
        drawn.append(_area(Columns(points.x, below.middle, points.middle, points.middle), frame, gap, "fan"))
    elif line.middle == "mean" and line.look == "line":
        drawn.append(_area(points, frame, gap, "band"))
    drawn.append(_stroke(points, line, frame, gap))
    classes = f"series c{colour}{' faint' if line.faint else ''}{' thin' if number >= COLOURS else ''}"
    key = f' data-series="{escape(line.key)}"' if line.key else ""
    return f'<g class="{classes}" data-line="{number}"{key}>{"".join(drawn)}</g>'


def _stroke(points: Columns, line: Line, frame: _Frame, gap: float | None) -> str:
    # A bar or a dot stands for the greatest of its column: a single one among thousands is to be seen.
    middle = points.middle if line.look in ("line", "step") else points.high
    x, y = WIDTH * points.x, frame.height * (1 - frame.y.places(middle))
    d = []
    for run in runs(points.x, middle, gap):
        pairs = list(zip(x[run].tolist(), y[run].tolist(), strict=True))
        if line.look == "bars":
            d += [f"M{_short(a)} {frame.height}V{_short(b)}" for a, b in pairs if b < frame.height]
        elif line.look == "dots":
            d += [f"M{_short(a)} {_short(b)}h0" for a, b in pairs]
        elif len(pairs) == 1:
            d.append(f"M{_short(pairs[0][0])} {_short(pairs[0][1])}h.01")
        elif line.look == "step":
            d.append(f"M{_short(pairs[0][0])} {_short(pairs[0][1])}")
            d += [f"H{_short(a)}V{_short(b)}" for a, b in pairs[1:]]
        else:
            d.append(_polyline(pairs))
    kind = line.look if line.look in ("bars", "dots") else "stroke"
    return f'<path class="{kind}" d="{"".join(d)}"/>' if d else ""


def _area(points: Columns, frame: _Frame, gap: float | None, kind: str) -> str:
    """The area between low and high, where they differ at all."""
    if not np.any(points.high > points.low):
        return ""
    x = WIDTH * points.x
    below, above = (frame.height * (1 - frame.y.places(side)) for side in (points.low, points.high))
    d = []
    for run in runs(points.x, points.low + points.high, gap):
        forth = list(zip(x[run].tolist(), above[run].tolist(), strict=True))
        back = list(zip(x[run].tolist(), below[run].tolist(), strict=True))[::-1]
        d.append(f"{_polyline(forth + back)}Z")
    return f'<path class="{kind}" d="{"".join(d)}"/>' if d else ""


def _polyline(pairs: list[tuple[float, float]]) -> str:
    """As `_short` writes each coordinate, all at once: a picture has tens of thousands."""
    text = ("L".join(["%.1f %.1f"] * len(pairs)) % tuple(chain.from_iterable(pairs))).replace("-0.0", "0")
    return f"M{text.replace('.0 ', ' ').replace('.0L', 'L').removesuffix('.0')}"


def _legend(chart: Chart, left: int, right: int) -> tuple[str, int]:
    """The names of the lines for a picture of its own, in as many rows as they need; and its height."""
    parts, x, row = [], float(left), 0
    for number, line in enumerate(chart.lines):
        width = 34 + _LETTER_PX * len(line.name)
        if x + width > right and x > left:
            x, row = float(left), row + 1
        y = 12 + 18 * row
        parts.append(
            f'<g class="c{colour_of(chart, number)}{" faint" if line.faint else ""}">'
            f'<path class="stroke" d="M{_short(x)} {y}h20"/>'
            f'<text x="{_short(x + 26)}" y="{y + 4}">{escape(line.name)}</text></g>'
        )
        x += width + 12
    return "".join(parts), 24 + 18 * row


def _short(value: float, digits: int = 1) -> str:
    """A coordinate in as few letters as will do."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _share(place: float) -> str:
    return f"{_short(100 * place, 3)}%"
