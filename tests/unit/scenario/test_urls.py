"""Entry-point URLs: what is refused, and that what is shown holds no secret."""

from __future__ import annotations

import pickle

import pytest

from squall.scenario.urls import Url, http_url_mistake, public_url, url_mistake


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:8080/echo",
        "WSS://host",
        "wss://user:pa%20ss@host:443/a/b?x=1&y={token}",
        "ws://[::1]:8080/",
        "ws://host/@room?q",
    ],
)
def test_an_entry_point_is_accepted(url: str) -> None:
    assert url_mistake(url) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "empty"),
        ("host:80/x", "needs its scheme"),
        ("http://host/", "did you mean ws://"),
        ("HTTPS://host/", "did you mean wss://"),
        ("ftp://host/", "must be ws or wss"),
        ("ws:///path", "host"),
        ("ws://:8080/", "host"),
        ("ws://host:99999/", "a port is 1 to 65535"),
        ("ws://host:0/", "a port is 1 to 65535"),
        ("ws://host:eighty/", "a port is 1 to 65535"),
        ("ws://[::1/", "brackets"),
        ("ws://host/#top", "fragment"),
        ("ws://ho st/", "a space"),
        ("ws://host/\r\nX: y", "U+000D"),
        ("ws://hôst/", "not ASCII"),
        ("ws://host/{room}", "in the query only"),
        ("ws://{node}/", "in the query only"),
    ],
)
def test_what_is_wrong_with_an_entry_point_is_said(url: str, words: str) -> None:
    mistake = url_mistake(url)
    assert mistake is not None
    assert words in mistake


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://host:1/p", "ws://host:1/p"),
        ("ws://user:pw@host/p", "ws://host/p"),
        ("ws://us@er:p@w@host/p", "ws://host/p"),
        ("wss://host/?token=abc&b=c=d", "wss://host/?token=***&b=***"),
        ("wss://host/?abc", "wss://host/?***"),
        ("wss://host/?a=1#abc", "wss://host/?a=***"),
        ("ws://user:p/w@host/", "***"),
        ("no url at all", "***"),
        ("ws://[::1", "***"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://host/", "http:// or https://"),
        ("host:9090/metrics", "http:// or https://"),
        ("http:///metrics", "cannot be read"),
        ("http://host:0/", "cannot be read"),
        ("http://ho st/", "a space"),
        ("http://host/é", "not ASCII"),
        ("http://user:pw@host:9090/m?a=b", None),
        ("HTTPS://[::1]/", None),
    ],
)
def test_a_page_has_an_address_that_can_be_fetched(url: str, words: str | None) -> None:
    mistake = http_url_mistake(url)
    assert (mistake is None) == (words is None)
    assert words is None or words in str(mistake)


def test_a_url_is_in_clear_as_text_and_masked_in_a_repr() -> None:
    url = Url("ws://user:pw@host/?t=secret")
    assert url == "ws://user:pw@host/?t=secret"
    assert repr([url]) == "['ws://host/?t=***']"
    assert pickle.loads(pickle.dumps(url)) == url
