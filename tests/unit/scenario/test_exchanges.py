"""The exchanges' models: what contradicts itself is refused where it stands, and no secret is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squall.errors import ScenarioError
from squall.scenario.codec import from_bytes, to_bytes
from squall.scenario.exchanges import EXCHANGES
from squall.scenario.loader import load_scenario
from squall.scenario.models import Population, Scenario
from squall.scenario.redact import redacted_settings

REQUEST = {"kind": "request", "send": {"id": "{id}", "password": "hunter22"}, "reply": {"field": "id"}}
JSON_ACK = {
    "kind": "ack",
    "send": {"id": "{id}", "try": "{attempt}"},
    "ack": {"field": "ack"},
    "attempt": "try",
}


def loaded(**population: Any) -> Scenario:
    return load_scenario({"target": "ws://h/"} | population).scenario


def mistakes(**population: Any) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(**population)
    lines = caught.value.message.splitlines()[1:]
    return dict(line.strip().split(": ", 1) for line in lines)


def test_the_facts_of_each_kind() -> None:
    facts = {
        kind: (of.sends, of.counts_pushes, of.acknowledged_by, of.ping_interval_s)
        for kind, of in EXCHANGES.items()
    }
    assert facts == {
        "echo": (True, False, "", None),
        "idle": (False, False, "", 5.0),
        "push": (False, True, "", None),
        "request": (True, False, "", None),
        "ack": (True, False, "service", None),
        "acked_push": (True, False, "client", None),
        "room": (True, False, "", None),
        "relay": (True, False, "", None),
    }


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"kind": "echo"}, (True, "reply", True)),
        ({"kind": "idle"}, (False, "", True)),
        ({"kind": "push"}, (False, "", True)),
        (REQUEST, (False, "reply", False)),
        ({"kind": "ack"}, (True, "acknowledgement", False)),
        ({"kind": "ack", "evidence": "receiver"}, (True, "receiver", True)),
        (JSON_ACK, (False, "acknowledgement", False)),
        ({"kind": "acked_push"}, (True, "receiver", True)),
        ({"kind": "room"}, (True, "receiver", True)),
        ({"kind": "relay"}, (True, "receiver", True)),
    ],
)
def test_whether_there_is_an_envelope_what_shows_a_delivery_and_whether_order_is_judged(
    settings: dict[str, Any], facts: tuple[bool, str, bool]
) -> None:
    exchange = loaded(exchange=settings).populations[0].exchange
    assert (exchange.enveloped, exchange.evidence, exchange.judges_order) == facts


def test_a_drain_takes_as_long_as_a_whole_retry_schedule() -> None:
    assert loaded(exchange="echo").drain_s == 10
    assert loaded(exchange="ack").drain_s == 4 * 5 + 0.5 + 1 + 2
    long = {"kind": "ack", "timeout": 1, "retries": 6, "backoff": {"first": 2, "factor": 3, "max": 7}}
    assert loaded(exchange=long).drain_s == 7 * 1 + 2 + 6 + 4 * 7
    assert loaded(exchange={**long, "retries": 0}, delivery={"drain_timeout": "2s"}).drain_s == 2


def test_a_population_has_a_rate_only_where_it_sends() -> None:
    assert Population().rate_hz == 1.0
    assert Population.model_validate({"exchange": {"kind": "push"}}).rate_hz == 0.0


@pytest.mark.parametrize(
    ("exchange", "path", "words"),
    [
        ({"kind": "request", "reply": {"field": "id"}}, "send", "is required"),
        ({**REQUEST, "send": "hello"}, "send", "holds neither {id} nor {seq}"),
        ({**REQUEST, "reply": {}}, "reply", "needs either field or pattern"),
        ({**REQUEST, "reply": {"field": "a", "pattern": "(b)"}}, "reply", "needs either field or pattern"),
        ({**REQUEST, "reply": {"pattern": "b"}}, "reply.pattern", "needs a group"),
        ({**REQUEST, "reply": {"pattern": "(b"}}, "reply.pattern", "is no regular expression"),
        ({**REQUEST, "reply": {"field": "a..b"}}, "reply.field", "does not match"),
        ({**REQUEST, "correct": {"field": "a"}}, "correct", "needs one of equals, matches and exists"),
        ({**REQUEST, "correct": {"exists": True}}, "correct", "exists asks for a field"),
        ({**REQUEST, "correct": [{"equals": 1, "matches": "1"}]}, "correct[0]", "needs one of"),
        ({**REQUEST, "check": "function"}, "check", "does not match"),
        ({**REQUEST, "send": "{id} {user}"}, "send", "{user} names a column, but the population has no data"),
        ({**REQUEST, "send": "{id} {attempt}"}, "send", "{attempt} has no use here"),
        ({**JSON_ACK, "send": "hello"}, "send", "holds neither {id} nor {seq}"),
        ({**JSON_ACK, "send": "{id}"}, "", "attempt names a field that repeats {attempt}"),
        ({"kind": "ack", "send": "{id}"}, "", "send and ack go together"),
        ({"kind": "ack", "attempt": "try"}, "", "have no use without send"),
        ({**JSON_ACK, "evidence": "receiver"}, "", "needs squall's envelope"),
        ({"kind": "ack", "retries": 15}, "retries", "must be at most 14"),
        ({"kind": "ack", "evidence": "hope"}, "evidence", "must be 'acknowledgement' or 'receiver'"),
        ({"kind": "push", "key": "s"}, "key", "there is no sequence"),
        ({"kind": "push", "stamp": {"field": "t", "unit": "min"}}, "stamp.unit", "must be 's', 'ms'"),
        ({"kind": "puhs"}, "kind", 'did you mean "push"?'),
    ],
)
def test_a_mistake_is_shown_where_it_stands(exchange: dict[str, Any], path: str, words: str) -> None:
    found = mistakes(exchange=exchange)
    assert words in found[f"exchange.{path}".rstrip(".")]


def test_settings_that_a_template_makes_useless_are_refused() -> None:
    found = mistakes(exchange=REQUEST, traffic={"payload": 100, "format": "text", "rate": 5})
    assert set(found) == {"traffic.payload", "traffic.format"}


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        ({}, "opening", "needs send or expect"),
        ({"send": "a", "refuse": {"equals": "no"}}, "opening", "refuse needs expect"),
        ({"send": "{id}"}, "opening.send", "belongs to a message"),
        ({"send": "{user}"}, "opening.send", "names a column"),
        ({"send": "a", "expect": {"equals": "{user}"}}, "opening.expect", "names a column"),
        ({"send": "a", "timeout": 0}, "opening.timeout", "must be above 0"),
    ],
)
def test_so_is_one_of_an_opening(step: dict[str, Any], path: str, words: str) -> None:
    assert words in mistakes(opening=step)[path]


def test_a_template_is_held_against_the_data(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,seq\nada,1\n")
    file = tmp_path / "s.yaml"
    file.write_text(
        "target: ws://h/\ndata: users.csv\n"
        'exchange: {kind: request, send: "{id} {usr} {seq}", reply: {field: id}}\n'
        'opening: {send: "{tokn}", expect: {field: user, equals: "{user}"}}\n'
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    said = caught.value.message
    assert (
        'exchange.send: {usr} is neither a column of the data nor made by squall; did you mean "user"?'
        in said
    )
    assert "exchange.send: {seq} is made by squall, and a column of the data, too" in said
    assert "opening.send: {tokn} is neither" in said
    assert said.count("\n") == 3


def test_a_users_file_must_be_there(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        'target: ws://h/\nexchange: {kind: request, send: "{id}", reply: {field: id}, check: "mine.py:check"}\n'
    )
    with pytest.raises(ScenarioError, match=r"exchange.check: .*mine.py: No such file"):
        load_scenario(file)
    (tmp_path / "mine.py").write_text("")
    exchange = load_scenario(file).scenario.populations[0].exchange
    assert exchange.check == f"{tmp_path / 'mine.py'}:check"  # type: ignore[union-attr]  # a request has it


def test_what_is_sent_is_secret() -> None:
    made = loaded(exchange=REQUEST, opening=[{"send": {"token": "hunter22"}}, {"send": "hunter22 again"}])
    assert "hunter22" not in repr(made)
    assert "hunter22" not in str(redacted_settings(made))
    assert from_bytes(to_bytes(made)) == made
    assert b"hunter22" in to_bytes(made)


def test_short_forms_are_written_out() -> None:
    short = loaded(
        exchange={**REQUEST, "correct": {"field": "ok", "equals": True}, "foreign": {"matches": "x"}},
        opening={"send": "hi", "expect": {"matches": "ho"}},
    )
    long = loaded(
        exchange={**REQUEST, "correct": [{"field": "ok", "equals": True}], "foreign": [{"matches": "x"}]},
        opening=[{"send": "hi", "expect": [{"matches": "ho"}]}],
    )
    assert short == long
