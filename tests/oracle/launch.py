"""Starts the lying echo server as a process of its own, and always ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oracle.certificates import KeyPair
from oracle.reader import Truth, read

__all__ = ["Lying", "lying_server"]

STOP_TIMEOUT_S = 30.0


class Lying:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], *, port: int, log: Path, is_tls: bool) -> None:
        self._process = process
        self.port = port
        self.log = log
        self.url = f"{'wss' if is_tls else 'ws'}://{'localhost' if is_tls else '127.0.0.1'}:{port}/"

    @property
    def pid(self) -> int:
        """The process, for a test that wants to stop or kill it."""
        return self._process.pid

    def stop(self) -> None:
        """End the server and wait until its log is complete; more than once does no harm.

        Raises:
            RuntimeError: it ended with an error.
            subprocess.TimeoutExpired: it did not end, and was killed.
        """
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            if self._process.stdout is not None:
                self._process.stdout.close()
        if code != 0:
            raise RuntimeError(f"the lying server ended with code {code}")

    def truth(self, *, run: int | None = None) -> Truth:
        """End the server and judge its log."""
        self.stop()
        return read(self.log, run=run)


@contextmanager
def lying_server(log: Path, *arguments: str, tls: KeyPair | None = None) -> Iterator[Lying]:
    """Run a server that writes ``log``; ``arguments`` are its options, as ``("--lose", "0.02")``.

    With ``tls`` it speaks TLS with that certificate, else plain. Its port is free, its address loopback.
    """
    tests = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "oracle.server", "--log", str(log), *arguments]
    if tls is not None:
        command += ["--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    )
    try:
        first_line = process.stdout.readline() if process.stdout is not None else ""
        if not first_line:
            raise RuntimeError(f"the lying server did not start (exit code {process.wait(STOP_TIMEOUT_S)})")
        server = Lying(process, port=json.loads(first_line)["port"], log=log, is_tls=tls is not None)
        yield server
        server.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
