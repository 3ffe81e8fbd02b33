"""squall as a process, as its users call it, against the bundled service."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from end_to_end.cli.calling import TIMEOUT_S, Done, Squall, command, environment


@pytest.fixture(scope="session")
def squall() -> Squall:
    """Calls squall in a folder and waits for its end."""

    def call(*arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> Done:
        return subprocess.run(
            command(*arguments),
            cwd=cwd,
            env=environment(**(variables or {})),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )

    return call


@pytest.fixture(scope="session")
def service_url() -> Iterator[str]:
    """`squall serve` on a free port, ended as a user ends it."""
    process = subprocess.Popen(
        command("serve", "--stdin-lifeline"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["url"])
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT_S) == 0
