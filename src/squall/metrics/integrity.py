"""Integrity, judged in every run, thresholds or not.

It fails - if no connection was established; - if messages were planned and none was delivered; - if
anything was lost, reordered, corrupted, unexpected or, unless the promise is at-least-once, duplicated; - if
anything was acknowledged that was never sent; - if not_sent by the target's doing is 0.1 % of intended or
more; - in a run that only holds connections, on any drop but those by a fault of the scenario.

It is unknown if any message ended unknown. Where a stream's window was exceeded, what was lost, reordered
or duplicated is unknown; where a worker died, none of an event is unknown, because events that it saw after
its last report are missing, and one or more is a failure all the same.

Order is judged where the exchange must keep it: echo does, requests of their own only where the scenario says so.
What push exchanges count is judged in `squall.metrics.pushes`. Where the scenario says what is promised, that is judged
in `squall.metrics.promise`, and duplicates there alone.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from squall.metrics.figures import Figure, judged, number
from squall.metrics.promise import judge_promise
from squall.metrics.pushes import judge_pushes
from squall.metrics.totals import Selection, Totals
from squall.record.verdicts import Judgement
from squall.scenario.models import Scenario

__all__ = ["NOT_SENT_SHARE_MAX", "judge_integrity", "only_holds"]

NOT_SENT_SHARE_MAX: Final = 0.001


def only_holds(scenario: Scenario) -> bool:
    """Whether no population plans a message."""
    return all(population.rate_hz <= 0 for population in scenario.populations)


def judge_integrity(scenario: Scenario, totals: Totals) -> list[Judgement]:
    """Each condition as a judgement; none where the scenario replaces integrity by bounds of its own."""
    if not scenario.delivery.integrity:
        return []
    found = [_established(totals)]
    if only_holds(scenario):
        connections = totals.connections()
        dropped = connections.dropped - connections.cut
        found.append(_count("no drop", dropped, "connections dropped"))
    else:
        found += [_any_delivered(totals), *_outcomes(totals), _not_sent(totals)]
        found += _events(scenario, totals)
    found += judge_pushes(scenario, totals) + _strangers(scenario, totals)
    return found + judge_promise(scenario, totals)


def _established(totals: Totals) -> Judgement:
    connections = totals.connections()
    words = f"{number(connections.established)} of {number(connections.attempted)} attempts"
    figure = Figure.exact(connections.established, words)
    return judged(figure, ">", 0, name="connections established", source="integrity", bound="> 0")


def _any_delivered(totals: Totals) -> Judgement:
    messages = totals.messages()
    figure = Figure.exact(messages.delivered, f"{number(messages.delivered)} of {number(messages.sent)} sent")
    return judged(figure, ">", 0, name="messages delivered", source="integrity", bound="> 0")


def _outcomes(totals: Totals) -> list[Judgement]:
    messages = totals.messages()
    lost = _count("none lost", messages.lost, "messages lost")
    unknown = _count(
        "none unknown", messages.unknown + messages.unsettled, "messages without a known outcome"
    )
    if unknown.truth == "failed":
        unknown = msgspec.structs.replace(unknown, truth="unknown")
    return [_unless_exceeded(lost, totals), unknown]


def _not_sent(totals: Totals) -> Judgement:
    messages = totals.messages()
    name, bound = (
        "not sent by the target's doing",
        f"< {NOT_SENT_SHARE_MAX:.1%} of intended",
    )
    figure = None
    if messages.intended:
        words = f"{number(messages.not_sent_target)} of {number(messages.intended)} intended"
        figure = Figure.exact(messages.not_sent_target / messages.intended, words)
    return judged(figure, "<", NOT_SENT_SHARE_MAX, name=name, source="integrity", bound=bound)


def _events(scenario: Scenario, totals: Totals) -> list[Judgement]:
    messages = totals.messages()
    found = _order(scenario, totals)
    is_seen = any(each.name not in totals.unseen for each in scenario.populations)
    delivery = scenario.delivery
    if delivery.promise != "at-least-once" and not delivery.is_promise_said and is_seen:
        found.append(
            _unless_exceeded(_event("none duplicated", messages.duplicated, "copies", totals), totals)
        )
    if totals.tracking.checksums:
        found.append(_event("no body corrupted", messages.corrupted_body, "corrupted bodies", totals))
    return found


def _order(scenario: Scenario, totals: Totals) -> list[Judgement]:
    """Whether order was kept, where the exchange is one that must keep it."""
    ordered = [each.name for each in scenario.populations if each.rate_hz > 0 and each.exchange.judges_order]
    if not ordered or not totals.tracking.sequence_numbers:
        return []
    reordered = sum(totals.messages(Selection(population=name)).reordered for name in ordered)
    return [_unless_exceeded(_event("none reordered", reordered, "reordered", totals), totals)]


def _strangers(scenario: Scenario, totals: Totals) -> list[Judgement]:
    """What arrived and belongs to no message; in a run that only holds, all that arrives does."""
    connections = totals.connections()
    found = [
        _event("no header corrupted", connections.corrupted_header, "corrupted headers", totals),
        _event("none unexpected", connections.unexpected, "unexpected messages", totals),
    ]
    acknowledges = any(each.exchange.acknowledged_by == "service" for each in scenario.populations)
    if acknowledges and totals.tracking.confirmations:
        name, what = "none acknowledged that was never sent", "acknowledgements of messages never sent"
        found.append(_event(name, connections.ack_unexpected, what, totals))
    return found


def _count(name: str, count: int, what: str) -> Judgement:
    figure = Figure.exact(count, f"{number(count)} {what}")
    return judged(figure, "==", 0, name=name, source="integrity", bound="== 0")


def _event(name: str, count: int, what: str, totals: Totals) -> Judgement:
    if totals.events_complete:
        return _count(name, count, what)
    figure = Figure(
        count, math.inf, f"{number(count)} {what}, at least: a worker ended before it had told all"
    )
    return judged(figure, "==", 0, name=name, source="integrity", bound="== 0")


def _unless_exceeded(judgement: Judgement, totals: Totals) -> Judgement:
    exceeded = totals.connections().window_exceeded
    if not exceeded:
        return judgement
    words = f"{judgement.evidence}; the window of a stream was exceeded {number(exceeded)} times"
    return msgspec.structs.replace(judgement, truth="unknown", evidence=words)
