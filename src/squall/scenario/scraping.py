"""Which figure of a Prometheus endpoint is meant: a series, its rate, and what it is multiplied or divided by.

    process_resident_memory_bytes
    rate(process_cpu_seconds_total)
    node_load{instance="a",job="chat"} / 100
    process_resident_memory_bytes / node_memory_MemTotal_bytes

The rule: a series that matches several lines is their sum, and `rate` is what it grew by in a second since the
look before. It looks like PromQL and is a small part of it: this says what to read, a server computes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Expression", "Series", "parse_expression"]

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_SERIES: Final = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)\s*(?:\{([^{}]*)\})?")
_LABEL: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"([^"\\]*)"\s*(,|$)')
_RATE: Final = re.compile(r"rate\s*\((.*)\)", re.DOTALL)
_OPERATOR: Final = re.compile(r'([*/])(?=(?:[^"]*"[^"]*")*[^"]*$)')


@dataclass(frozen=True, slots=True)
class Series:
    """The lines of one name that have all of `labels`; `rate`: what their sum grows by in a second."""

    name: str
    labels: frozenset[tuple[str, str]] = frozenset()
    rate: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A term, and what it is multiplied (`*`) or divided (`/`) by, from left to right."""

    first: Series | float
    rest: tuple[tuple[str, Series | float], ...] = ()

    def series(self) -> Iterator[Series]:
        """Every series in it."""
        return (term for term in (self.first, *(term for _, term in self.rest)) if isinstance(term, Series))

    def value(self, read: Callable[[Series], float | None]) -> float | None:
        """What it comes to; None where a series has no value, or where it would be divided by zero."""
        result = self.first if isinstance(self.first, float) else read(self.first)
        for operator, term in self.rest:
            other = term if isinstance(term, float) else read(term)
            if result is None or other is None or (operator == "/" and other == 0):
                return None
            result = result * other if operator == "*" else result / other
        return result


def parse_expression(text: str) -> Expression:
    """Read one.

    Raises:
        ValueError: it is not understood; the message does not quote it.
    """
    first, *rest = _OPERATOR.split(text)
    expression = Expression(
        _term(first), tuple((sign, _term(term)) for sign, term in zip(rest[::2], rest[1::2], strict=True))
    )
    if not any(True for _ in expression.series()):
        raise ValueError("names no series")
    return expression


def _term(text: str) -> Series | float:
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    rate = _RATE.fullmatch(text)
    match = _SERIES.fullmatch(rate[1].strip() if rate else text)
    if match is None:
        raise ValueError('is no series; write name, name{label="value"} or rate(name), and * or / a number')
    return Series(match[1], frozenset(_labels(match[2] or "")), rate=rate is not None)


def _labels(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text.rstrip()):
        match = _LABEL.match(text, position)
        if match is None:
            raise ValueError('has labels that are not written name="value"')
        yield match[1], match[2]
        position = match.end()
