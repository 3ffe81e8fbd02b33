"""What a bench found: rows of the one table, and the text that explains them.

A figure that was not measured is never a number: its row says why instead. Knows nothing of measuring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["CouldNotRun", "Part", "Row", "judged", "span", "table_markdown", "table_text"]

_HEADINGS = ("what", "measured", "floor", "ratio", "spread", "bound", "goal", "verdict")


class CouldNotRun(Exception):  # noqa: N818 - it is no error of the bench, it is an answer
    """Something cannot be measured here, and why."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table, as text."""

    what: str
    measured: str = ""
    floor: str = ""
    ratio: str = ""
    spread: str = ""
    """Least and greatest of what `measured` or `ratio` is the median of."""
    bound: str = ""
    goal: str = ""
    verdict: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one bench found."""

    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    """Markdown paragraphs: how it was measured, and what the rows cannot show."""
    commands: list[str] = field(default_factory=list)
    """What was run, as a person would type it."""


def judged(value: float, bound: float, goal: float | None = None, *, at_most: bool = True) -> str:
    """The verdict on a figure: `not met`, `met`, or `met` with a word on the goal."""

    def holds(limit: float) -> bool:
        return value <= limit if at_most else value >= limit

    if not holds(bound):
        return "not met"
    if goal is None:
        return "met"
    return "met, goal too" if holds(goal) else "met, goal missed"


def span(values: Iterable[float], decimals: int = 2) -> str:
    """Least to greatest."""
    ordered = sorted(values)
    return f"{ordered[0]:,.{decimals}f}..{ordered[-1]:,.{decimals}f}"


def table_markdown(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| " + " | ".join(_HEADINGS) + " |", "|" + " --- |" * len(_HEADINGS)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def table_text(rows: Sequence[Row]) -> str:
    """The rows in columns, for a terminal."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(getattr(row, heading) for heading in _HEADINGS)
