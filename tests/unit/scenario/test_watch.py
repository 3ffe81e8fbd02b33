"""What is watched: what the models refuse, names, and that no secret shows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario.codec import from_bytes, to_bytes
from squall.scenario.loader import load_scenario
from squall.scenario.redact import redacted
from squall.scenario.scraping import parse_expression
from squall.scenario.watch import DEFAULT_METRICS, Watch, provides, source_names


def watch(*sources: dict[str, Any], **settings: Any) -> Watch:
    return Watch.model_validate({"target": sources, **settings})


def refused(*sources: dict[str, Any], **settings: Any) -> dict[tuple[Any, ...], str]:
    with pytest.raises(ValidationError) as caught:
        watch(*sources, **settings)
    return {error["loc"]: error["msg"] for error in caught.value.errors()}


def test_nothing_is_watched_unless_asked_for() -> None:
    assert Watch().target == ()
    assert Watch().interval == 5.0


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({}, "none is given"),
        ({"pid": 1, "port": 2}, "pid and port is given"),
        ({"name": "a"}, "none is given"),
    ],
)
def test_a_source_is_watched_in_one_way(source: dict[str, Any], named: str) -> None:
    assert named in refused(source)["target", 0]


def test_headers_and_metrics_are_for_endpoints() -> None:
    assert "headers are for a Prometheus" in refused({"pid": 1, "headers": {"A": "b"}})["target", 0]
    assert "metrics are for a Prometheus" in refused({"port": 1, "metrics": {"a": "b"}})["target", 0]


@pytest.mark.parametrize(
    "url", ["ws://a/", "a:80", "http://", "http://a:99999/", "http://a/ b", "file:///etc/x"]
)
def test_an_endpoint_is_a_page(url: str) -> None:
    assert ("target", 0, "prometheus") in refused({"prometheus": url})


def test_each_metric_that_is_not_understood_is_named() -> None:
    found = refused({"prometheus": "http://a/", "metrics": {"b c": "x", "d": "x y", "ok": "x"}})
    assert {loc[:3] for loc in found} == {("target", 0, "metrics")}
    assert {loc[3] for loc in found} == {"b…", "d"}


def test_names_are_given_once_and_not_those_of_squalls_own() -> None:
    found = refused({"pid": 1, "name": "host"}, {"pid": 2, "name": "a"}, {"pid": 3, "name": "a"})
    assert set(found) == {("target", 0, "name"), ("target", 2, "name")}
    assert set(refused({"pid": 1, "name": "a b"})) == {("target", 0, "name")}


def test_a_source_without_a_name_is_called_target() -> None:
    assert source_names(watch({"pid": 1})) == ("target",)
    three = watch({"pid": 1}, {"pid": 2, "name": "target"}, {"port": 3})
    assert source_names(three) == ("target-2", "target", "target-3")


@pytest.mark.parametrize("settings", [{"interval": 0}, {"timeout": 0}, {"interval": "2h"}])
def test_times_have_bounds(settings: dict[str, Any]) -> None:
    assert set(refused(**settings)) == {(name,) for name in settings}


def test_what_a_watch_provides() -> None:
    assert provides(watch({"pid": 1}), "memory_share")
    assert provides(watch({"port": 1}), "cpu_share")
    named = watch({"prometheus": "http://a/", "metrics": {"cpu_share": "x"}})
    assert provides(named, "cpu_share")
    assert not provides(named, "memory_share")
    assert not provides(watch({"command": "x"}), "cpu_share")
    assert not provides(Watch(), "cpu_share")


def test_the_default_metrics_are_understood() -> None:
    assert all(parse_expression(text) for text in DEFAULT_METRICS.values())


def test_no_secret_of_a_source_is_shown_and_all_reach_a_worker() -> None:
    given = {
        "target": "ws://a/",
        "watch": {
            "target": [
                {
                    "prometheus": "http://user:hunter2@a/metrics?key=hunter2",
                    "headers": {"Authorization": "Bearer hunter2", "X-Tenant": 12},
                },
                {"command": "curl -u user:hunter2 http://a/"},
            ]
        },
    }
    scenario = load_scenario(given).scenario
    assert "hunter2" not in str(scenario.watch) + repr(scenario) + str(redacted(scenario))
    first, second = redacted(scenario)["watch"]["target"]
    assert first["prometheus"] == "http://a/metrics?key=***"
    assert first["headers"] == {"Authorization": "***", "X-Tenant": "***"}
    assert second == {"command": "***"}
    assert from_bytes(to_bytes(scenario)) == scenario


def test_a_single_source_may_stand_alone_and_mistakes_are_shown_where_it_stands() -> None:
    assert source_names(
        load_scenario({"target": "ws://a/", "watch": {"target": {"port": 1}}}).scenario.watch
    ) == ("target",)
    with pytest.raises(Exception, match=r"watch\.target\.port: must be at most 65,535"):
        load_scenario({"target": "ws://a/", "watch": {"target": {"port": 99999}}})
