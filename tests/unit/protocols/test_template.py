"""Templates: what is filled in, and that nothing a data file holds can break the JSON around it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.protocols.template import filled_with

VALUES = {"id": "ab-7-4", "seq": 4, "type": "chat", "session": 7, "now_ms": 1_700_000_000_000}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{user} says {seq}", "ada says 4"),
        ("{{user}} {user}{seq}", "{user} ada4"),
        ('{"a":{"id":"{id}"}}', '{"a":{"id":"ab-7-4"}}'),
        ({"id": "{id}", "n": "{seq}", "at": "{now_ms}"}, '{"id":"ab-7-4","n":4,"at":1700000000000}'),
        ({"n": "no. {seq}", "{seq}": "{type}"}, '{"n":"no. 4","4":"chat"}'),
        ({"list": ["{session}", 'say "{seq}"']}, '{"list":[7,"say \\"4\\""]}'),
        ({"u": "{{user}}", "x": {}}, '{"u":"{user}","x":{}}'),
    ],
)
def test_places_are_filled(template: str | dict[str, object], text: str) -> None:
    assert filled_with(template, {"user": "ada"}).text(VALUES) == text


@given(st.text(), st.text())
def test_json_stays_json_whatever_the_data_hold(user: str, room: str) -> None:
    filled = filled_with({"user": "{user}", "in": ["to {room}!"], "n": "{seq}"}, {"user": user, "room": room})
    assert json.loads(filled.text(VALUES)) == {"user": user, "in": [f"to {room}!"], "n": 4}


def test_it_shows_nothing_of_itself() -> None:
    assert "secret" not in repr(filled_with("{token}", {"token": "secret"}))
