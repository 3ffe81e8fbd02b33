"""Runs squall as its users do, as a process of its own, and reads what it leaves: for tests over real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

__all__ = ["Ran", "Running", "run_squall", "start_squall"]

RUN_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Ran:
    """A run that has ended. `summary` is None where it wrote none."""

    code: int
    stdout: str
    stderr: str
    folder: Path
    summary: dict[str, Any] | None

    @property
    def delivery(self) -> dict[str, Any]:
        """The accounting of all messages."""
        assert self.summary is not None, self.stderr + self.stdout
        return dict(self.summary["delivery"])

    @property
    def connections(self) -> dict[str, Any]:
        """The accounting of all connections."""
        assert self.summary is not None, self.stderr + self.stdout
        return dict(self.summary["connections"])

    @property
    def troubles(self) -> dict[tuple[str, str, str], int]:
        """What went wrong on the wire: (step, kind, blame) → count."""
        assert self.summary is not None, self.stderr + self.stdout
        return {(each["step"], each["kind"], each["blame"]): each["count"] for each in self.summary["errors"]}

    def assert_adds_up(self) -> None:
        """Both identities of the messages, and both of the connections."""
        got = self.delivery
        assert got["intended"] == got["not_sent"] + got["delivered"] + got["lost"] + got["unknown"]
        assert got["sent"] == got["intended"] - got["not_sent"]
        held = self.connections
        assert held["attempted"] == held["established"] + held["failed"] + held["pending"]
        assert held["established"] == held["closed"] + held["dropped"] + held["open"]


class Running:
    """A run under way. As a context manager it does not outlive its block, whatever happens there."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def interrupt(self) -> None:
        """What Ctrl-C does to the coordinator."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, timeout_s: float = RUN_TIMEOUT_S) -> Ran:
        """Wait for its end; it is killed, and the test fails, where that does not come."""
        try:
            stdout, stderr = self.process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        summary_file = self.folder / "summary.json"
        summary = json.loads(summary_file.read_text()) if summary_file.exists() else None
        return Ran(self.process.returncode, stdout, stderr, self.folder, summary)


def start_squall(
    scenario: Mapping[str, Any],
    folder: Path,
    *flags: str,
    pure: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Running:
    """Start `squall run` on a scenario; its run folder is `folder`/run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scenario.yaml"
    file.write_text(yaml.safe_dump(dict(scenario)))
    out = folder / "run"
    command = [
        sys.executable,
        "-m",
        "squall",
        "run",
        str(file),
        "--out",
        str(out),
        "--progress",
        "plain",
        *flags,
    ]
    env = {**os.environ, **(environment or {})}
    if pure:
        env["SQUALL_PURE"] = "1"
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=env
    )
    return Running(process, out)


def run_squall(
    scenario: Mapping[str, Any],
    folder: Path,
    *flags: str,
    pure: bool = False,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = RUN_TIMEOUT_S,
) -> Ran:
    """Carry out `squall run` on a scenario to its end."""
    return start_squall(scenario, folder, *flags, pure=pure, environment=environment).wait(timeout_s)
