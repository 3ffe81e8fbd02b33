"""Mistakes: collected, suggested, and shown by a path that cannot leak."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from squall.scenario.mistakes import Mistakes, did_you_mean, path_text


def test_a_close_name_is_suggested_whatever_its_case() -> None:
    assert did_you_mean("Conections", ["hold", "connections"]) == '; did you mean "connections"?'
    assert did_you_mean("x-apikey", ["X-Api-Key"]) == '; did you mean "X-Api-Key"?'


def test_nothing_is_suggested_where_nothing_is_close() -> None:
    assert did_you_mean("zebra", ["hold", "connections"]) == ""


def test_a_path_reads_as_people_write_it() -> None:
    assert (
        path_text(("populations", 1, "traffic", "payload", 0, "size"))
        == "populations[1].traffic.payload[0].size"
    )
    assert path_text(("thresholds", "ws_response_time{type:a}")) == "thresholds.ws_response_time{type:a}"


def test_a_key_that_is_no_name_is_cut_before_what_may_be_a_secret() -> None:
    assert path_text(("target", "headers", "Authorization: Bearer abc")) == "target.headers.Authorization…"
    assert path_text(("target", "ws://u:p@host")) == "target.ws…"
    assert path_text(("", "a")) == "….a"


class _Pair(BaseModel):
    first: int
    both: list[int]

    @field_validator("both")
    @classmethod
    def _are_small(cls, both: list[int]) -> list[int]:
        mistakes = Mistakes()
        for place, number in enumerate(both):
            if number > 9:
                mistakes.add("too large", place)
        mistakes.raise_any()
        return both


def test_a_validator_reports_several_mistakes_with_their_paths() -> None:
    with pytest.raises(ValidationError) as caught:
        _Pair.model_validate({"first": "x", "both": [1, 10, 2, 30]})
    assert {error["loc"] for error in caught.value.errors()} == {("first",), ("both", 1), ("both", 3)}


def test_what_an_inner_validation_found_keeps_its_path_and_words() -> None:
    with pytest.raises(ValidationError) as inner:
        _Pair.model_validate({"first": "x", "both": [10]})
    mistakes = Mistakes()
    mistakes.adopt(inner.value)
    mistakes.add("one more", "both")
    with pytest.raises(ValidationError) as outer:
        mistakes.raise_any()
    found = [(error["loc"], error["type"], error["msg"]) for error in outer.value.errors()]
    assert found[:-1] == [(each["loc"], each["type"], each["msg"]) for each in inner.value.errors()]
    assert found[-1] == (("both",), "mistake", "one more")


def test_nothing_is_raised_where_nothing_was_found() -> None:
    assert _Pair.model_validate({"first": 1, "both": [1]}).both == [1]
    Mistakes().raise_any()
