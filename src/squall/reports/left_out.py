"""How many lines a chart has at most, and the words for those that it has not: nothing is cut without a word."""

from __future__ import annotations

from typing import Final

__all__ = ["LINES_MAX", "left_out", "sentences"]

LINES_MAX: Final = 6
"""More lines in one chart are not told apart: as many as there are colours."""


def left_out(there: int, what: str = "line", drawn: int = LINES_MAX) -> str:
    """How many are not drawn, in a sentence; "" where all are."""
    more = there - drawn
    if more <= 0:
        return ""
    return f"{more:,} more {what}{'' if more == 1 else 's'} {'is' if more == 1 else 'are'} not drawn."


def sentences(*said: str) -> str:
    """Those of them that say anything, one after another."""
    return " ".join(filter(None, said))
