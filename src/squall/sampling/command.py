"""Watches by a command of the user's, which runs as long as the run does and prints a JSON object on each line.

A figure has the name of ours or any other; the newest line counts. The command stands in a process group of its
own, which is killed at the end; what leaves that group by itself, nobody finds again. Should squall itself be
killed, a shell beside the command notices: it holds the other end of a pipe. Nothing that the command prints or
is called by gets into a problem: it may hold secrets.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from typing import Any, Final

from squall.record.resources import ResourceSample, Role
from squall.sampling.reported import fields_of

__all__ = ["UNREAD_BYTES_MAX", "CommandSampler"]

UNREAD_BYTES_MAX: Final = 32 << 10
"""What a command may print between two looks: a pipe may hold little more, and a full one means old lines."""

_QUIET_LOOKS: Final = 3
"""Intervals without a line after which the figures count as not measured."""

_GUARDED: Final = """\
{ /bin/sh -c "$1"; echo "#ended $?"; } </dev/null &
exec >/dev/null
read -r _
kill -KILL 0
"""
"""Runs the command beside a shell that waits for the end of its input, and then kills the whole group."""

_ENDED: Final = re.compile(rb"#ended (\d+)")


class CommandSampler:
    """One command.

    Args:
        source: what it is called.
        command: for the shell.
        interval_s: how often is looked.
    """

    role: Role = "target"

    def __init__(self, source: str, command: str, *, interval_s: float) -> None:
        self.source = source
        self._quiet_ns = round(_QUIET_LOOKS * interval_s * 1e9)
        self._unfinished = b""
        self._heard_ns: int | None = None
        self._over = ""
        lifeline, self._held_end = os.pipe()
        try:
            self._process: subprocess.Popen[bytes] | None = _started(command, lifeline)
        except OSError as error:
            self._process = None
            self._over = f"the command could not be started: {error.strerror}"
        finally:
            os.close(lifeline)

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample | None:
        """What the newest line says; None where none came since the look before, which may well be."""
        if self._heard_ns is None:
            self._heard_ns = clock_ns
        lines, problem = self._lines()
        if not lines:
            problem = problem or self._over
            quiet_ns = clock_ns - self._heard_ns
            if not problem and quiet_ns >= self._quiet_ns:
                problem = f"the command has printed nothing for {quiet_ns / 1e9:.0f} s"
            return self._sample(at_ns, problem) if problem else None
        self._heard_ns = clock_ns
        if problem:
            return self._sample(at_ns, problem)
        reported = _object(lines[-1])
        if reported is None:
            return self._sample(at_ns, "the command printed a line that is no JSON object")
        fields, wrong = fields_of(reported)
        return self._sample(at_ns, wrong, **fields)

    def close(self) -> None:
        """Kill the command with all that it started in its group."""
        os.close(self._held_end)
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _lines(self) -> tuple[list[bytes], str]:
        """The whole lines that came since the look before, and what is wrong with them."""
        content = self._unfinished + self._unread()
        *lines, self._unfinished = content.split(b"\n")
        if len(content) >= UNREAD_BYTES_MAX:
            self._unfinished = b""
            return lines, f"the command prints more than {UNREAD_BYTES_MAX >> 10} KiB between two looks"
        if lines and (ended := _ENDED.fullmatch(lines[-1])):
            self._over = f"the command has ended with exit code {int(ended[1])}"
            lines.pop()
        return [line for line in lines if line.strip()], ""

    def _unread(self) -> bytes:
        """What is in the pipe."""
        content = b""
        if self._process is None or self._process.stdout is None:
            return content
        with suppress(BlockingIOError):
            while len(content) <= UNREAD_BYTES_MAX:
                part = os.read(self._process.stdout.fileno(), UNREAD_BYTES_MAX)
                if not part:
                    self._over = self._over or "the command has ended"
                    break
                content += part
        return content

    def _sample(self, at_ns: int, problem: str, **fields: Any) -> ResourceSample:
        return ResourceSample(at_ns=at_ns, source=self.source, role=self.role, problem=problem, **fields)


def _started(command: str, lifeline: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["/bin/sh", "-c", _GUARDED, "squall-watch", command],
        stdin=lifeline,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if process.stdout is not None:
        os.set_blocking(process.stdout.fileno(), False)
    return process


def _object(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
