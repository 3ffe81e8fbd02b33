"""squall against servers that misbehave in one way each: a clear outcome, the right side blamed, sums that add up."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from oracle import bad_servers
from oracle.certificates import make_certificates
from squall.store.reader import open_run
from squall_run import Ran, run_squall

TARGET = "target"


def run(url: str, folder: Path, *, tls: dict[str, Any] | None = None, **load: Any) -> Ran:
    """Three connections, five messages a second each, for a second and a half."""
    scenario = {
        "target": {
            "url": url,
            "handshake_timeout": "800ms",
            "connect_timeout": "800ms",
            "close_timeout": "500ms",
            **({"tls": tls} if tls else {}),
        },
        "load": {"connections": 3, "ramp_up": "200ms", "hold": "1500ms", "ramp_down": "200ms", **load},
        "traffic": {"rate": "5/s", "format": "text", "payload": [100]},
        "delivery": {"drain_timeout": "1s"},
        "engine": {"workers": 1},
    }
    ran = run_squall(scenario, folder)
    assert "Traceback" not in ran.stderr
    return ran


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        (lambda: bad_servers.answers_status(200), "status_200"),
        (lambda: bad_servers.answers_status(301, location="ws://127.0.0.1:1/"), "status_301"),
        (lambda: bad_servers.answers_status(403), "status_403"),
        (lambda: bad_servers.answers_status(500), "status_500"),
        (bad_servers.wrong_accept_key, "wrong_accept_key"),
        (bad_servers.wrong_extension, "extension_unasked"),
        (bad_servers.wrong_subprotocol, "subprotocol_unasked"),
        (bad_servers.without_upgrade_field, "no_upgrade_header"),
        (lambda: bad_servers.answers_half(then_closes=True), "closed"),
        (lambda: bad_servers.answers_half(then_closes=False), "timeout"),
        (bad_servers.never_answers, "timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refused_upgrade_is_the_targets_doing(server: Any, kind: str, tmp_path: Path) -> None:
    with server() as bad:
        ran = run(bad.url, tmp_path)
    assert set(ran.troubles) == {("upgrade", kind, TARGET)}
    held = ran.connections
    assert held["established"] == 0
    assert held["failed"] >= 3
    assert ran.delivery["intended"] == 0
    ran.assert_adds_up()
    assert ran.code == 99


def test_a_server_that_accepts_and_closes(tmp_path: Path) -> None:
    with bad_servers.accepts_and_closes() as bad:
        ran = run(bad.url, tmp_path)
    assert {(step, blame) for step, _, blame in ran.troubles} == {("upgrade", TARGET)}
    assert {kind for _, kind, _ in ran.troubles} <= {"closed", "reset"}
    assert ran.code == 99


def test_a_closed_port_is_the_targets_doing(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ran = run(f"ws://127.0.0.1:{unused.getsockname()[1]}/", tmp_path)
    assert set(ran.troubles) == {("connect", "refused", TARGET)}
    assert ran.code == 99


def test_a_name_that_does_not_resolve_is_the_networks(tmp_path: Path) -> None:
    ran = run("ws://no-such-host.invalid/", tmp_path)
    assert {(step, blame) for step, _, blame in ran.troubles} == {("resolve", "network")}
    # Where this machine has no resolver that answers, nobody can say that there is no such name.
    assert {kind for _, kind, _ in ran.troubles} <= {"name_not_found", "resolver_failed", "timeout"}
    assert ran.code == 99


@pytest.mark.parametrize(
    ("which", "trusted", "kind"),
    [
        ("wrong_name", True, "wrong_name"),
        ("expired", True, "certificate_expired"),
        ("right", False, "certificate_untrusted"),
    ],
)
def test_a_certificate_that_does_not_fit(which: str, trusted: bool, kind: str, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "tls")
    server = bad_servers.honest()
    server.tls = getattr(certificates, which).server_context()
    tls = {"ca_file": str(certificates.ca if trusted else certificates.stranger.cert)}
    with server as good:
        ran = run(good.url, tmp_path, tls=tls)
    assert set(ran.troubles) == {("tls", kind, TARGET)}
    assert ran.connections["established"] == 0


def test_a_client_certificate_is_shown_where_it_is_given(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "tls")
    shown = {
        "ca_file": str(certificates.ca),
        "cert_file": str(certificates.client.cert),
        "key_file": str(certificates.client.key),
    }
    server = bad_servers.honest()
    server.tls = certificates.right.server_context(client_ca=certificates.ca)
    with server as good:
        ran = run(good.url, tmp_path, tls=shown)
    assert ran.code == 0, ran.stdout


@contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[str]:
    """A server that goes no further than the handshake, and lets the peer read why; its URL."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(5)
                with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True):
                    pass

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield f"wss://localhost:{listening.getsockname()[1]}/"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()


@pytest.mark.parametrize(
    ("version", "shown", "kind"),
    [
        (ssl.TLSVersion.TLSv1_2, False, "alert_handshake_failure"),
        (ssl.TLSVersion.TLSv1_3, False, "alert_certificate_required"),
        (ssl.TLSVersion.TLSv1_3, True, "alert_unknown_ca"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_client_certificate_that_is_refused(
    version: ssl.TLSVersion, shown: bool, kind: str, tmp_path: Path
) -> None:
    """TLS 1.2 tells it in the handshake, TLS 1.3 only when that is over for the client."""
    certificates = make_certificates(tmp_path / "tls")
    context = certificates.right.server_context(client_ca=certificates.ca)
    context.maximum_version = version
    tls = {"ca_file": str(certificates.ca)}
    if shown:
        stranger = certificates.stranger
        tls |= {"cert_file": str(stranger.cert), "key_file": str(stranger.key)}
    with refusing(context) as url:
        ran = run(url, tmp_path, tls=tls, hold="500ms")
    assert ("tls", kind, TARGET) in ran.troubles
    # The reset that follows where the request went out already may be seen first.
    assert set(ran.troubles) <= {("tls", kind, TARGET), ("upgrade", "reset", TARGET)}
    assert ran.connections["established"] == 0
    assert ran.code == 99


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        (lambda: bad_servers.drops_after(2), "closed_without_frame"),
        (lambda: bad_servers.resets_after(2), "reset"),
        (lambda: bad_servers.closes_after(2, code=1011), "closed_1011"),
        (lambda: bad_servers.sends_garbage(2), "protocol_error"),
        (lambda: bad_servers.sends_reserved_opcode(2), "protocol_error"),
        (lambda: bad_servers.sends_oversize_header(2), "protocol_error"),
        (lambda: bad_servers.sends_bad_close(2), "protocol_error"),
        (lambda: bad_servers.sends_short_close(2), "protocol_error"),
        (bad_servers.masks_frames, "masked_frame"),
        (bad_servers.compresses_unasked, "compressed_unasked"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_connection_that_ends_in_the_middle(server: Any, kind: str, tmp_path: Path) -> None:
    with server() as bad:
        ran = run(bad.url, tmp_path)
    assert set(ran.troubles) == {("open", kind, TARGET)}
    assert ran.connections["dropped"] == 3
    got = ran.delivery
    assert got["lost"] == 0
    assert got["not_sent"] > 0
    assert got["duplicated"] == got["unexpected"] == 0
    ran.assert_adds_up()
    assert ran.code == 99


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        (lambda: bad_servers.drops_after(0), "closed_without_frame"),
        (lambda: bad_servers.closes_after(0), "closed_1001"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_connection_that_ends_as_soon_as_it_is_accepted(server: Any, kind: str, tmp_path: Path) -> None:
    """It was established, and then dropped: what was due on it is not sent, or left with it."""
    with server() as bad:
        ran = run(bad.url, tmp_path)
    assert set(ran.troubles) == {("open", kind, TARGET)}
    held = ran.connections
    assert (held["established"], held["dropped"], held["failed"]) == (3, 3, 0)
    got = ran.delivery
    assert got["delivered"] == got["lost"] == 0
    assert got["not_sent"] > 0
    ran.assert_adds_up()
    assert ran.code == 99


def test_a_server_that_never_answers_the_close(tmp_path: Path) -> None:
    with bad_servers.never_answers_close() as bad:
        ran = run(bad.url, tmp_path)
    held = ran.connections
    assert held["closed"] == held["established"] == 3
    assert held["graceful"] == 0
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0


def test_frames_that_nobody_asked_for_are_unexpected(tmp_path: Path) -> None:
    with bad_servers.talks_unasked() as bad:
        ran = run(bad.url, tmp_path)
    assert ran.delivery["unexpected"] > 30
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0
    assert ran.code == 99


def test_another_connections_payload_is_unexpected_and_its_own_is_lost(tmp_path: Path) -> None:
    with bad_servers.echoes_neighbour() as bad:
        ran = run(bad.url, tmp_path)
    got = ran.delivery
    assert got["unexpected"] > 0
    assert got["lost"] > 0
    assert got["unexpected"] <= got["sent"]
    assert got["delivered"] + got["lost"] == got["sent"]
    assert ran.code == 99


def test_invalid_utf8_is_damage_and_the_connection_is_kept(tmp_path: Path) -> None:
    with bad_servers.sends_invalid_utf8(2) as bad:
        ran = run(bad.url, tmp_path)
    got = ran.delivery
    assert got["corrupted_body"] == got["lost"] > 0
    assert ran.connections["dropped"] == 0
    assert ran.code == 99
    assert ran.summary is not None
    assert ran.summary["invalid_utf8"] == got["corrupted_body"]
    told = [
        event
        for interval in open_run(ran.folder).intervals
        for event in interval.events
        if event.kind == "invalid_utf8"
    ]
    assert sorted(event.stream for event in told) == [0, 1, 2], "once a connection"
    assert all("1007" in event.text for event in told)
    assert (
        f"no UTF-8: {got['corrupted_body']}; RFC 6455 would close such a connection with 1007" in ran.stdout
    )


@pytest.mark.parametrize(
    "server", [bad_servers.fragments, bad_servers.pings, bad_servers.never_answers_pings]
)
def test_what_the_protocol_allows_is_no_fault(server: Any, tmp_path: Path) -> None:
    with server() as good:
        ran = run(good.url, tmp_path)
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0
    assert not ran.troubles
    assert ran.code == 0, ran.stdout


def test_a_server_that_stops_reading_for_good_costs_bounded_memory(tmp_path: Path) -> None:
    """Once the kernel takes no more, what is unsent stays below the limit and the rest is held back or not sent."""
    with bad_servers.stops_reading_after(2) as bad:
        scenario = {
            "target": {"url": bad.url, "close_timeout": "500ms"},
            "load": {"connections": 5, "ramp_up": "200ms", "hold": "6s", "ramp_down": "200ms"},
            "traffic": {"rate": "400/s", "payload": ["16KiB"]},
            "delivery": {"drain_timeout": "1s"},
            "engine": {"workers": 1, "send_buffer_max": "256KiB", "blocked_max": 20},
        }
        ran = run_squall(scenario, tmp_path)
    got = ran.delivery
    assert ran.summary is not None
    assert ran.summary["not_sent"]["target"] > 0
    assert ran.summary["not_sent"]["squall"] == 0
    assert got["delivered"] == 10
    ran.assert_adds_up()
    # Five buffers of 256 KiB, and what a worker of five connections takes anyway.
    assert ran.summary["workers"]["rss_max_bytes"] < 120 << 20
    assert ran.code == 99
