"""No secret of a scenario passes the masker, and nothing else is changed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from squall.runner.masking import LENGTH_MIN, masker
from squall.scenario.loader import load_scenario


def mask(text: str, **given: Any) -> str:
    return masker(load_scenario({"target": "ws://service.example/"} | given).scenario)(text)


def test_headers_of_target_and_populations_are_masked() -> None:
    given = {
        "target": {"url": "ws://a/", "headers": {"authorization": "Bearer abc123", "x-short": "1"}},
        "populations": [{"name": "p", "headers": {"cookie": "session=zzzz"}}],
    }
    text = "Bearer abc123 | abc123 | bearer | session=zzzz | 1"
    assert mask(text, **given) == "*** | *** | bearer | *** | 1"


def test_users_and_queries_of_urls_are_masked_in_both_their_forms() -> None:
    given = {"target": "ws://someone:pass%20word@a/path?token=tok%2Fen&x=y"}
    text = "someone pass%20word pass word tok%2Fen tok/en path x=y"
    assert mask(text, **given) == "*** *** *** *** *** path x=y"


@given(st.text(alphabet="abc-_.~", min_size=LENGTH_MIN, max_size=20), st.text(max_size=20))
def test_a_secret_does_not_survive_wherever_it_stands(secret: str, around: str) -> None:
    masked = mask(f"{around}{secret}{around}", target=f"ws://service.example/?token={secret}")
    assert secret not in masked.replace("***", "\x00")


def test_what_is_sent_is_masked_where_its_key_says_that_it_is_a_secret() -> None:
    given = {
        "exchange": {
            "kind": "request",
            "send": {"id": "{id}", "apiKey": "key-123", "x_token": ["tok-1", "{id}-tok"]},
            "reply": {"field": "id"},
        },
        "opening": [{"send": {"op": "login", "password": "hunter22"}}, {"send": "login hunter23"}],
    }
    assert mask("key-123 tok-1 hunter22 login -tok", **given) == "*** *** *** login -tok"


def test_how_the_target_is_watched_is_secret() -> None:
    watched = [
        {"prometheus": "http://joe:hunter22@a/m?key=hunter23", "headers": {"X-Key": "hunter24"}},
        {"command": "curl hunter25"},
    ]
    assert mask("hunter22 hunter23 hunter24 curl hunter25", watch={"target": watched}) == "*** *** *** ***"


def test_a_scenario_without_secrets_changes_nothing() -> None:
    assert mask("worker 1 ended with exit code 1") == "worker 1 ended with exit code 1"
