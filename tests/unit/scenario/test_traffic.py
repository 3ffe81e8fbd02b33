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


def test_how_often_is_said_by_the_pattern_in_use_alone() -> None:
    assert Traffic(rate=3).mean_rate == 3
    assert Traffic(pattern="burst", burst_size=10, burst_every=2).mean_rate == 5
    assert Traffic(pattern="sequential").mean_rate == 0.2
    assert _refused(Traffic, {"pattern": "burst", "rate": 2}) == {("rate",)}
    assert _refused(Traffic, {"pattern": "sequential", "arrival": "poisson", "burst_size": 2}) == {
        ("arrival",),
        ("burst_size",),
    }
    assert _refused(Traffic, {"reply_timeout": 2}) == {("reply_timeout",)}


def test_types_have_rates_all_or_none_and_instead_of_a_weight() -> None:
    rated = Traffic.model_validate({"types": [{"name": "a", "rate": 3}, {"name": "b", "rate": "60/min"}]})
    assert (rated.mean_rate, rated.type_weights) == (4, (3, 1))
    types = [{"name": "a", "rate": 3}, {"name": "b"}, {"name": "c", "rate": 1, "weight": 2}]
    assert _refused(Traffic, {"types": types, "rate": 2}) == {
        ("rate",),
        ("types", 1, "rate"),
        ("types", 2, "weight"),
    }
    assert _refused(Traffic, {"types": types[:1], "pattern": "burst"}) == {("types",)}
    assert ("types", 0, "rate") in _refused(Traffic, {"types": [{"rate": 0}]})


@pytest.mark.parametrize("guarantee", [-0.1, 1.5, "nan"])
def test_a_guarantee_that_is_no_share_is_refused(guarantee: Any) -> None:
    assert ("types", 0, "guarantee") in _refused(Traffic, {"types": [{"guarantee": guarantee}]})


@pytest.mark.parametrize("guarantee", [0, 0.9999, 1])
def test_a_guarantee_is_a_share(guarantee: float) -> None:
    assert Traffic.model_validate({"types": [{"guarantee": guarantee}]}).types[0].guarantee == guarantee


def test_a_priority_has_one_of_four_names() -> None:
    assert ("types", 0, "priority") in _refused(Traffic, {"types": [{"priority": "urgent"}]})
    assert Traffic.model_validate({"types": [{"priority": "high"}]}).types[0].priority == "high"


def test_sequential_traffic_needs_somebody_who_answers_the_sender() -> None:
    traffic = {"pattern": "sequential"}
    for kind in ("room", "relay"):
        assert _refused(Population, {"traffic": traffic, "exchange": {"kind": kind}}) == {
            ("traffic", "pattern")
        }
    for kind in ("echo", "ack", "acked_push"):
        made = Population.model_validate({"traffic": traffic, "exchange": {"kind": kind}})
        assert made.traffic.pattern == "sequential"
