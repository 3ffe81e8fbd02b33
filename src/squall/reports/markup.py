"""Pieces of HTML: tables, sections, lists. The rule: every text that goes in is escaped here, and made printable.

Also the series of a page as data for its script: as JSON in which nothing can end the element that it stands in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import msgspec
import numpy as np

from squall.charts.chart import Chart
from squall.charts.columns import Floats, as_array
from squall.reports.wording import printable

__all__ = ["bullets", "section", "series_data", "table", "text"]

_FIGURE_LETTERS_MAX: Final = 20


def text(words: str) -> str:
    """Words as HTML."""
    return escape(printable(words))


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str, marks: Sequence[str] = ()
) -> str:
    """A table whose first column names its rows; `marks` are classes, one for each row.

    A cell that begins like a figure is set as one. The caption is for those who hear the page.
    """
    heads = "".join(f'<th scope="col">{text(each)}</th>' for each in head)
    body = "".join(_row(row, marks[number] if marks else "") for number, row in enumerate(rows))
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bullets(lines: Iterable[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>"


def section(ident: str, title: str, body: str) -> str:
    """A section of the page; "" where it has nothing to say."""
    if not body:
        return ""
    return f'<section aria-labelledby="h-{ident}"><h2 id="h-{ident}">{text(title)}</h2>{body}</section>'


def series_data(charts: Iterable[Chart]) -> str:
    """Every series of the charts that has a key, with its x: `{"axes": [[…]], "series": {key: {"x": 0, "y": […]}}}`.

    `l` and `h` beside `y` are the least and the greatest of the seconds behind each point, where they differ. None is not
    measured.
    """
    axes: list[list[float]] = []
    numbers: dict[bytes, int] = {}
    series: dict[str, dict[str, object]] = {}
    for line in (line for chart in charts for line in chart.lines if line.key):
        x = as_array(line.x)
        if x.tobytes() not in numbers:
            numbers[x.tobytes()] = len(axes)
            axes.append(_numbers(x))  # type: ignore[arg-type]  # an axis has no gaps
        y = as_array(line.y)
        found: dict[str, object] = {"x": numbers[x.tobytes()], "y": _numbers(y)}
        for side, values in (("l", line.low), ("h", line.high)):
            if values is not None and not np.array_equal(each := as_array(values), y, equal_nan=True):
                found[side] = _numbers(each)
        series[line.key] = found
    encoded = msgspec.json.encode({"axes": axes, "series": series}).decode()
    return encoded.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _row(cells: Sequence[str], mark: str) -> str:
    first, *others = cells
    set_as = "".join(f"<td{' class=n' if _is_figure(cell) else ''}>{text(cell)}</td>" for cell in others)
    return f'<tr{f" class={mark}" if mark else ""}><th scope="row">{text(first)}</th>{set_as}</tr>'


def _is_figure(cell: str) -> bool:
    """Whether a cell is a figure, which stays on one line; a sentence that begins with one wraps."""
    if len(cell) > _FIGURE_LETTERS_MAX:
        return False
    return cell[:1].isdigit() or cell[:1] in "-–" or cell == "not measured"


def _numbers(values: Floats) -> list[float | int | None]:
    """As JSON has them, with six digits: whole ones whole, NaN as null. Of thousands many are the same: each once."""
    distinct, numbers = np.unique(values, return_inverse=True)
    written = [
        None if math.isnan(value) else int(value) if value.is_integer() else float(f"{value:.6g}")
        for value in distinct.tolist()
    ]
    return [written[number] for number in numbers.tolist()]
