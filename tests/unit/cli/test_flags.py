"""Flags mean settings, and every flag means one that there is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import typer

from squall.cli.flags import FLAGS, flag_values, with_values
from squall.scenario.fields import TOP_OF_SINGLE, find


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_flag_means_a_setting_of_the_scenario(flag: Any) -> None:
    path = tuple(flag.setting.split("."))
    full = ("populations", 0, *path) if path[0] in TOP_OF_SINGLE else path
    assert find(full) is not None


def test_no_two_flags_share_a_name_or_a_parameter_and_only_lists_a_setting() -> None:
    names = [name for flag in FLAGS for text in flag.names for name in text.split("/")]
    assert len(set(names)) == len(names)
    assert len({flag.key for flag in FLAGS}) == len(FLAGS)
    shared = Counter(flag.setting for flag in FLAGS)
    assert {setting for setting, times in shared.items() if times > 1} == {"watch.target"}
    assert all(flag.repeats for flag in FLAGS if flag.setting == "watch.target")


def values(**given: Any) -> dict[str, Any]:
    return {flag.setting: value for flag, value in flag_values(given)}


def test_what_was_not_given_sets_nothing() -> None:
    assert values(connections=None, target=[], reconnect=None, header=[]) == {}


def test_values_are_passed_on_as_they_were_typed() -> None:
    assert values(connections=["10k"], rate=["5/s"], payload=["100,1KiB"]) == {
        "load.connections": "10k",
        "traffic.rate": "5/s",
        "traffic.payload": "100,1KiB",
    }


def test_switches_say_yes_or_no() -> None:
    assert values(reconnect=True, csv=False, insecure=True) == {
        "load.reconnect.after_drop": True,
        "outputs.csv": False,
        "target.tls.verify": False,
    }
    assert values(reconnect=False) == {"load.reconnect.after_drop": False}


def test_several_values_make_a_list() -> None:
    assert values(target=["ws://a/", "ws://b/"], source_address=["127.0.0.2"]) == {
        "target.url": ["ws://a/", "ws://b/"],
        "target.source_addresses": ["127.0.0.2"],
    }


def test_faults_are_taken_apart() -> None:
    assert values(fault=["drop:0.01:direction=up", "blackhole:at=10s:for=3s", "cut"]) == {
        "faults": [
            {"kind": "drop", "probability": "0.01", "direction": "up"},
            {"kind": "blackhole", "at": "10s", "for": "3s"},
            {"kind": "cut"},
        ]
    }


def test_headers_types_and_thresholds_are_taken_apart() -> None:
    assert values(
        header=["X-Key:  a: b ", "Empty:"],
        type=["chat:3", "typing"],
        threshold=["ws_response_time{type:chat}: p(95)<200", "ws_sessions:count>9"],
    ) == {
        "target.headers": {"X-Key": "a: b", "Empty": ""},
        "traffic.types": [{"name": "chat", "weight": "3"}, {"name": "typing", "weight": "1"}],
        "thresholds": [
            {"metric": "ws_response_time{type:chat}", "threshold": "p(95)<200"},
            {"metric": "ws_sessions", "threshold": "count>9"},
        ],
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"connections": ["1", "2"]}, "is given 2 times"),
        ({"header": ["verysecret"]}, "'Name: value'"),
        ({"header": [": verysecret"]}, "'Name: value'"),
        ({"header": ["A: verysecret", "A: verysecret"]}, "A is given twice"),
        ({"threshold": ["p(95)<200"]}, "'metric: bound'"),
        ({"fault": ["drop:0.1:up"]}, "is no KEY=VALUE"),
        ({"threshold": ["ws_response_time{a:b: p(95)<200"]}, "'metric: bound'"),
    ],
)
def test_what_is_not_written_as_it_must_be_is_refused_without_a_secret(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        flag_values(given)
    assert words in str(caught.value)
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["run", "a.yaml", "--web"], ["run", "a.yaml", "--web=0"]),
        (["run", "--web", "a.yaml"], ["run", "--web=0", "a.yaml"]),
        (["run", "--web", "--progress", "json"], ["run", "--web=0", "--progress", "json"]),
        (["echo", "--web", "ws://host:8080"], ["echo", "--web=0", "ws://host:8080"]),
        (["run", "--web", "8080"], ["run", "--web", "8080"]),
        (["run", "--web", "0.0.0.0:8080", "a.yaml"], ["run", "--web", "0.0.0.0:8080", "a.yaml"]),
        (["run", "--web", "[::1]:8080"], ["run", "--web", "[::1]:8080"]),
        (["run", "--web=box:80", "--prometheus", "9464"], ["run", "--web=box:80", "--prometheus", "9464"]),
    ],
)
def test_a_flag_that_may_stand_alone_gets_its_value(typed: list[str], read: list[str]) -> None:
    assert with_values(typed) == read
