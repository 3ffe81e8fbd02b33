"""A process of ours that says in one line of JSON that it is ready, and ends with its standard input.

It ends in order when it is stopped, and since it watches its standard input it ends with this process too, even
where that is killed. Whoever starts one stops it.
"""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO, Any, Final

from squall.errors import EnvironmentFailure

__all__ = ["START_TIMEOUT_S", "STOP_TIMEOUT_S", "Child"]

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 10.0


class Child:
    """One process, started once.

    Args:
        command: what is run; it must end when its standard input does.
        what: what it is, for messages: "the service".
    """

    def __init__(self, command: Sequence[str], what: str) -> None:
        self._command = tuple(command)
        self._what = what
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it has not been stopped."""
        return None if self._process is None else self._process.pid

    @property
    def ended_with(self) -> int | None:
        """How it ended by itself; None while it runs, or once it was stopped."""
        return None if self._process is None else self._process.poll()

    def start(self) -> dict[str, Any]:
        """Start it; what it says of itself once it is ready.

        Raises:
            EnvironmentFailure: it ended before, or said nothing for `START_TIMEOUT_S`; it is stopped.
        """
        said = self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        )
        try:
            return self._announced(self._process, said)
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """Kill it where it stands; it is still to be stopped."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Let it end in order, and make it end where it does not. May be repeated."""
        process, said = self._process, self._said
        self._process = self._said = None
        if process is None or said is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            if process.stdout is not None:
                process.stdout.close()
            said.close()

    def _announced(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> dict[str, Any]:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        ready, _, _ = select.select([process.stdout], [], [], START_TIMEOUT_S)
        line = process.stdout.readline() if ready else b""
        if line:
            facts: dict[str, Any] = json.loads(line)
            return facts
        why = f"nothing for {START_TIMEOUT_S:.0f} s"
        if ready:
            process.wait(STOP_TIMEOUT_S)
            said.seek(0)
            lines = [line for line in said.read().decode(errors="replace").splitlines() if _is_reason(line)]
            why = lines[-1].strip() if lines else f"exit code {process.returncode}"
        raise EnvironmentFailure(f"{self._what} did not start: {why}")


def _is_reason(line: str) -> bool:
    """Whether a line of what it wrote can be why it ended: no hint to whoever typed a command."""
    return bool(line.strip()) and not line.startswith("  hint:")
