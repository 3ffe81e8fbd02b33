"""The run in a few sentences."""

from __future__ import annotations

import msgspec

from squall.metrics.summary_document import Percentiles, Push
from squall.reports.glance import glance
from unit.reports import reported


def test_it_tells_what_was_held_sent_and_how_long_it_took() -> None:
    words = glance(reported.troubled()[1])
    assert words.startswith("10 connections were held at once, out of 13 attempts")
    assert "messages were sent and" in words
    assert "Half of the answers came within" in words
    assert "pushed" not in words
    assert glance(reported.nothing()[1]) == "Nothing was measured."


def test_pushes_are_told_where_any_were_waited_for() -> None:
    _, summary = reported.fed()
    words = glance(summary)
    assert (
        "1,234 messages were pushed, 411 messages/s while the load was held; by their numbers 3 are missing."
        in words
    )
    assert "Half of the pushes came within 5 ms of their time stamp" in words
    without = msgspec.structs.replace(summary, push=Push(received=7, delay=Percentiles()))
    assert glance(without).endswith("7 messages were pushed.")
