"""Delivery confirmations: by the reply or the acknowledgement, and not measured where there is none, or nobody asked."""

from __future__ import annotations

import pytest

from made_runs import a_run, messages, phase, scenario, second
from squall.metrics.catalogue import CATALOGUE
from squall.metrics.confirmations import confirmed
from squall.metrics.expressions import parse
from squall.metrics.metric import Share
from squall.metrics.parts import message_parts
from squall.metrics.thresholds import judge_thresholds
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.scenario.models import Threshold, Tracking

POPULATIONS = ("echo", "acks", "rooms")


def all_kinds() -> Totals:
    """Ten messages of each: 9 delivered on echo; 6 acknowledged in time and one late; all delivered in rooms."""
    totals = Totals(POPULATIONS, [["message"]] * 3, acknowledged={"acks": "service"}, unconfirmed=["rooms"])
    totals.note(phase(1, "hold", "sustained", 0, 1))
    acks = messages(10, population=1, delivered=10, acknowledged=6, gave_up=4, acknowledged_late=1)
    rooms = messages(10, population=2)
    totals.add(second(0, messages(10, population=0, delivered=9, unknown=1), acks, rooms))
    return totals


@pytest.mark.parametrize(
    ("population", "share"),
    [("echo", Share(9, 10, 10)), ("acks", Share(7, 7, 10)), ("rooms", None), (None, Share(16, 17, 20))],
)
def test_it_is_what_the_sender_was_shown(population: str | None, share: Share | None) -> None:
    assert confirmed(all_kinds(), Selection(population=population)) == share


def test_each_part_of_a_run_has_its_own() -> None:
    found = {
        part.labels["population"]: confirmed(part, EVERYTHING) for part in message_parts(all_kinds(), most=9)
    }
    assert found == {"echo": Share(9, 10, 10), "acks": Share(7, 7, 10), "rooms": None}


@pytest.mark.parametrize("tracked", [True, False])
def test_off_it_is_not_measured_and_on_it_is(tracked: bool) -> None:
    totals = a_run(messages(4, delivered=3, lost=1))
    totals.tracking = Tracking(confirmations=tracked)
    bounds = [
        Threshold(metric="ws_msgs_confirmed", threshold="count>5"),
        Threshold(metric="ws_confirmation_success", threshold="rate>0.5"),
    ]
    truths = [each.judgement.truth for each in judge_thresholds(bounds, totals)]
    assert truths == (["passed"] * 2 if tracked else ["unknown"] * 2)


def test_all_that_is_counted_of_acknowledgements_goes_by_the_same_switch() -> None:
    about = {name for name, each in CATALOGUE.items() if each.tracked == "confirmations"}
    assert {name for name in CATALOGUE if "ack" in name.split("_")[1:] or "acks" in name} <= about
    assert {"ws_msgs_acknowledged", "ws_msgs_acknowledged_lost", "ws_duplicate_arrivals"} <= about


def test_a_bound_on_it_is_understood() -> None:
    assert parse("ws_confirmation_success{type:message}", "rate>0.99").limit == 0.99
    assert scenario().delivery.tracking.confirmations
