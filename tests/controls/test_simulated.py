"""Runs some of the matrix with the sources of the hot path: compiled, a session takes a real transport only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_with_sources(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, "SQUALL_PURE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout.strip().splitlines()[-1]


def test_some_of_the_matrix_of_bugs() -> None:
    said = run_with_sources("tests/controls/matrix_of_bugs.py", "-m", "not matrix")
    assert int(said.split()[0]) > 10, said
