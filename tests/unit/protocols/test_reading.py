"""Messages are read without raising, whatever came."""

from __future__ import annotations

import pytest

from squall.protocols.reading import MISSING, Heard, as_text, parsed_path
from unit.protocols.talks import frame


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", {"b": [{"c": 1}, None]}),
        ("a.b.0.c", 1),
        ("a.b.1", None),
        ("a.b.2", MISSING),
        ("a.b.x", MISSING),
        ("a.b.-1", MISSING),
        ("a.b.0.c.d", MISSING),
        ("b", MISSING),
    ],
)
def test_a_field_is_found_by_its_path(path: str, value: object) -> None:
    found = Heard(frame({"a": {"b": [{"c": 1}, None]}})).field(parsed_path(path))
    assert found is value if value is MISSING else found == value


@pytest.mark.parametrize("payload", [b"", b"hello", b'{"a":', b'"\xff"', b"[" * 100_000, b"NaN"])
def test_what_is_no_json_has_no_fields(payload: bytes) -> None:
    heard = Heard(frame(payload))
    assert heard.document is MISSING
    assert heard.field(("a",)) is MISSING
    assert len(heard.text) == len(payload)


def test_a_document_that_is_null_is_there() -> None:
    assert Heard(frame("null")).document is None


@pytest.mark.parametrize(
    ("value", "text"), [("x y", "x y"), (5, "5"), (True, "true"), (None, "null"), ([1], "[1]")]
)
def test_values_as_text(value: object, text: str) -> None:
    assert as_text(value) == text
