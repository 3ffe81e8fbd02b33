"""The rules beyond types, each with what keeps it and what breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario import checks
from squall.scenario.models import (
    ConstantRamp,
    ExponentialRamp,
    LinearRamp,
    SequencePart,
    SequenceRamp,
    SteppedRamp,
    Target,
)


def test_findings_are_raised_together() -> None:
    with pytest.raises(ValidationError) as caught:
        checks.report([(("a",), "one"), (("b", 0), "two")])
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [
        (("a",), "one"),
        (("b", 0), "two"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X-A", "a\r\nX-B: c", "line break"),
        ("X-A", "a\x00", "printable ASCII"),
        ("X-A", "é", "printable ASCII"),
        ("X A", "a", "no header name"),
        ("X:A", "a", "no header name"),
        ("", "a", "no header name"),
        ("Upgrade", "h2c", "belongs to the handshake"),
        ("Sec-WebSocket-Key", "a", "belongs to the handshake"),
        ("sec-websocket-protocol", "chat", "subprotocols"),
    ],
)
def test_a_header_that_cannot_be_sent_is_found(name: str, value: str, words: str) -> None:
    ((_, message),) = checks.headers({name: value})
    assert words in message


def test_headers_that_can_be_sent_pass() -> None:
    assert (
        list(
            checks.headers({"Authorization": "Bearer a\tb", "X-{!#$}".replace("{", "").replace("}", ""): ""})
        )
        == []
    )


def test_a_header_given_twice_in_two_cases_is_found() -> None:
    assert [path for path, _ in checks.headers({"X-A": "1", "x-a": "2"})] == [("x-a",)]


def test_a_header_name_that_may_hold_a_secret_is_cut() -> None:
    assert [path for path, _ in checks.headers({"Authorization: hunter2": ""})] == [("Authorization…",)]


def test_subprotocols_are_tokens_offered_once() -> None:
    assert list(checks.subprotocols(("chat", "v2.chat"))) == []
    assert [path for path, _ in checks.subprotocols(("chat", "a b", "chat", "a,b"))] == [(1,), (2,), (3,)]


def test_source_addresses_are_addresses_listed_once() -> None:
    assert list(checks.source_addresses(("127.0.0.1", "::1"))) == []
    assert [path for path, _ in checks.source_addresses(("127.0.0.1", "lo", "127.0.0.1"))] == [(1,), (2,)]


@pytest.mark.parametrize(("message_format", "least"), [("binary", 48), ("text", 64)])
def test_a_payload_must_hold_the_envelope(message_format: str, least: int) -> None:
    assert list(checks.payload_sizes([least, 1000], message_format)) == []
    assert [path for path, _ in checks.payload_sizes([1000, least - 1], message_format)] == [
        ("payload", 1, "size")
    ]


_EXPONENTIAL = ExponentialRamp(start=10, duration=60.0)


@pytest.mark.parametrize(
    ("shape", "before", "to"),
    [
        (ConstantRamp(), 0, 5),
        (LinearRamp(start=5), 0, 5),
        (SteppedRamp(), 0, 5),
        (_EXPONENTIAL, 0, 1000),
        (LinearRamp(), 1000, 0),
        (ExponentialRamp(double_every=1.0), 1000, 0),
        (ExponentialRamp(start=10, duration=30.0, double_every=10.0), 0, 80),
        (ExponentialRamp(start=10, duration=30.1, double_every=10.0), 0, 80),
        (ExponentialRamp(duration=40.0, double_every=10.0), 8, 0),
        (SequenceRamp(parts=(SequencePart(to=9), SequencePart(to=4, ramp=ExponentialRamp()))), 0, 4),
    ],
)
def test_a_shape_that_leads_where_it_should_passes(shape: Any, before: int, to: int) -> None:
    assert list(checks.ramp(shape, before=before, to=to)) == []


@pytest.mark.parametrize(
    ("shape", "before", "to", "path", "words"),
    [
        (LinearRamp(start=6), 0, 5, ("start",), "above the 5"),
        (_EXPONENTIAL, 0, 5, ("start",), "above the 5"),
        (LinearRamp(start=50), 100, 0, ("start",), "begins at the 100"),
        (ExponentialRamp(start=10, duration=60.0, double_every=10.0), 0, 80, ("duration",), "30 s follows"),
        (ExponentialRamp(duration=30.0, double_every=10.0), 8, 0, ("duration",), "40 s follows"),
        (SequenceRamp(parts=(SequencePart(to=9),)), 0, 10, ("parts", 0, "to"), "leads to 9"),
        (
            SequenceRamp(parts=(SequencePart(to=9), SequencePart(to=10, ramp=LinearRamp(start=3)))),
            0,
            10,
            ("parts", 1, "ramp", "start"),
            "begins at the 9",
        ),
    ],
)
def test_a_shape_that_contradicts_itself_is_found(
    shape: Any, before: int, to: int, path: Any, words: str
) -> None:
    ((where, message),) = checks.ramp(shape, before=before, to=to)
    assert where == path
    assert words in message


def test_repeated_names_are_found_in_raw_and_validated_items() -> None:
    raw = [{"name": "a"}, {}, {"name": "a"}, {"name": 3}, "x", {"name": "main"}]
    assert list(checks.repeated_names(raw, default="main")) == [(2, "a"), (5, "main")]
    assert list(checks.repeated_names((SequencePart(to=1),), default="main")) == []
    assert list(checks.repeated_names(None, default="main")) == []


def test_columns_are_looked_for_in_headers_and_query_only() -> None:
    target = Target.model_validate({"url": ["ws://host/p?a={b}"], "headers": {"X": "{c}"}})
    assert checks.texts_with_columns(target) == ["{c}", "a={b}"]


def test_a_column_without_data_is_found() -> None:
    ((path, message),) = checks.without_data(
        {"X": "{b} {a}", "Y": "{{a}}", "Z": "{room}"}, frozenset({"room"})
    )
    assert path == ("X",)
    assert message.startswith("{a}, {b} name columns")
