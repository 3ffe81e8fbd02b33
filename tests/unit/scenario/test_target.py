"""The target's model: what it refuses, and that it shows no secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario.target import Target, Tls


def _refused(**settings: Any) -> set[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as caught:
        Target.model_validate({"url": ["wss://host/"], **settings})
    return {error["loc"] for error in caught.value.errors()}


def test_the_least_target_is_a_url() -> None:
    target = Target(url=("ws://host/",))
    assert (target.policy, target.connect_timeout, target.headers) == ("round_robin", 10.0, {})


def test_each_bad_entry_point_is_reported() -> None:
    assert _refused(url=["http://host/", "ws://host/", "ws://"]) == {("url", 0), ("url", 2)}
    assert _refused(url=[]) == {("url",)}


def test_a_key_without_a_certificate_is_refused() -> None:
    assert _refused(tls={"key_file": "k.pem"}) == {("tls",)}
    assert Tls(key_file="k.pem", cert_file="c.pem").key_file == "k.pem"


@pytest.mark.parametrize("name", ["server_name", "ca_file", "cert_file"])
def test_tls_settings_without_a_wss_target_are_refused(name: str) -> None:
    assert _refused(url=["ws://host/"], tls={name: "x"}) == {("tls", name)}
    mixed = Target.model_validate({"url": ["ws://host/", "WSS://host/"], "tls": {name: "x"}})
    assert getattr(mixed.tls, name) == "x"


def test_tls_is_not_judged_where_the_url_is_wrong() -> None:
    assert _refused(url=["http://host/"], tls={"server_name": "x"}) == {("url", 0)}


def test_headers_subprotocols_and_addresses_are_checked() -> None:
    found = _refused(
        headers={"X-A": "a\nb"}, subprotocols=["a b"], source_addresses=["localhost"], node_header="a b"
    )
    assert found == {("headers", "X-A"), ("subprotocols", 0), ("source_addresses", 0), ("node_header",)}


@pytest.mark.parametrize("name", ["connect_timeout", "handshake_timeout", "close_timeout"])
def test_a_time_out_of_zero_is_refused(name: str) -> None:
    assert _refused(**{name: 0}) == {(name,)}


def test_a_target_shows_and_dumps_no_secret() -> None:
    target = Target.model_validate(
        {"url": ["ws://user:hunter2@host/?t=hunter2"], "headers": {"Authorization": "hunter2"}}
    )
    shown = [repr(target), str(target), target.model_dump_json(), str(target.model_dump())]
    assert not any("hunter2" in text for text in shown)
    assert target.url[0] == "ws://user:hunter2@host/?t=hunter2"
    assert target.headers["Authorization"].get_secret_value() == "hunter2"
