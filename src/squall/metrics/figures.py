"""From a figure and a bound to a judgement: passed, failed, or unknown.

A figure is an interval from the least to the greatest that it can be; both ends are alike where it is
known. A bound passes if it holds for the whole interval, fails if it holds nowhere in it, and is unknown
else. It is unknown as well where nothing was measured. The figure shown is the end of the interval that is
nearer to failing; the evidence has both.

Here is also how figures are written for people, wherever they are: counts are whole, with a comma between the
thousands. Everything else has three significant digits, but a share is never rounded up to all or down to none:
99.996 % stays 99.996 %, as its last digits are the ones that matter.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final, Literal

from squall.record.verdicts import Judgement, Truth
from squall.units import significant

__all__ = ["OPERATORS", "Figure", "judged", "milliseconds", "moment", "number", "percent", "ratio", "truth"]

_NS_PER_MS: Final = 1_000_000

OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

_ALMOST_ALL: Final = Decimal("0.999")
_SHARE_DIGITS_MAX: Final = 8
_WHOLE_SECONDS_FROM_S: Final = 100


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
    source: Literal["integrity", "promise", "threshold", "readiness"],
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


def ratio(part: float, whole: float) -> float | None:
    """The share of a whole; None of nothing."""
    return part / whole if whole else None


def milliseconds(value_ns: float | None) -> float | None:
    """Nanoseconds as milliseconds; None stays not measured."""
    return None if value_ns is None else value_ns / _NS_PER_MS


def number(value: float) -> str:
    """A figure whose unit is told elsewhere: whole numbers in full, else three digits, and no 1 for 0.99996."""
    if float(value).is_integer():
        return f"{int(value):,}"
    exact = Decimal(repr(value))
    return _digits(_with_its_nines(exact)) if _ALMOST_ALL <= exact < 1 else significant(value)


def percent(share: float) -> str:
    """A share from 0 to 1: 12.5 %. Only all is 100 %, and only none is 0 %."""
    exact = Decimal(repr(share))
    if _ALMOST_ALL <= exact < 1:
        return f"{_digits(_with_its_nines(exact) * 100)} %"
    return f"{significant(float(exact * 100))} %"


def moment(at_s: float) -> str:
    """A time of the run: 7.5 s, and to the second where tenths are more than it is worth: 1,234 s."""
    return f"{number(round(at_s, 1) if at_s < _WHOLE_SECONDS_FROM_S else round(at_s))} s"


def _with_its_nines(share: Decimal) -> Decimal:
    """A share just below 1, with its nines and the first digit that is none; never rounded up."""
    digits = min(-(1 - share).adjusted(), _SHARE_DIGITS_MAX)
    return share.quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)


def _digits(rounded: Decimal) -> str:
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
