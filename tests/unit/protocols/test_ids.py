"""The ids of a session's messages: what fills a template, and which message an answer names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from squall.protocols.base import Surroundings, Unexpected
from squall.protocols.ids import UNKNOWN_ID, Ids
from squall.protocols.reading import Heard
from squall.scenario.exchanges import ReplyKey
from unit.protocols.talks import SEAT, frame

AROUND = Surroundings(run_number=0xAB, started_wall_ns=1_700_000_000_000_000_000, types=("a", "b"))


def ids(send: Any, sent: int = 3, **key: str) -> Ids:
    found = Ids(send, ReplyKey.model_validate(key), SEAT, AROUND)
    for sequence in range(sent):
        found.message(sequence, 0, 0)
    return found


def test_everything_that_squall_makes_is_filled_in() -> None:
    send = {name: f"{{{name}}}" for name in ("id", "seq", "type", "session", "now_ms", "attempt", "user")}
    said = json.loads(ids(send, field="id").message(5, 1, 2_000_000, 3))
    assert said == {
        "id": "000000ab-7-5", "seq": 5, "type": "b", "session": 7, "now_ms": 1_700_000_000_002, "attempt": 3,
        "user": "ada",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({"of": "000000ab-7-2"}, 2),
        ({"of": "000000ab-7-3"}, UNKNOWN_ID),
        ({"of": "000000ab-8-2"}, Unexpected("reply_to_another_session")),
        ({"of": 2}, UNKNOWN_ID),
        ({}, Unexpected("reply_field_missing")),
        ("2", Unexpected("reply_field_missing")),
        ("of", Unexpected("not_json")),
    ],
)
def test_which_message_an_answer_names(answer: Any, named: int | Unexpected) -> None:
    assert ids({"id": "{id}"}, field="of").named_in(Heard(frame(answer))) == named


def test_the_number_alone_may_come_as_text_or_number_and_a_group_of_text_too() -> None:
    by_field, by_group = ids({"n": "{seq}"}, field="n"), ids("{seq}", pattern=r"ok (\d+)")
    assert [by_field.named_in(Heard(frame({"n": n}))) for n in (2, "2", 3, -1, 1.0, True)] == [
        2, 2, UNKNOWN_ID, UNKNOWN_ID, UNKNOWN_ID, UNKNOWN_ID,
    ]  # fmt: skip
    assert [by_group.named_in(Heard(frame(text))) for text in ("ok 1", "no")] == [
        1,
        Unexpected("pattern_not_found"),
    ]
