"""The promise of the service, judged: a line of its own in the verdict where a scenario says what is promised.

A violation is a duplicate, but with at-least-once; and a message that was acknowledged and is lost, but with at-most-once.
The line stands in place of integrity's own about duplicates, so that none of them is told twice; of what is lost integrity
tells as ever, whether it was acknowledged or not.

What cannot be seen cannot be judged: duplicates need somebody who gets what the service delivers, acknowledged losses
one who is acknowledged beside that. Where nobody sees either, the line is unknown and not required.
"""

from __future__ import annotations

import math

import msgspec

from squall.metrics.figures import Figure, judged, number
from squall.metrics.pushes import push_figure
from squall.metrics.totals import Totals
from squall.record.verdicts import Judgement
from squall.scenario.models import Scenario

__all__ = ["judge_promise"]


def judge_promise(scenario: Scenario, totals: Totals) -> list[Judgement]:
    """The judgement on what is promised; none where the scenario does not say it."""
    if not scenario.delivery.is_promise_said:
        return []
    promise, parts = scenario.delivery.promise, _violations(scenario, totals)
    figure = None
    if parts:
        count, words = sum(parts.values()), ", ".join(f"{number(n)} {what}" for what, n in parts.items())
        figure = Figure.exact(count, words)
        if not totals.events_complete:
            figure = Figure(count, math.inf, f"{words}, at least: a worker ended before it had told all")
    found = judged(
        figure,
        "==",
        0,
        name=f"promise: {promise}",
        source="promise",
        bound="violations == 0",
        required=figure is not None,
        missing="not measured: in this exchange nobody sees what would break it",
    )
    exceeded = totals.connections().window_exceeded
    if figure is None or not exceeded:
        return [found]
    words = f"{found.evidence}; the window of a stream was exceeded {number(exceeded)} times"
    return [msgspec.structs.replace(found, truth="unknown", evidence=words)]


def _violations(scenario: Scenario, totals: Totals) -> dict[str, int]:
    """How often it was broken, by how; without what nobody sees."""
    promise, tracking, messages = scenario.delivery.promise, totals.tracking, totals.messages()
    sending = [each.exchange for each in scenario.populations if each.rate_hz > 0]
    found = {}
    if promise != "at-least-once":
        if any(each.evidence != "acknowledgement" for each in sending):
            found["duplicated"] = messages.duplicated
        pushed = push_figure(totals.connections(), "duplicated")
        if pushed is not None:
            found["duplicated of what was pushed"] = pushed
    is_told = any(each.acknowledged_by == "service" and each.evidence == "receiver" for each in sending)
    if promise != "at-most-once" and is_told and tracking.confirmations:
        found["acknowledged and lost"] = messages.acknowledged_lost
    return found
