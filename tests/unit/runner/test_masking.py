"""No secret of a scenario passes the masker, and nothing else is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.runner.masking import LENGTH_MIN, masker
from squall.scenario.loader import load_scenario
from squall.scenario.urls import public_url


def mask(text: str, **given: Any) -> str:
    return masker(load_scenario({"target": "ws://service.example/"} | given).scenario)(text)


def test_headers_of_target_and_populations_are_masked() -> None:
    given = {
        "target": {"url": "ws://a/", "headers": {"authorization": "Bearer abc123", "x-short": "1"}},
        "populations": [{"name": "p", "headers": {"cookie": "session=zzzz"}}],
    }
    text = "Bearer abc123 | abc123 | bearer | session=zzzz | 1"
    assert mask(text, **given) == "*** | *** | bearer | *** | 1"


def test_a_parameter_that_is_one_whole_is_masked_as_it_is_where_the_url_is_shown() -> None:
    url = "ws://a/path?s3cr3t&a=%74wo&tok%65n3"
    assert public_url(url) == "ws://a/path?***&a=***&***"
    assert mask("path s3cr3t two tok%65n3 token3", target=url) == "path *** two *** ***"


def test_secrets_that_overlap_are_masked_as_one() -> None:
    given = {"url": "ws://a/?a=12345&b=456789", "headers": {"x-key": "89ab"}}
    assert mask("0123456789abc", target=given) == "0***c"


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


@pytest.fixture
def with_data(tmp_path: Path) -> dict[str, Any]:
    """Sessions that show a token of their own in header, URL and login, and say a colour."""
    file = tmp_path / "people.csv"
    file.write_text(
        "colour,token,key,word,short\nblack,tok/one,Basic k111,pw11,1\nwhite,tok/two,Basic k222,pw22,2\n"
    )
    return {
        "target": {"url": "ws://a/?t={token}&s={short}"},
        "populations": [
            {
                "name": "p",
                "data": str(file),
                "headers": {"Authorization": "{key}"},
                "opening": [{"send": {"password": "{word}", "colour": "{colour}"}}],
            }
        ],
    }


def test_what_the_data_fill_in_is_masked_where_a_secret_stands(with_data: dict[str, Any]) -> None:
    mask_all = masker(load_scenario(with_data).scenario, with_rows=True)
    text = "tok/one tok%2Ftwo Basic k111 k222 basic pw22 black 1 2"
    assert mask_all(text) == "*** *** *** *** basic *** black 1 2"


def test_data_are_read_only_for_a_text_and_where_they_are_wanted(with_data: dict[str, Any]) -> None:
    scenario = load_scenario(with_data).scenario
    by_scenario, mask_all = masker(scenario), masker(scenario, with_rows=True)
    data = scenario.populations[0].data
    assert data is not None
    Path(data.file).unlink()
    assert by_scenario("tok/one") == "tok/one"
    assert "tok/one" not in mask_all("it said tok/one")
    assert mask_all("") == ""


def test_a_scenario_without_secrets_changes_nothing() -> None:
    assert mask("worker 1 ended with exit code 1") == "worker 1 ended with exit code 1"
