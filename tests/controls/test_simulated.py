"""Each bug alone, in simulation, and the page that says what it does. The other half of the matrix is `make controls`'s.

With the sources of the hot path: compiled, a session takes a real transport only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controls.cases import EXCHANGES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "what-each-bug-does.md"
GROUPS = (("echo", "ack"), ("ack_echo", "acked_push"), ("room", "priority", "relay"))
"""Some exchanges a process, so that several are tried at once."""


@pytest.mark.parametrize("names", GROUPS, ids="-".join)
def test_every_counter_is_right_and_the_page_shows_it(names: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "controls.table_of_bugs", *names],
        cwd=ROOT,
        env={**os.environ, "SQUALL_PURE": "1", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    page = PAGE.read_text()
    sections = done.stdout.strip().split("## ")[1:]
    assert len(sections) == len(names)
    assert not [each for each in sections if each.strip() not in page], (
        "the page is not as it would be written"
    )


def test_no_exchange_is_left_out() -> None:
    assert sorted(name for names in GROUPS for name in names) == sorted(EXCHANGES)
