"""10,000 connections against the bundled service, seven bugs at once: every counter equals the oracle's, to the message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controls.compare import differences
from controls.messages import Asked
from controls.oracle import Truth, judge
from controls.wire_log import read_wire_log
from squall.testing import read_run, serve
from squall_run import Ran, run_squall

pytestmark = pytest.mark.matrix

CONNECTIONS = 10_000
BUGS = {
    "lose": "lost",
    "duplicate": "duplicated",
    "reorder": "reordered",
    "corrupt": "corrupted_body",
    "corrupt-header": "corrupted_header",
    "delay": "reordered",
    "cross-deliver": "unexpected",
}
"""By bug, a counter that has to show it."""
SECONDS = {"reorder": ":2.5", "delay": ":2.5"}
"""Longer than the two seconds between two messages of a connection."""


def run(bugs: list[str], folder: Path, **load: Any) -> tuple[Ran, Truth]:
    with serve(bugs=bugs, bug_seed=5, wire_log=folder / "log", processes=2) as service:
        asked = {
            "seed": 5,
            "target": service.url,
            "load": {"connections": CONNECTIONS, "ramp_up": "8s", "hold": "10s", "ramp_down": "3s", **load},
            "traffic": {"rate": "0.5/s", "types": ["chat", "typing"]},
            "delivery": {"drain_timeout": "5s"},
        }
        ran = run_squall(asked, folder)
    return ran, judge(read_wire_log(folder / "log"), Asked())


def test_seven_bugs_at_once(tmp_path: Path) -> None:
    ran, truth = run([f"{name}:0.003{SECONDS.get(name, '')}" for name in BUGS], tmp_path)
    assert ran.connections["peak"] == CONNECTIONS
    assert differences(read_run(ran.folder), truth) == []
    assert truth.total.sent > 60_000
    for counter in BUGS.values():
        assert getattr(truth.total, counter) > 100
    ran.assert_adds_up()


def test_connections_that_are_cut_and_come_again_leave_bounds(tmp_path: Path) -> None:
    """What died with a connection is unknown, never lost; and nothing is delivered that did not go out."""
    ran, truth = run(["cut:0.002"], tmp_path, reconnect={"after_drop": True, "backoff": "200ms"})
    got, of_log = ran.delivery, truth.total
    assert ran.connections["reconnected"] > 100
    assert got["lost"] == of_log.lost == 0
    assert got["duplicated"] == got["reordered"] == got["corrupted_body"] == got["unexpected"] == 0
    assert got["delivered"] <= of_log.delivered
    assert got["unknown"] >= of_log.unknown > 100
    came_in_or_not = got["sent"] - of_log.sent
    assert got["unknown"] - of_log.unknown == came_in_or_not + of_log.delivered - got["delivered"]
    ran.assert_adds_up()
