"""Settings from environment variables."""

from __future__ import annotations

from typing import Any

import pytest

from squall.scenario.environment import from_environment
from squall.scenario.mistakes import Path


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("SQUALL_LOAD__HOLD", "5m", ("load", "hold"), "5m"),
        ("SQUALL_TARGET", "ws://h/", ("target",), "ws://h/"),
        ("SQUALL_TARGET__URL", "ws://a/,ws://b/", ("target", "url"), "ws://a/,ws://b/"),
        ("SQUALL_TARGET__URL", '["ws://a/"]', ("target", "url"), ["ws://a/"]),
        ("SQUALL_LOAD__RAMP_UP__DOUBLE_EVERY", "5s", ("load", "ramp_up", "double_every"), "5s"),
        ("SQUALL_TRAFFIC__RATE", "2/s", ("traffic", "rate"), "2/s"),
        ("SQUALL_DATA__CYCLE", "yes", ("data", "cycle"), "yes"),
        ("SQUALL_POPULATIONS__1__TRAFFIC__RATE", "3", ("populations", 1, "traffic", "rate"), "3"),
        ("SQUALL_TARGET__HEADERS", '{"X-A": "b"}', ("target", "headers"), {"X-A": "b"}),
        ("SQUALL_TARGET__HEADERS__X_API_KEY", "k", ("target", "headers", "x-api-key"), "k"),
        ("SQUALL_TARGET__NODE_HEADER", "null", ("target", "node_header"), None),
    ],
)
def test_a_variable_is_a_setting(name: str, text: str, path: Path, value: Any) -> None:
    layer, mistakes = from_environment({name: text})
    assert mistakes == []
    assert {where: (override.value, override.source) for where, override in layer.items()} == {
        path: (value, f"environment {name}")
    }


def test_other_variables_are_left_alone() -> None:
    assert from_environment(
        {"PATH": "/", "SQUALL_PURE": "1", "SQUALL_SCALE": "smoke", "SQUALL_SEED": ""}
    ) == ({}, [])


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("SQUALL_LOD__HOLD", '; did you mean "SQUALL_LOAD__HOLD"?'),
        ("SQUALL_LOAD_HOLD", '; did you mean "SQUALL_LOAD__HOLD"?'),
        ("SQUALL_TRAFIC__RATE", '; did you mean "SQUALL_TRAFFIC__RATE"?'),
        ("SQUALL_TARGET__HEADERS__", '; did you mean "SQUALL_TARGET__HEADERS"?'),
        (
            "SQUALL_POPULATIONS__0__TRAFFIC__PAYLOAD__0__SIZE",
            '; did you mean "SQUALL_POPULATIONS__0__TRAFFIC__PAYLOAD"?',
        ),
        ("SQUALL_QQQQQQQQQQQQQQQQQQQ", ""),
    ],
)
def test_a_name_that_means_nothing_is_a_mistake(name: str, suggestion: str) -> None:
    layer, mistakes = from_environment({name: "hunter2"})
    assert layer == {}
    assert [(mistake.path, mistake.message) for mistake in mistakes] == [
        ((name,), f"is no setting{suggestion}")
    ]


def test_bad_json_is_a_mistake_that_does_not_quote_it() -> None:
    layer, (mistake,) = from_environment({"SQUALL_TARGET__HEADERS": '{"A": hunter2'})
    assert layer == {}
    assert "is no JSON" in mistake.message
    assert "hunter2" not in mistake.message
