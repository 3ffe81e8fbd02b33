"""How the tests call squall as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TIMEOUT_S = 60.0
SHORT = ("--ramp-up", "500ms", "--ramp-down", "500ms", "-d", "2s")

Done = subprocess.CompletedProcess[str]
Squall = Callable[..., Done]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "squall", *arguments]


def environment(**changes: str) -> dict[str, str]:
    """The test's own, without settings of squall that it may have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}
    pure = {"SQUALL_PURE": os.environ["SQUALL_PURE"]} if "SQUALL_PURE" in os.environ else {}
    return {**kept, **pure, **changes}


def started(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """squall as a process, with both its streams to be read; whoever starts it ends it."""
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
