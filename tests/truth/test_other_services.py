"""Exchanges of a service's own kind, against services that share no code with squall: every count equals theirs.

One is a JSON chat and feed on the ``websockets`` library, honest or lying in counted ways; one runs on Node's ``ws``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oracle.node import node_service
from oracle.services import chat_service
from squall_run import Ran, run_squall

REQUEST: dict[str, Any] = {
    "kind": "request",
    "send": {"op": "say", "id": "{id}", "text": "no. {seq} of {user}"},
    "reply": {"field": "re.id"},
    "correct": {"field": "status", "equals": "ok"},
    "foreign": {"field": "op", "equals": "said"},
}
LOGIN: dict[str, Any] = {
    "send": {"op": "login", "token": "{token}"},
    "expect": {"field": "op", "equals": "welcome"},
    "refuse": {"field": "op", "equals": "denied"},
    "timeout": "400ms",
}
SUBSCRIBE: dict[str, Any] = {
    "send": {"op": "subscribe", "rooms": ["a", "b"]},
    "expect": {"field": "op", "equals": "subscribed"},
}
PUSH: dict[str, Any] = {
    "kind": "push",
    "sequence": "n",
    "key": "room",
    "stamp": {"field": "at", "unit": "ms"},
}


def users(folder: Path, *tokens: str) -> str:
    """A data file with a row for each token."""
    file = folder / "users.csv"
    file.write_text("user,token\n" + "".join(f"u{row},{token}\n" for row, token in enumerate(tokens)))
    return str(file)


def scenario(
    url: str, data: str, *, connections: int = 8, workers: int = 1, **population: Any
) -> dict[str, Any]:
    return {
        "target": url,
        "load": {"connections": connections, "ramp_up": "200ms", "hold": "1s", "ramp_down": "200ms"},
        "delivery": {"drain_timeout": "700ms"},
        "engine": {"workers": workers},
        "traffic": {"rate": "20/s"},
        "data": {"file": data},
        **population,
    }


def judged(ran: Ran, truth: str) -> set[str]:
    assert ran.summary is not None, ran.stderr
    return {each["name"] for each in ran.summary["verdict"]["judgements"] if each["truth"] == truth}


def test_an_honest_chat_has_zeros(tmp_path: Path) -> None:
    data = users(tmp_path, *["ok-secret"] * 8)
    (tmp_path / "mine.py").write_text(
        "def same(reply, request):\n    return reply['text'] == f\"no. {request['seq']} of {request['user']}\"\n"
    )
    exchange = {**REQUEST, "check": f"{tmp_path / 'mine.py'}:same"}
    with chat_service("--tell") as chat:
        ran = run_squall(
            scenario(
                chat.url,
                data,
                exchange=exchange,
                opening=[LOGIN, {"send": "PING 1", "expect": {"equals": "PONG 1"}}],
            ),
            tmp_path,
        )
        did = chat.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert ran.code == 0, ran.stdout
    assert got["sent"] == got["delivered"] == did["said"] > 100
    assert not any(got[name] for name in ("lost", "unknown", "duplicated", "corrupted_body", "unexpected"))
    assert ran.summary is not None
    assert ran.summary["foreign"] == did["told"] > 0
    assert ran.summary["misfits"] == {}
    assert ran.summary["evidence"] == "reply"
    assert ran.summary["connect"]["opening"]["count"] == 8
    for name in ("response", "service", "lag"):
        assert ran.summary["latency"][name]["p50"] is not None
    kept = "".join(file.read_text(errors="replace") for file in ran.folder.rglob("*") if file.is_file())
    assert "ok-secret" not in kept + ran.stdout + ran.stderr
    assert '"op": "say"' not in kept


@pytest.mark.parametrize("pure", [False, True], ids=["compiled", "pure"])
def test_a_lying_chat_is_counted_exactly(pure: bool, tmp_path: Path) -> None:
    data = users(tmp_path, *["ok"] * 8)
    lies = {"wrong": 13, "twice": 11, "never": 17, "broken": 19, "fieldless": 23, "other": 29}
    with chat_service(*(part for name, every in lies.items() for part in (f"--{name}", str(every)))) as chat:
        ran = run_squall(
            scenario(chat.url, data, workers=2, exchange=REQUEST, opening=[LOGIN]), tmp_path, pure=pure
        )
        did = chat.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert min(did[name] for name in lies) > 0, "the chat lied too little"
    assert got["sent"] == did["said"]
    assert got["corrupted_body"] == did["wrong"]
    assert got["duplicated"] == did["twice"]
    assert got["lost"] == did["wrong"] + did["never"] + did["broken"] + did["fieldless"] + did["other"]
    assert got["unexpected"] == did["broken"] + did["fieldless"] + did["other"]
    assert ran.summary is not None
    assert ran.summary["misfits"] == {
        "not_json": did["broken"],
        "reply_field_missing": did["fieldless"],
        "reply_to_another_session": did["other"],
        "wrong_status": did["wrong"],
    }
    assert ran.code == 99
    assert {"none lost", "none duplicated", "no body corrupted", "none unexpected"} <= judged(ran, "failed")


def test_a_login_that_is_refused_or_not_answered_is_a_failure_of_its_own_step(tmp_path: Path) -> None:
    data = users(tmp_path, "ok", "bad", "mute", "ok", "mute", "ok")
    with chat_service() as chat:
        ran = run_squall(scenario(chat.url, data, connections=6, exchange=REQUEST, opening=[LOGIN]), tmp_path)
        did = chat.did()
    held = ran.connections
    ran.assert_adds_up()
    assert ran.troubles == {("opening", "timeout", "target"): 2, ("opening", "refused", "target"): 1}
    assert (held["established"], held["dropped"], held["closed"], held["failed"]) == (6, 3, 3, 0)
    assert ran.delivery["sent"] == ran.delivery["delivered"] == did["said"] > 0
    assert ran.delivery["not_sent"] == 0


def test_an_honest_feed_has_zeros_and_one_without_numbers_has_no_figure(tmp_path: Path) -> None:
    data = {"file": users(tmp_path, *["ok"] * 3)}
    followed = {"name": "followed", "exchange": PUSH, "opening": [LOGIN, SUBSCRIBE], "data": data}
    nameless = {**followed, "name": "nameless", "exchange": {"kind": "push", "sequence": "number"}}
    with chat_service("--tick-ms", "10") as chat:
        asked = scenario(chat.url, "", connections=6)
        del asked["traffic"], asked["data"]
        ran = run_squall({**asked, "populations": [followed, nameless]}, tmp_path)
        ticks = chat.did()["ticks"]
    assert ran.code == 0, ran.stdout
    assert ran.summary is not None
    push, without = (ran.summary["populations"][name]["push"] for name in ("followed", "nameless"))
    assert 0 < push["received"] + without["received"] <= ticks
    assert push["sequenced"] == push["delay"]["count"] == push["received"]
    assert {push[name] for name in ("missing", "gaps", "duplicated", "reordered", "negative_delays")} == {0}
    assert 0 <= push["delay"]["p50"] < 1000
    assert push["per_s"] > 100
    assert (without["sequenced"], without["missing"], without["gaps"]) == (0, None, None)
    assert ran.summary["misfits"] == {"sequence_missing": without["received"]}
    assert {"any pushed", "none missing of what was pushed"} <= judged(ran, "passed")
    assert "Pushed " in ran.stdout
    assert "pushed " in ran.stderr + ran.stdout


def test_a_lying_feed_is_counted_exactly_and_its_silence_is_no_zero(tmp_path: Path) -> None:
    data = users(tmp_path, *["ok"] * 4)
    lies = {"skip": 11, "repeat": 13, "swap": 17, "early": 19, "mute-tick": 23, "limit": 40}
    with chat_service(*(part for name, every in lies.items() for part in (f"--{name}", str(every)))) as chat:
        ran = run_squall(
            scenario(chat.url, data, connections=4, exchange=PUSH, opening=[LOGIN, SUBSCRIBE]), tmp_path
        )
        did = chat.did()
    assert ran.summary is not None
    push = ran.summary["push"]
    assert push["received"] == did["ticks"]
    assert push["duplicated"] == did["repeat"]
    assert push["reordered"] == did["swap"]
    assert push["missing"] == did["skip"] + did["mute_tick"]
    assert push["negative_delays"] == did["early"]
    assert ran.summary["misfits"] == {"sequence_missing": did["mute_tick"]}
    assert ran.code == 99
    assert {"none missing of what was pushed", "no push duplicated", "no push reordered"} <= judged(
        ran, "failed"
    )


def test_a_users_function_that_raises_ends_the_run_as_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def check(reply, request):\n    raise ValueError(request['token'])\n")
    data = users(tmp_path, *["top-secret"] * 4)
    exchange = {**REQUEST, "check": f"{tmp_path / 'mine.py'}:check"}
    with chat_service() as chat:
        asked = scenario(chat.url, data, connections=4, exchange=exchange, opening=[LOGIN])
        ran = run_squall(asked, tmp_path / "run")
    assert ran.code == 107, ran.stdout + ran.stderr
    assert "mine.py:check: ValueError at line 2 for the reply to message" in ran.stderr
    assert "data row" in ran.stderr
    assert "top-secret" not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_node_answers_requests_echoes_envelopes_and_pushes(tmp_path: Path, node_modules: Path) -> None:
    data = {"file": users(tmp_path, "ok", "ok")}
    populations = [
        {
            "name": "asking",
            "exchange": REQUEST,
            "opening": [LOGIN],
            "traffic": {"rate": "20/s"},
            "data": data,
        },
        {
            "name": "echoing",
            "exchange": "echo",
            "opening": [LOGIN],
            "traffic": {"rate": "20/s"},
            "data": data,
        },
        {"name": "fed", "exchange": PUSH, "opening": [LOGIN, SUBSCRIBE], "data": data},
    ]
    with node_service(node_modules) as node:
        asked = scenario(node.url, "", connections=6)
        del asked["traffic"], asked["data"]
        ran = run_squall({**asked, "populations": populations}, tmp_path)
        did = node.did()
    assert ran.code == 0, ran.stdout
    assert ran.summary is not None
    asking, echoing, fed = (ran.summary["populations"][each["name"]] for each in populations)
    assert asking["delivery"]["delivered"] == asking["delivery"]["sent"] == did["said"] > 0
    assert echoing["delivery"]["delivered"] == echoing["delivery"]["sent"] == did["echoed"] > 0
    assert 0 < fed["push"]["received"] <= did["ticks"]
    assert (fed["push"]["missing"], fed["push"]["duplicated"]) == (0, 0)
    assert (asking["push"]["received"], fed["delivery"]["intended"]) == (None, 0)
