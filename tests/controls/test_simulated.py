"""Runs some of the matrix with the sources of the hot path: compiled, a session takes a real transport only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_with_sources(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "SQUALL_PURE": "1", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_each_bug_alone() -> None:
    said = run_with_sources("pytest", "-q", "-p", "no:cacheprovider", "tests/controls/matrix_of_bugs.py")
    assert int(said.strip().splitlines()[-1].split()[0]) > 10, said


def test_the_page_on_what_each_bug_does_is_what_they_do() -> None:
    page = ROOT / "docs" / "reference" / "what-each-bug-does.md"
    assert run_with_sources("controls.table_of_bugs", "--print") == page.read_text()
