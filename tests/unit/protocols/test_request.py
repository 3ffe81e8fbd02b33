"""Requests: what is said, which reply belongs to which, and whether it is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from squall.errors import ExitCode, UserCodeError
from squall.protocols.base import FOREIGN, Answered, Event, Unexpected, Wrong
from unit.protocols.talks import frame, talk

SAY = {
    "kind": "request",
    "send": {"op": "say", "id": "{id}", "n": "{seq}", "user": "{user}", "kind": "{type}"},
    "reply": {"field": "re.id"},
    "correct": [{"field": "status", "equals": "ok"}, {"field": "to", "equals": "{user}"}],
    "foreign": [{"field": "op", "equals": "said"}],
}
ID = "000000ab-7-"


def answer(message: Any, settings: Mapping[str, Any] = SAY, sent: int = 3, **around: Any) -> Event:
    """What a message is once so many requests were sent."""
    request = talk(settings, **around)
    for sequence in range(sent):
        request.message(sequence, 0, 0)
    return request.read(frame(message))


def reply(sequence: int | str, **changed: Any) -> dict[str, Any]:
    return {"re": {"id": f"{ID}{sequence}"}, "status": "ok", "to": "ada", **changed}


def test_a_request_is_the_template_filled_in() -> None:
    said = json.loads(talk(SAY, types=("a", "b")).message(5, 1, 0))
    assert said == {"op": "say", "id": f"{ID}5", "n": 5, "user": "ada", "kind": "b"}


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (reply(1), Answered(1)),
        (reply(1, status="no"), Wrong(1, "wrong_status")),
        (reply(1, to="ben"), Wrong(1, "wrong_to")),
        ({"re": {"id": f"{ID}2"}}, Wrong(2, "wrong_status")),
        ({"op": "said", "re": {"id": f"{ID}2"}}, FOREIGN),
        (reply(3), Unexpected("unknown_id")),
        (reply("x"), Unexpected("unknown_id")),
        (reply("9" * 30), Unexpected("unknown_id")),
        (reply(1, re={"id": 5}), Unexpected("unknown_id")),
        (reply(1, re={"id": "000000ab-8-1"}), Unexpected("reply_to_another_session")),
        (reply(1, re={"id": "000000ac-7-1"}), Unexpected("reply_to_another_session")),
        ({"status": "ok"}, Unexpected("reply_field_missing")),
        ("hello", Unexpected("not_json")),
        (b"\xff\xfe", Unexpected("not_json")),
    ],
)
def test_each_message_is_one_thing(message: Any, event: Event) -> None:
    assert answer(message) == event


def test_text_is_matched_by_a_group_and_a_number_alone_by_itself() -> None:
    text = {"kind": "request", "send": "PING {seq}", "reply": {"pattern": r"^PONG (\d+)$"}}
    assert talk(text).message(4, 0, 0) == "PING 4"
    assert answer("PONG 2", text) == Answered(2)
    assert answer("PONG 3", text) == Unexpected("unknown_id")
    assert answer("PONG", text) == Unexpected("pattern_not_found")


def test_a_function_of_the_users_judges_what_the_conditions_passed() -> None:
    asked: list[tuple[Any, Mapping[str, Any]]] = []

    def check(found: Any, request: Mapping[str, Any]) -> bool:
        asked.append((found, request))
        return bool(found["n"] == request["seq"])

    settings = {**SAY, "check": "mine:check"}
    assert answer(reply(1, n=1), settings, check=check) == Answered(1)
    assert answer(reply(1, n=2), settings, check=check) == Wrong(1, "wrong_by_check")
    assert answer(reply(1, status="no"), settings, check=check) == Wrong(1, "wrong_status")
    assert len(asked) == 2
    assert asked[0][1]["user"] == "ada"


def test_a_function_that_raises_is_the_users_error_and_its_words_are_not_shown() -> None:
    def check(found: Any, request: Mapping[str, Any]) -> bool:
        raise ValueError(f"{request['token']} {found}")

    with pytest.raises(UserCodeError) as caught:
        answer(reply(1), {**SAY, "check": "mine:check"}, check=check)
    said = str(caught.value)
    assert "exchange.check mine:check: ValueError at line" in said
    assert "message 1 of session 7, data row 4" in said
    assert "cret" not in said
    assert "status" not in said
    assert caught.value.exit_code is ExitCode.USER_CODE
    assert caught.value.__cause__ is None
