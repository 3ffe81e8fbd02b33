"""Starts a service that is written for the tests as a process of its own, and always ends it.

A service prints a line of JSON with its port once it listens, serves until its standard input ends, and then prints a
line of JSON with what it did.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Service", "acking_service", "chat_service", "crowded_service", "rooms_service", "started"]

STOP_TIMEOUT_S = 15.0


class Service:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.url = f"ws://127.0.0.1:{port}/"
        self._did: dict[str, int] | None = None

    def did(self) -> dict[str, int]:
        """End the service; what it did, and how often."""
        if self._did is None:
            out, _ = self._process.communicate(timeout=STOP_TIMEOUT_S)
            self._did = json.loads(out)
        return dict(self._did or {})


@contextmanager
def started(command: Sequence[str | Path], **environment: str) -> Iterator[Service]:
    """The service that a command starts, on a free port of loopback."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        first_line = process.stdout.readline() if process.stdout is not None else ""
        if not first_line:
            raise RuntimeError(f"the service did not start (exit code {process.wait(STOP_TIMEOUT_S)})")
        service = Service(process, json.loads(first_line)["port"])
        yield service
        service.did()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def chat_service(*arguments: str) -> Iterator[Service]:
    """The JSON chat and feed; see `oracle.chat` for what it can be told to do wrong."""
    with started([sys.executable, Path(__file__).with_name("chat.py"), *arguments]) as service:
        yield service


@contextmanager
def acking_service(*arguments: str) -> Iterator[Service]:
    """A service that acknowledges; see `oracle.acker` for what it can be told to do wrong."""
    tests = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "oracle.acker", *arguments]
    with started(command, PYTHONPATH=str(tests)) as service:
        yield service


@contextmanager
def crowded_service(*arguments: str) -> Iterator[Service]:
    """The bundled service, slow above some number of connections; see `crowded_service`."""
    tests = Path(__file__).resolve().parent.parent
    with started([sys.executable, "-m", "crowded_service", *arguments], PYTHONPATH=str(tests)) as service:
        yield service


@contextmanager
def rooms_service(*arguments: str) -> Iterator[Service]:
    """Rooms on the ``websockets`` library; see `oracle.rooms` for what it can be told to do wrong."""
    with started([sys.executable, Path(__file__).with_name("rooms.py"), *arguments]) as service:
        yield service
