"""What a scenario says of TLS, sub-protocols and headers, by what the server sees of it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from oracle.bad_servers import honest, wrong_subprotocol
from oracle.certificates import make_certificates
from squall_run import Ran, run_squall

CONNECTIONS = 4
TRAFFIC = {"rate": "10/s"}


def run(url: str, folder: Path, target: dict[str, Any], *flags: str, **more: Any) -> Ran:
    """A short hold, in which each connection sends something; all of it comes back."""
    scenario = {
        "target": {"url": url, **target},
        "load": {"connections": CONNECTIONS, "ramp_up": "100ms", "hold": "400ms", "ramp_down": "0s"},
        "engine": {"workers": 1},
        **(more or {"traffic": TRAFFIC}),
    }
    ran = run_squall(scenario, folder, *flags)
    assert ran.code == 0, ran.stdout + ran.stderr
    assert ran.connections["established"] == CONNECTIONS
    assert not ran.troubles
    return ran


def test_any_certificate_will_do_where_none_is_verified_and_that_is_said(tmp_path: Path) -> None:
    """It is for another name, and of an authority that nobody knows."""
    server = honest()
    server.tls = make_certificates(tmp_path / "tls").wrong_name.server_context()
    with server as good:
        ran = run(good.url, tmp_path, {"tls": {"verify": False}})
    assert "certificates are not verified" in ran.stdout + ran.stderr
    assert "certificates are NOT verified" in (ran.folder / "report.html").read_text()


def test_the_name_that_is_asked_for_and_checked_can_be_another_than_the_urls(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "tls")
    asked: list[str | None] = []

    def note(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        asked.append(name)

    server = honest()
    server.tls = certificates.wrong_name.server_context()
    server.tls.sni_callback = note
    with server as good:
        run(good.url, tmp_path, {"tls": {"ca_file": str(certificates.ca), "server_name": "wrong.example"}})
    assert asked == ["wrong.example"] * CONNECTIONS


def test_a_subprotocol_that_was_offered_is_accepted(tmp_path: Path) -> None:
    with wrong_subprotocol("chat.v1") as server:
        run(server.url, tmp_path, {"subprotocols": ["chat.v2", "chat.v1"]})
    assert [each["sec-websocket-protocol"] for each in server.seen.requests] == [
        "chat.v2, chat.v1"
    ] * CONNECTIONS


def test_headers_arrive_with_each_upgrade(tmp_path: Path) -> None:
    """Those of the target, of the command, and of a population, which go over the target's and may be filled by row."""
    rows = tmp_path / "users.csv"
    rows.write_text("token\n" + "".join(f"t{row}\n" for row in range(CONNECTIONS)))
    users = {
        "name": "users",
        "data": {"file": str(rows)},
        "headers": {"x-token": "of {token}"},
        "traffic": TRAFFIC,
    }
    target = {"headers": {"Authorization": "Bearer abc", "X-Token": "nobody"}}
    with honest() as server:
        run(server.url, tmp_path, target, "-H", "X-More: here, too", populations=[users])
    seen = server.seen.requests
    assert {each["authorization"] for each in seen} == {"Bearer abc"}
    assert {each["x-more"] for each in seen} == {"here, too"}
    assert sorted(each["x-token"] for each in seen) == [f"of t{row}" for row in range(CONNECTIONS)]
    assert {each["host"] for each in seen} == {server.url.removeprefix("ws://").rstrip("/")}
