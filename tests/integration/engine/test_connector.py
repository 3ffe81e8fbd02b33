"""The connector before real sockets: what a try to connect took, and which word a failed one gets."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from picows import WSListener

from integration.engine.kernel import holds_to_parts
from oracle import bad_servers
from squall.engine.connector import Attempt, ConnectFailed, Connector, EntryPoint
from squall.engine.local_ports import LocalPorts, port_range
from squall.engine.ticks import now_ns
from squall.record.outcomes import Trouble
from squall.scenario.loader import load_scenario

TIMEOUT_S = 0.2
LOOPBACK = "127.0.0.1"


def connector_of(**target: Any) -> Connector:
    asked = {"url": "ws://service.invalid/", "connect_timeout": TIMEOUT_S, **target}
    return Connector(load_scenario({"target": asked}).scenario.target, now_ns(), 1 << 20)


def attempt_at(host: str, port: int, source: str | None = None) -> Attempt:
    url = f"ws://{host}:{port}/"
    session: Any = WSListener()
    return Attempt(session, EntryPoint.parse(url, url), "/", (), source)


def address(port: int, family: socket.AddressFamily = socket.AF_INET) -> tuple[Any, ...]:
    """As a resolver gives it."""
    sockaddr = (LOOPBACK, port) if family == socket.AF_INET else ("::1", port, 0, 0)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", sockaddr)


def resolved(connector: Connector, attempt: Attempt, *addresses: tuple[Any, ...]) -> None:
    """Let the connector know the addresses of an attempt's host already."""
    connector._resolved[attempt.entry.host, attempt.entry.port] = (connector.now_ns(), list(addresses))


@contextmanager
def silent() -> Iterator[int]:
    """A port that answers no connect: whoever may wait there to be accepted waits already."""
    with socket.create_server((LOOPBACK, 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        try:
            yield server.getsockname()[1]
        finally:
            for each in waiting:
                each.close()


@contextmanager
def refusing() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        yield unused.getsockname()[1]


def trouble_of(connector: Connector, attempt: Attempt) -> Trouble:
    with pytest.raises(ConnectFailed) as failed:
        asyncio.run(connector.connect(attempt))
    return failed.value.trouble


def test_an_address_that_stays_silent_shows_in_the_time_of_the_connect() -> None:
    async def connect() -> None:
        (await connector.connect(attempt)).disconnect(False)

    with silent() as first, bad_servers.honest() as good:
        second = EntryPoint.parse(good.url, "").port
        connector, attempt = connector_of(), attempt_at("service.invalid", second)
        resolved(connector, attempt, address(first), address(second))
        asyncio.run(connect())
    assert TIMEOUT_S <= (attempt.tcp_ns - attempt.begun_ns) / 1e9 < TIMEOUT_S + 1
    assert attempt.tcp_ns <= attempt.secured_ns


def test_a_look_up_has_its_time_and_no_more() -> None:
    """A resolver that says nothing is none of the wire: here its stand-in hangs."""
    connector, attempt = connector_of(), attempt_at("service.invalid", 80)

    async def connect() -> Trouble:
        async def hang(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        asyncio.get_running_loop().getaddrinfo = hang  # type: ignore[method-assign,assignment]  # see above
        with pytest.raises(ConnectFailed) as failed:
            await connector.connect(attempt)
        return failed.value.trouble

    begun_ns = now_ns()
    assert asyncio.run(connect()) == Trouble("resolve", "timeout", "network")
    assert (now_ns() - begun_ns) / 1e9 < TIMEOUT_S + 1


@pytest.mark.parametrize("source", ["203.0.113.9", "::1"], ids=["none of ours", "of another family"])
def test_a_source_address_that_does_not_fit_is_the_testers_doing(source: str) -> None:
    with refusing() as port:
        assert trouble_of(connector_of(), attempt_at(LOOPBACK, port, source)) == Trouble(
            "connect", "source_address_unusable", "tester"
        )


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
@pytest.mark.parametrize("order", [1, -1])
def test_what_cannot_be_reached_from_the_source_says_nothing_of_what_can(order: int) -> None:
    with refusing() as port:
        connector, attempt = connector_of(), attempt_at("service.invalid", port, LOOPBACK)
        resolved(connector, attempt, *[address(port), address(port, socket.AF_INET6)][::order])
        assert trouble_of(connector, attempt) == Trouble("connect", "refused", "target")


def test_a_port_that_stays_silent_is_the_networks() -> None:
    with silent() as port:
        assert trouble_of(connector_of(), attempt_at(LOOPBACK, port)) == Trouble(
            "connect", "timeout", "network"
        )


def test_where_a_part_of_the_ports_is_full_another_port_will_do() -> None:
    """A part of one port, and more connections than fit the range without parts."""

    async def ports_of_two() -> list[int]:
        found = []
        for _ in range(2):
            transport = await connector.connect(attempt_at(LOOPBACK, port, source="127.0.0.78"))
            opened.append(transport)
            found.append(transport.underlying_transport.get_extra_info("sockname")[1])
        for transport in opened:
            transport.disconnect(False)
        return found

    opened: list[Any] = []
    part = (port_range() or (32768, 60999))[0] + 200
    with bad_servers.honest() as good:
        port = EntryPoint.parse(good.url, "").port
        connector = connector_of(url=good.url)
        connector._ports = LocalPorts((part, part), width=1, sharing=math.inf)
        first, second = asyncio.run(ports_of_two())
    assert second != part
    assert connector.there == 0
    if holds_to_parts():
        assert first == part
