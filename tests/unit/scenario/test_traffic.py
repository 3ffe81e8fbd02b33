"""The populations' models: sizes, types, counts and data that fit each other."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario.traffic import Population, Traffic


def _refused(model: Any, settings: dict[str, Any]) -> set[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(settings)
    return {error["loc"] for error in caught.value.errors()}


@pytest.mark.parametrize(("message_format", "least"), [("binary", 48), ("text", 64)])
def test_a_payload_below_the_envelope_is_refused_unless_idle(message_format: str, least: int) -> None:
    traffic = {"format": message_format, "payload": [{"size": 1000}, {"size": least - 1}]}
    assert _refused(Population, {"traffic": traffic}) == {("traffic", "payload", 1, "size")}
    idle = Population.model_validate({"exchange": {"kind": "idle"}, "traffic": traffic})
    assert idle.traffic.payload[1].size == least - 1
    traffic["payload"] = [{"size": least}]
    assert Population.model_validate({"traffic": traffic}).traffic.payload[0].size == least


def test_a_payload_is_judged_beside_other_mistakes_of_the_traffic() -> None:
    traffic = {"rate": "fast", "payload": [{"size": 4}]}
    assert _refused(Population, {"traffic": traffic}) == {
        ("traffic", "rate"),
        ("traffic", "payload", 0, "size"),
    }


def test_a_population_with_a_bad_payload_reports_only_that() -> None:
    assert _refused(Population, {"traffic": {"payload": [{"size": "big"}]}}) >= {
        ("traffic", "payload", 0, "size")
    }
    assert _refused(Population, {"traffic": 5}) == {("traffic",)}


def test_types_have_names_of_their_own() -> None:
    assert ("types", 1, "name") in _refused(Traffic, {"types": [{"name": "a"}, {"name": "a"}]})
    assert ("types", 0, "name") in _refused(Traffic, {"types": [{"name": "a b"}]})


@pytest.mark.parametrize("weight", [0, -1, "inf", "nan"])
def test_a_weight_that_is_no_share_is_refused(weight: Any) -> None:
    assert ("payload", 0, "weight") in _refused(Traffic, {"payload": [{"weight": weight}]})
    assert ("types", 0, "weight") in _refused(Traffic, {"types": [{"weight": weight}]})


def test_messages_cannot_be_sent_at_a_rate_of_zero() -> None:
    assert _refused(Traffic, {"rate": 0, "messages_per_session": 3}) == {("messages_per_session",)}
    assert Traffic.model_validate({"rate": 0}).messages_per_session is None


def test_a_header_that_names_a_column_needs_data() -> None:
    headers = {"X-Token": "{token}"}
    assert _refused(Population, {"headers": headers}) == {("headers", "X-Token")}
    assert Population.model_validate({"headers": headers, "data": {"file": "users.csv"}}).data is not None


def test_headers_are_kept_secret_and_checked() -> None:
    population = Population.model_validate({"headers": {"Authorization": "hunter2"}})
    assert "hunter2" not in repr(population) + population.model_dump_json()
    assert _refused(Population, {"headers": {"X-A": "a\rb"}}) == {("headers", "X-A")}
