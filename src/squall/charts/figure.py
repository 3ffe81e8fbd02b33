"""A chart as part of a page: its title, its note, a legend, the picture, and its figures as a table.

The rule: it reads without a script. A script may turn the names in the legend into switches, and add a cursor;
what it needs stands in `data-` attributes. The table below is for those who cannot see the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from squall.charts.chart import Chart, Line
from squall.charts.columns import Floats, as_array
from squall.charts.palette import DASHES, PALETTE_CSS, STROKES_CSS
from squall.charts.quantities import quantity
from squall.charts.svg import WIDTH, colour_of, svg, x_range

__all__ = ["FIGURE_CSS", "figure"]

FIGURE_CSS: Final = (
    PALETTE_CSS + STROKES_CSS + "figure.plot{margin:1.25rem 0 0;break-inside:avoid}"
    ".plot figcaption{font-weight:600}"
    ".plot .note{margin:.1rem 0 .3rem;color:var(--soft);font-size:.875rem}"
    ".plot .legend{display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:.3rem 0 0;padding:0;list-style:none;"
    "font-size:.875rem}"
    ".plot .legend svg{width:26px;height:10px;margin-right:.35rem;overflow:visible}"
    ".plot .legend .stroke{fill:none;stroke:var(--c);stroke-width:2.25}"
    ".plot .legend .block{fill:var(--c)}"
    ".plot .legend .faint .stroke{stroke:var(--soft)}"
    ".plot .legend label{white-space:nowrap}"
    ".plot details{font-size:.875rem}.plot summary{color:var(--soft);cursor:pointer}"
    "@media(max-width:560px){.chart .tick:nth-child(even){display:none}}"
    "@media(max-width:760px){.chart .wide-only{display:none}}"
    + "".join(
        f".legend .c{number} .stroke{{stroke-dasharray:{dash or 'none'}}}"
        for number, dash in enumerate(DASHES, start=1)
    )
)
"""The style of figures, charts and colours; a page has it once."""

_EMPTY_PX: Final = 40
_STROKE: Final = '<path class="stroke" d="M0 5H26"/>'


def figure(chart: Chart, ident: str, *, height: int = 200, columns: int = WIDTH) -> str:
    """The chart as an HTML figure with this id; `height` is the plot's, in pixels."""
    start, end = x_range(chart)
    note = f'<p class="note">{escape(chart.note)}</p>' if chart.note else ""
    if not any(np.isfinite(as_array(line.y)).any() for line in chart.lines):
        height = _EMPTY_PX
    picture = svg(chart, height=height, ident=ident, columns=columns)
    return (
        f'<figure class="plot" id="{ident}" data-x0="{start:.10g}" data-x1="{end:.10g}"'
        f' data-x-unit="{chart.x_unit}" data-unit="{chart.unit}" data-x-kind="{chart.x_kind}">'
        f'<figcaption id="{ident}-title">{escape(chart.title)}</figcaption>{note}{_legend(chart)}{picture}'
        f'<details><summary>Figures of this chart</summary><div class="wide" id="{ident}-figures">'
        f"{_table(chart)}</div></details></figure>"
    )


def _legend(chart: Chart) -> str:
    items = []
    for number, line in enumerate(chart.lines):
        classes = f"c{colour_of(chart, number)}{' faint' if line.faint else ''}"
        look = '<rect class="block" x="7" width="12" height="10"/>' if line.look == "bars" else _STROKE
        items.append(
            f'<li class="{classes}" data-line="{number}"><label>'
            f'<svg viewBox="0 0 26 10" aria-hidden="true">{look}</svg>'
            f"{escape(line.name)}</label></li>"
        )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _table(chart: Chart) -> str:
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("series", "least", "greatest", "greatest at", "last")
    )
    rows = "".join(_row(chart, line) for line in chart.lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _side(values: Sequence[float | None] | Floats | None, middle: Floats) -> Floats:
    """The least or the greatest of each point; the middle where nothing else is known."""
    if values is None:
        return middle
    side = as_array(values)
    return np.where(np.isnan(side), middle, side)


def _row(chart: Chart, line: Line) -> str:
    y = as_array(line.y)
    low, high = (_side(side, y) for side in (line.low, line.high))
    name = f'<th scope="row">{escape(line.name)}</th>'
    if np.isnan(y).all():
        return f'<tr>{name}<td colspan="4">not measured</td></tr>'
    at = float(as_array(line.x)[int(np.nanargmax(high))])
    cells = (
        quantity(float(np.nanmin(low)), chart.unit),
        quantity(float(np.nanmax(high)), chart.unit),
        quantity(at, chart.x_unit),
        quantity(float(y[~np.isnan(y)][-1]), chart.unit),
    )
    return f"<tr>{name}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
