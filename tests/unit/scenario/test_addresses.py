"""Addresses to listen on, as people write them."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from squall.scenario.addresses import ANY_PORT, Address, host_and_port, read_address


class Listening(BaseModel):
    at: Address


@pytest.mark.parametrize(
    ("written", "read", "halves"),
    [
        (9464, "127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("9464", "127.0.0.1:9464", ("127.0.0.1", 9464)),
        (":0", ANY_PORT, ("127.0.0.1", 0)),
        ("localhost:80", "127.0.0.1:80", ("127.0.0.1", 80)),
        ("0.0.0.0:09464", "0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("build-box.example:65535", "build-box.example:65535", ("build-box.example", 65535)),
        ("[::1]:9464", "[::1]:9464", ("::1", 9464)),
    ],
)
def test_a_port_alone_is_on_loopback(written: object, read: str, halves: tuple[str, int]) -> None:
    assert Listening.model_validate({"at": written}).at == read
    assert read_address(read) == read
    assert host_and_port(read) == halves


@pytest.mark.parametrize(
    "written", ["", "host", "host:", "65536", "-1", "::1:80", "http://a:80", "a b:80", True, None, 1.5, [80]]
)
def test_anything_else_is_refused(written: object) -> None:
    with pytest.raises(ValidationError, match=r"\[HOST:\]PORT"):
        Listening.model_validate({"at": written})
