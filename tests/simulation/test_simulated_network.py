"""Runs the simulation with the sources of the hot path: compiled, a session takes a real transport only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "passed"),
    [
        ("sessions_and_network.py", 2),
        ("talking_sessions.py", 8),
        ("send_patterns.py", 3),
        ("acking_sessions.py", 33),
        ("backpressure.py", 3),
        ("room_sessions.py", 14),
    ],
)
def test_sessions_show_what_the_simulation_did(file: str, passed: int) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"tests/simulation/{file}",
        ],
        cwd=ROOT,
        env={**os.environ, "SQUALL_PURE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"{passed} passed" in done.stdout
