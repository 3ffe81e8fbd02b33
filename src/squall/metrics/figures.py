"""From a figure and a bound to a judgement: passed, failed, or unknown.

A figure is an interval from the least to the greatest that it can be; both ends are alike where it is
known. A bound passes if it holds for the whole interval, fails if it holds nowhere in it, and is unknown
else. It is unknown as well where nothing was measured. The figure shown is the end of the interval that is
nearer to failing; the evidence has both.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from squall.record.verdicts import Judgement, Truth

__all__ = ["OPERATORS", "Figure", "judged", "number", "truth"]

OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and on what evidence."""

    least: float
    most: float
    evidence: str

    @classmethod
    def exact(cls, value: float, evidence: str) -> Figure:
        """One whose value is known."""
        return cls(value, value, evidence)


def truth(figure: Figure | None, sign: str, limit: float) -> Truth:
    """How a bound comes out; None is nothing measured."""
    if figure is None:
        return "unknown"
    if sign in ("==", "!=") and figure.least != figure.most:
        if figure.least <= limit <= figure.most:
            return "unknown"
        return "failed" if sign == "==" else "passed"
    ends = {OPERATORS[sign](end, limit) for end in (figure.least, figure.most)}
    if len(ends) == 2:
        return "unknown"
    return "passed" if ends == {True} else "failed"


def judged(
    figure: Figure | None,
    sign: str,
    limit: float,
    *,
    name: str,
    source: Literal["integrity", "threshold", "readiness"],
    bound: str,
    required: bool = True,
    missing: str = "not measured",
) -> Judgement:
    """The judgement on a figure; `missing` says why there is none."""
    if figure is None:
        shown, evidence = None, missing
    else:
        worse = figure.most if sign in ("<", "<=") and math.isfinite(figure.most) else figure.least
        shown, evidence = worse, figure.evidence
    return Judgement(
        name=name,
        source=source,
        bound=bound,
        figure=shown,
        truth=truth(figure, sign, limit),
        required=required,
        evidence=evidence,
    )


def number(value: float) -> str:
    """A figure as people read it: thousands set apart, four significant digits after the point."""
    if float(value).is_integer():
        return f"{int(value):,}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 9)}f}"
