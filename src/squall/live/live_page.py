"""The page of a running test, as the fragments of the HTML report: what changed since it was last drawn.

The rule: it belongs to one thread, which is told all that happens in the order in which it does; a picture and a
summary come with each order to draw, since the totals belong to the loop that carries the run. Figures are drawn
at each order; charts cost more, and are drawn only as often as `CHARTS_SHARE` of a core allows. It draws what
the report draws, with as many points as a screen tells apart, and knows nothing of viewers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from squall.live.now import now
from squall.live.picture import Picture
from squall.metrics.history import History
from squall.metrics.summary_document import Summary
from squall.record.run import RunHeader, RunRecord
from squall.record.verdicts import Verdict
from squall.reports.html_report import page
from squall.reports.sections import SECTIONS, Story, fragments

__all__ = ["CHARTS_SHARE", "FIGURES", "LivePage", "Order", "shell"]

POINTS_MAX: Final = 400
"""Of a series: a second each for some six minutes, and of a longer run as many, each of several seconds."""

COLUMNS: Final = 400
"""Points of a line that a chart tells apart."""

CHARTS_SHARE: Final = 0.015
"""Of one core, what drawing charts may take."""

FIGURES: Final = frozenset(("verdict", "messages", "stability", "events", "phases"))
"""The fragments without charts that change while a run goes on."""

_WAITING: Final = '<p class="verdict none"><strong>RUNNING</strong>: the first second is not over yet.</p>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """To draw the run as it stands; with a verdict it is over."""

    header: RunHeader
    picture: Picture
    summary: Summary
    verdict: Verdict | None = None


class LivePage:
    """How a run was drawn last, and its history so far, which whoever has the page feeds."""

    def __init__(self) -> None:
        self.history = History(POINTS_MAX)
        self._drawn: dict[str, str] = {}
        self._charts_from_ns = 0
        self._checks_drawn = -1

    def changed(self, order: Order) -> dict[str, str]:
        """Carry out an order: the fragments that are otherwise than when they were drawn before."""
        record = RunRecord(
            header=order.header,
            phases=tuple(self.history.phases),
            intervals=(),
            events=(),
            verdict=order.verdict,
            complete=order.verdict is not None,
        )
        story = Story(
            record=record,
            summary=order.summary,
            history=self.history,
            running=order.verdict is None,
            columns=COLUMNS,
        )
        drawn = {"now": now(order.picture) if order.verdict is None else ""}
        if order.verdict is None and order.picture.at_ns < self._charts_from_ns:
            drawn |= fragments(story, FIGURES if self._has_new_checks() else FIGURES - {"stability"})
        else:
            begun_ns = time.thread_time_ns()
            drawn |= fragments(story)
            took_ns = time.thread_time_ns() - begun_ns
            self._charts_from_ns = order.picture.at_ns + round(took_ns / CHARTS_SHARE)
        changed = {ident: text for ident, text in drawn.items() if self._drawn.get(ident) != text}
        self._drawn |= changed
        return changed

    def _has_new_checks(self) -> bool:
        """Whether a check came since this was asked: their table is long, and grows once in many seconds."""
        before, self._checks_drawn = self._checks_drawn, self.history.checks_seen.total()
        return before != self._checks_drawn


def shell(title: str, parts: Mapping[str, str]) -> str:
    """The page as a browser loads it, with the parts as they stand; its script gets all that is newer."""
    there = {"verdict": _WAITING, **dict.fromkeys(SECTIONS, ""), "data": '{"axes":[],"series":{}}', **parts}
    return page(title, there, more_script=_asset("live.js"), more_style=_asset("live.css"), connect="'self'")


@cache
def _asset(name: str) -> str:
    return files("squall.live").joinpath("assets", name).read_text("utf-8").strip()
