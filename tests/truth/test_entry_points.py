"""Which entry point a connection takes, and which address it comes from: by the connections that the servers have seen."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from oracle.bad_servers import honest
from oracle.peer import BadServer
from squall_run import Ran, run_squall

CONNECTIONS = 12


@contextmanager
def three_servers() -> Iterator[list[BadServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(honest()) for _ in range(3)]


def run(urls: Sequence[str], folder: Path, *, load: dict[str, Any] | None = None, **target: Any) -> Ran:
    """A short hold, in which each connection sends something."""
    scenario = {
        "seed": 3,
        "target": {"url": list(urls), **target},
        "load": {
            "connections": CONNECTIONS,
            "ramp_up": "100ms",
            "hold": "400ms",
            "ramp_down": "0s",
            **(load or {}),
        },
        "traffic": {"rate": "10/s"},
        "engine": {"workers": 2},
        "outputs": {"html": False},
    }
    ran = run_squall(scenario, folder)
    assert ran.code == 0, ran.stdout + ran.stderr
    assert ran.connections["established"] == CONNECTIONS
    return ran


def established(ran: Ran) -> dict[str, int]:
    """By entry point, as squall counted."""
    assert ran.summary is not None
    return {
        place["entry_point"]: place["established"] for place in ran.summary["places"] if place["node"] == ""
    }


@pytest.mark.parametrize(
    ("policy", "shares"),
    [("first", (12, 0, 0)), ("fail_over", (12, 0, 0)), ("round_robin", (4, 4, 4)), ("random", None)],
)
def test_connections_are_spread_as_the_policy_says(
    policy: str, shares: tuple[int, ...] | None, tmp_path: Path
) -> None:
    with three_servers() as servers:
        ran = run([each.url for each in servers], tmp_path, policy=policy)
    seen = tuple(each.seen.connections for each in servers)
    assert sum(seen) == CONNECTIONS
    assert established(ran) == {each.url: each.seen.connections for each in servers if each.seen.connections}
    if shares is None:  # drawn by the seed
        assert min(seen) > 0
        assert seen != (4, 4, 4)
    else:
        assert seen == shares


def test_after_a_failure_the_next_entry_point_is_taken(tmp_path: Path) -> None:
    with socket.socket() as unused, honest() as second, honest() as third:
        unused.bind(("127.0.0.1", 0))  # and nobody listens: refused
        urls = [f"ws://127.0.0.1:{unused.getsockname()[1]}/", second.url, third.url]
        again = {"reconnect": {"after_drop": True, "backoff": "50ms"}}
        ran = run(urls, tmp_path, policy="fail_over", load=again)
    assert (second.seen.connections, third.seen.connections) == (CONNECTIONS, 0)
    assert ran.troubles == {("connect", "refused", "target"): CONNECTIONS}
    assert ran.connections["attempted"] == 2 * CONNECTIONS


def test_source_addresses_are_taken_in_turn(tmp_path: Path) -> None:
    addresses = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
    with honest() as server:
        run([server.url], tmp_path, source_addresses=list(addresses))
    came_from = Counter(peer.writer.get_extra_info("peername")[0] for peer in server.peers)
    assert came_from == dict.fromkeys(addresses, CONNECTIONS // 3)
