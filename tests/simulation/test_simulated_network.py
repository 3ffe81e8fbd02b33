"""Runs the simulation with the sources of the hot path: compiled, a session takes a real transport only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_session_shows_what_the_simulated_network_did() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/simulation/sessions_and_network.py",
        ],
        cwd=ROOT,
        env={**os.environ, "SQUALL_PURE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 passed" in done.stdout
