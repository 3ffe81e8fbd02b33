"""What a template names: columns of the data, and values that squall makes."""

from __future__ import annotations

from typing import Any

import pytest

from squall.scenario.templates import columns_of, generated_in, texts_of


@pytest.mark.parametrize(
    ("template", "columns", "generated"),
    [
        (None, set(), set()),
        ("{user} {{room}} {seq}", {"user"}, {"seq"}),
        ({"{key}": ["{a}", {"b": "{id}{b}"}], "n": 5, "t": True}, {"key", "a", "b"}, {"id"}),
    ],
)
def test_places_are_told_apart(template: Any, columns: set[str], generated: set[str]) -> None:
    assert (columns_of(template), generated_in(template)) == (columns, generated)


def test_every_text_is_looked_at() -> None:
    assert list(texts_of({"a": ["b", 1, None], "c": {"d": "e"}})) == ["a", "b", "c", "d", "e"]
