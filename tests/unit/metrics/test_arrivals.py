"""The share of good envelopes: every arrival counts once, whatever else the run has."""

from __future__ import annotations

from typing import Any

from made_runs import connections, messages, second
from squall.metrics.arrivals import checksum_success
from squall.metrics.metric import Share
from squall.metrics.totals import EVERYTHING, Selection, Totals

POPULATIONS = ("echo", "pushed", "unseen", "seen")
ACKNOWLEDGED = {"pushed": "client", "unseen": "service", "seen": "service"}


def share(*cells: Any, of: Selection = EVERYTHING) -> Share:
    totals = Totals(
        POPULATIONS, [["message"]] * len(POPULATIONS), unseen=["unseen"], acknowledged=ACKNOWLEDGED
    )
    totals.add(second(0, *cells))
    return checksum_success(totals, of)


def test_copies_of_two_populations_add_up_whoever_drops_them() -> None:
    echo = messages(10, duplicated=4)
    pushed = messages(10, population=1, duplicated=1, duplicate_arrivals=3, acknowledged=10)
    assert share(echo, pushed) == Share(27, 27, 27)
    assert share(echo, pushed, of=Selection(population="pushed")) == Share(13, 13, 13)


def test_an_acknowledgement_is_an_envelope_that_came() -> None:
    figures = {"acknowledged": 9, "acknowledged_late": 1, "ack_duplicates": 2}
    unseen = messages(10, population=2, **figures)
    assert share(unseen) == Share(12, 12, 12)  # the first of each is what was delivered
    seen = messages(10, population=3, **figures)
    assert share(seen) == Share(22, 22, 22)


def test_what_was_damaged_is_of_its_type_but_for_a_header() -> None:
    cells = messages(6, corrupted_body=2), connections(0, corrupted_header=2)
    assert share(*cells) == Share(6, 6, 10)
    assert share(*cells, of=Selection(type="message")) == Share(6, 6, 8)
