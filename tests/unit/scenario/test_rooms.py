"""The models of rooms and pairs: how they are joined, and what a mistake in them says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squall.errors import ScenarioError
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario


def loaded(**population: Any) -> Scenario:
    return load_scenario({"target": "ws://h/"} | population).scenario


def mistakes(**population: Any) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(**population)
    lines = caught.value.message.splitlines()[1:]
    return dict(line.strip().split(": ", 1) for line in lines)


def test_a_room_is_joined_last_as_the_bundled_service_wants_it() -> None:
    exchange = loaded(exchange="room").populations[0].exchange
    (step,) = exchange.joining
    assert step.send == {"join": "{room}"}
    assert [(each.field, each.equals) for each in step.expect] == [("joined", "{room}")]
    assert (exchange.members, exchange.answers_share) == (4, 0.5)
    relay = loaded(exchange={"kind": "relay", "join": "enter {room}", "joined": [], "timeout": "1s"})
    (step,) = relay.populations[0].exchange.joining
    assert (step.send, step.expect, step.refuse) == ("enter {room}", (), ())
    assert (relay.populations[0].exchange.members, relay.populations[0].exchange.answers_share) == (2, 0.0)


def test_a_room_may_need_no_join() -> None:
    assert loaded(exchange={"kind": "room", "join": None, "joined": []}).populations[0].exchange.joining == ()


@pytest.mark.parametrize(
    ("exchange", "path", "words"),
    [
        ({"size": 1}, "exchange.size", "must be at least 2"),
        ({"answers": 1.5}, "exchange.answers", "must be at most 1"),
        (
            {"join": "enter {id}"},
            "exchange.join",
            "{id} belongs to a message; before the first there is none",
        ),
        ({"join": "enter {hall}"}, "exchange.join", "{hall} names a column, but the population has no data"),
        (
            {"joined": {"equals": "in {hall}"}},
            "exchange.joined",
            "{hall} names a column, but the population has no data",
        ),
    ],
)
def test_a_mistake_in_a_room_is_shown_where_it_stands(
    exchange: dict[str, Any], path: str, words: str
) -> None:
    found = mistakes(exchange={"kind": "room", **exchange})
    assert words in found[path]


def test_the_rooms_name_is_filled_in_wherever_a_column_is(tmp_path: Path) -> None:
    headers = {"X-Room": "{room}"}
    url = "ws://h/?room={room}"
    loaded(target=url, populations=[{"exchange": "room", "headers": headers}])
    assert "{room} names a column" in str(mistakes(target=url, exchange="echo"))
    assert "{room} names a column" in str(mistakes(populations=[{"exchange": "echo", "headers": headers}]))
    data = tmp_path / "users.csv"
    data.write_text("room,user\na,b\n")
    assert "is filled in by the exchange" in str(mistakes(exchange="room", data={"file": str(data)}))
    data.write_text("user\nb\n")
    exchange = {"kind": "room", "join": "{room} {user}"}
    loaded(target=url, populations=[{"exchange": exchange, "data": {"file": str(data)}, "headers": headers}])
