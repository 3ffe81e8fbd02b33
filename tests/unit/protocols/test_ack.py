"""Acknowledgements in the service's own language: which message, which attempt, or nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from squall.protocols.ack import AckTalk
from squall.protocols.base import FOREIGN, Acknowledged, Event, Surroundings, Unexpected, UnknownAck
from squall.scenario.exchanges import AckExchange
from unit.protocols.talks import SEAT, frame, talk

ID = "000000ab-7-"
SETTINGS = {
    "kind": "ack",
    "send": {"id": "{id}", "try": "{attempt}"},
    "ack": {"field": "ack.of"},
    "attempt": "ack.try",
    "foreign": [{"field": "notice", "exists": True}],
}


def read(message: Any, settings: Mapping[str, Any] = SETTINGS) -> Event:
    """What a message is once three were sent."""
    exchange = talk(settings)
    for sequence in range(3):
        exchange.message(sequence, 0, 0)
    return exchange.read(frame(message))


def test_a_retry_is_the_same_message_with_another_attempt() -> None:
    exchange = AckTalk(AckExchange.model_validate(SETTINGS), SEAT, Surroundings(run_number=0xAB))
    assert [json.loads(exchange.message(4, 0, 0, attempt)) for attempt in (1, 2)] == [
        {"id": f"{ID}4", "try": 1},
        {"id": f"{ID}4", "try": 2},
    ]
    assert json.loads(exchange.message(4, 0, 0))["try"] == 1


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"ack": {"of": f"{ID}1", "try": 2}}, Acknowledged(1, 2)),
        ({"ack": {"of": f"{ID}1", "try": "2"}}, Acknowledged(1, 2)),
        ({"ack": {"of": f"{ID}1"}}, Acknowledged(1, 0)),
        ({"ack": {"of": f"{ID}1", "try": None}}, Acknowledged(1, 0)),
        ({"ack": {"of": f"{ID}1", "try": -1}}, Acknowledged(1, 0)),
        ({"ack": {"of": f"{ID}1", "try": 10**30}}, Acknowledged(1, 0)),
        ({"ack": {"of": f"{ID}3", "try": 1}}, UnknownAck()),
        ({"ack": {"of": "else", "try": 1}}, UnknownAck()),
        ({"ack": {"of": "000000ab-8-1"}}, Unexpected("reply_to_another_session")),
        ({"ok": True}, Unexpected("reply_field_missing")),
        ({"notice": {"ack": 1}}, FOREIGN),
        ("ok", Unexpected("not_json")),
    ],
)
def test_each_message_is_one_thing(message: Any, event: Event) -> None:
    found = read(message)
    assert (type(found), found) == (type(event), event)


def test_without_a_field_for_it_no_attempt_is_named() -> None:
    settings = {"kind": "ack", "send": "{seq}", "ack": {"pattern": r"^ack (\d+)"}}
    assert read("ack 2", settings) == Acknowledged(2, 0)


def test_squalls_envelope_needs_no_talk() -> None:
    with pytest.raises(ValueError, match="needs no talk"):
        AckTalk(AckExchange(), SEAT, Surroundings())
