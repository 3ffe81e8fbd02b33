"""squall against a server that lies and closes connections in the middle: every counter equals the log's all the same.

By handshake all that the server sent before its close arrives. What it never read squall counts as sent, and unknown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oracle.certificates import make_certificates
from oracle.launch import lying_server
from squall_run import run_squall

LIES = (
    *("--lose", "0.02", "--duplicate", "0.04", "--swap", "0.04", "--flip", "0.06", "--truncate", "0.02"),
    *("--inject", "0.02", "--cross", "0.02", "--fragment", "0.05", "--close-rate", "0.006"),
)
EXACT = (
    "delivered",
    "lost",
    "duplicated",
    "reordered",
    "corrupted_header",
    "corrupted_body",
    "unexpected",
)


@pytest.mark.parametrize(
    ("text", "tls", "pure"),
    [(False, False, False), (True, True, False), (True, False, True)],
    ids=["binary-plain-compiled", "text-tls-compiled", "text-plain-pure"],
)
def test_every_counter_equals_the_log(text: bool, tls: bool, pure: bool, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "tls") if tls else None
    target: dict[str, Any] = {"tls": {"ca_file": str(certificates.ca)}} if certificates else {}
    with lying_server(
        tmp_path / "log", "--seed", "4", *LIES, tls=certificates.right if certificates else None
    ) as server:
        scenario = {
            "target": {"url": server.url, **target},
            "load": {"connections": 40, "ramp_up": "500ms", "hold": "2s", "ramp_down": "500ms"},
            "traffic": {
                "rate": "20/s",
                "format": "text" if text else "binary",
                "payload": [{"size": 80}, {"size": "2KiB"}],
                "types": {"chat": 3, "typing": 1},
            },
            "delivery": {"drain_timeout": "1500ms"},
            "engine": {"workers": 2},
            "outputs": {"html": False},
        }
        ran = run_squall(scenario, tmp_path, pure=pure)
        truth = server.truth()
    got, shown = ran.delivery, truth.total
    assert truth.connections_ended["server"] == ran.connections["dropped"] > 3
    assert truth.connections_ended["client"] == ran.connections["closed"] > 3
    assert min(getattr(shown, name) for name in EXACT) > 0, "the server lied too little"
    assert {name: got[name] for name in EXACT} == {name: getattr(shown, name) for name in EXACT}
    assert got["unknown"] - shown.unknown == got["sent"] - shown.received >= 0
    assert ran.summary is not None
    for index, name in enumerate(("chat", "typing")):
        of_type = ran.summary["delivery_by_type"][name]
        for counter in ("delivered", "lost", "duplicated", "reordered", "corrupted_body"):
            assert of_type[counter] == getattr(truth.by_type[index], counter), (name, counter)
    ran.assert_adds_up()
    assert ran.code == 99
