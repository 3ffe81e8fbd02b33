"""squall against an echo server that lies at random and logs every byte: its figures must equal the log's.

The server and the reader of its log share no code with squall.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oracle.certificates import make_certificates
from oracle.launch import lying_server
from oracle.reader import Counts
from squall_run import Ran, run_squall

LIES = (
    *("--lose", "0.03", "--duplicate", "0.03", "--swap", "0.03", "--flip", "0.03"),
    *("--truncate", "0.01", "--extend", "0.01", "--retype", "0.005", "--inject", "0.01", "--cross", "0.01"),
    *("--fragment", "0.05"),
)
COUNTED = (
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "corrupted_header",
    "corrupted_body",
    "unexpected",
)


def scenario(url: str, *, text: bool, seed: int, ca: Path | None = None) -> dict[str, Any]:
    """Forty connections of 20 messages a second, of two types and three sizes."""
    target: dict[str, Any] = {"url": url}
    if ca is not None:
        target["tls"] = {"ca_file": str(ca)}
    return {
        "seed": seed,
        "target": target,
        "load": {"connections": 40, "ramp_up": "1s", "hold": "4s", "ramp_down": "1s"},
        "traffic": {
            "rate": "20/s",
            "format": "text" if text else "binary",
            "payload": [{"size": 80}, {"size": 128, "weight": 3}, {"size": "2KiB"}],
            "types": {"chat": 3, "typing": 1},
        },
        "delivery": {"drain_timeout": "1500ms"},
        "engine": {"workers": 2},
    }


def assert_equals(ran: Ran, truth: Counts) -> None:
    """Every counter that the log determines."""
    got = ran.delivery
    assert {name: got[name] for name in COUNTED} == {name: getattr(truth, name) for name in COUNTED}
    assert got["sent"] == truth.received
    ran.assert_adds_up()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("text", "tls", "pure"),
    [(False, False, False), (True, True, False), (False, True, True), (True, False, True)],
    ids=["binary-plain-compiled", "text-tls-compiled", "binary-tls-pure", "text-plain-pure"],
)
def test_every_counter_equals_the_log(seed: int, text: bool, tls: bool, pure: bool, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "tls") if tls else None
    with lying_server(
        tmp_path / "log", "--seed", str(seed), *LIES, tls=certificates.right if certificates else None
    ) as server:
        ca = certificates.ca if certificates else None
        ran = run_squall(scenario(server.url, text=text, seed=seed, ca=ca), tmp_path, pure=pure)
        truth = server.truth()
    assert truth.bad_checksums_in == 0
    assert min(getattr(truth.total, name) for name in COUNTED if name != "unknown") > 0, (
        "the server lied too little"
    )
    assert_equals(ran, truth.total)
    by_type = ran.summary["delivery_by_type"] if ran.summary else {}
    for index, name in enumerate(("chat", "typing")):
        assert by_type[name]["delivered"] == truth.by_type[index].delivered
        assert by_type[name]["lost"] == truth.by_type[index].lost
        assert by_type[name]["duplicated"] == truth.by_type[index].duplicated
    assert ran.code == 99, ran.stdout + ran.stderr


@pytest.mark.parametrize("pure", [False, True], ids=["compiled", "pure"])
def test_an_honest_server_is_found_honest(pure: bool, tmp_path: Path) -> None:
    with lying_server(tmp_path / "log", "--fragment", "0.1") as server:
        ran = run_squall(scenario(server.url, text=False, seed=7), tmp_path, pure=pure)
        truth = server.truth()
    assert_equals(ran, truth.total)
    assert ran.delivery["delivered"] == ran.delivery["sent"] > 2000
    assert all(
        ran.delivery[name] == 0
        for name in (
            "lost",
            "unknown",
            "duplicated",
            "reordered",
            "corrupted_header",
            "corrupted_body",
            "unexpected",
        )
    )
    assert ran.code == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_closes_by_handshake_lose_nothing(seed: int, tmp_path: Path) -> None:
    """What a connection that the server closes takes along is unknown, and later messages are not sent."""
    with lying_server(
        tmp_path / "log", "--seed", str(seed), "--close-rate", "0.004", "--delay-ms", "20"
    ) as server:
        ran = run_squall(scenario(server.url, text=False, seed=seed), tmp_path)
        truth = server.truth()
    got = ran.delivery
    assert ran.connections["dropped"] > 3
    assert ran.connections["abandoned"] == ran.connections["dropped"]
    assert got["lost"] == 0
    assert got["not_sent"] > 0
    assert got["delivered"] == truth.total.delivered
    assert got["unknown"] >= truth.total.unknown
    assert got["duplicated"] == got["reordered"] == got["unexpected"] == 0
    ran.assert_adds_up()
    assert ran.code == 99


def test_resets_keep_both_identities(tmp_path: Path) -> None:
    with lying_server(tmp_path / "log", "--seed", "5", "--reset-rate", "0.004", "--delay-ms", "20") as server:
        ran = run_squall(scenario(server.url, text=False, seed=5), tmp_path)
        truth = server.truth()
    got = ran.delivery
    assert ran.connections["dropped"] > 3
    assert truth.total.received <= got["sent"]
    assert got["delivered"] <= truth.total.good_copies
    ran.assert_adds_up()


def test_a_stream_goes_on_after_a_reconnect(tmp_path: Path) -> None:
    """With `reconnect`, a dropped session connects again under the next epoch and its numbers go on."""
    wanted = scenario("", text=False, seed=6)
    with lying_server(tmp_path / "log", "--seed", "6", "--close-rate", "0.003", "--lose", "0.02") as server:
        wanted["target"]["url"] = server.url
        wanted["load"]["reconnect"] = True
        ran = run_squall(wanted, tmp_path)
        truth = server.truth()
    got = ran.delivery
    assert ran.connections["reconnected"] > 3
    assert ran.connections["dropped"] == ran.connections["reconnected"] + ran.connections["abandoned"]
    assert got["delivered"] == truth.total.delivered
    assert got["lost"] + got["unknown"] == got["sent"] - truth.total.delivered
    assert got["duplicated"] == got["unexpected"] == 0
    ran.assert_adds_up()
