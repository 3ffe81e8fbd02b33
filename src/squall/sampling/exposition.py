"""Reads figures out of a page in Prometheus' text format. Only lines of the series that are wanted are looked at.

process_open_fds 12
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="get"} 5 # {trace_id="1f"} 0.3

What follows the value (a time stamp, an exemplar of OpenMetrics) is not read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Final

from squall.scenario.scraping import Series

__all__ = ["sums"]

_LABEL: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_LABELS: Final = r'(?:[^"}\n]|"(?:[^"\\\n]|\\.)*")*'
"""All that stands between the braces: one of them may stand in a label's value, too."""
_ESCAPED: Final = re.compile(r"\\(.)")


def sums(page: str, wanted: Collection[Series]) -> dict[Series, float]:
    """The sum of each series' lines; a series without a line that can be read is not in it."""
    names = "|".join(sorted(re.escape(series.name) for series in wanted))
    line = re.compile(rf"^({names})(?:\{{({_LABELS})\}})?[ \t]+(\S+)[^\n]*$", re.MULTILINE)
    found: dict[Series, float] = {}
    for match in line.finditer(page):
        value = _value(match[3])
        if value is None:
            continue
        labels = _labels(match[2] or "")
        for series in wanted:
            if series.name == match[1] and series.labels <= labels:
                found[series] = found.get(series, 0.0) + value
    return found


def _labels(text: str) -> set[tuple[str, str]]:
    return {(name, _ESCAPED.sub(_unescaped, value)) for name, value in _LABEL.findall(text)}


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _value(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
