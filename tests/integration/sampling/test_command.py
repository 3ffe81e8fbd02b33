"""A command of the user's: what it prints is read, whatever it does is survived, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from squall.record.resources import ResourceSample
from squall.sampling.command import CommandSampler

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups")

S = 10**9


@contextmanager
def running(command: str, interval_s: float = 1.0) -> Iterator[CommandSampler]:
    sampler = CommandSampler("target", command, interval_s=interval_s)
    try:
        yield sampler
    finally:
        sampler.close()


def next_look(sampler: CommandSampler, clock_ns: int = 0) -> ResourceSample:
    """The next look that has something to tell."""
    deadline = time.monotonic() + 5
    while (found := sampler.look(clock_ns, clock_ns)) is None:
        assert time.monotonic() < deadline, "the command said nothing"
        threading.Event().wait(0.01)
    return found


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while any(_runs(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def read_pids(file: Path) -> list[int]:
    deadline = time.monotonic() + 5
    while not file.exists() or len(file.read_text().split()) < 2:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    return [int(word) for word in file.read_text().split()]


def test_the_newest_line_counts() -> None:
    command = (
        """echo '{"cpu_share": 0.1}'; echo '{"cpu_share": 0.4, "queue": 3, "threads": null}'; read forever"""
    )
    command = command.replace("read forever", "sleep 60")
    with running(command) as sampler:
        threading.Event().wait(0.1)
        found = next_look(sampler)
        assert (found.problem, found.cpu_share, found.custom, found.threads) == (
            "",
            0.4,
            {"queue": 3.0},
            None,
        )
        assert sampler.look(S, S) is None  # nothing new, and not late yet


def test_a_command_that_says_nothing_any_more_is_not_measured() -> None:
    with running("""echo '{"queue": 3}'; sleep 60""") as sampler:
        assert next_look(sampler).custom == {"queue": 3.0}
        assert sampler.look(2 * S, 2 * S) is None
        late = sampler.look(4 * S, 4 * S)
        assert late is not None
        assert (late.problem, late.custom) == ("the command has printed nothing for 4 s", {})


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo hunter2; sleep 60", "a line that is no JSON object"),
        ("echo '[1]'; sleep 60", "a line that is no JSON object"),
        ("echo '{\"cpu_share\": 45}'; sleep 60", "divide by 100"),
        ("head -c 100 /dev/urandom; echo; sleep 60", "a line that is no JSON object"),
        ("exit 3", "the command has ended with exit code 3"),
        ("no-such-command-hunter2", "the command has ended with exit code 127"),
        ("kill -9 $$", "the command has ended with exit code 137"),
        ("yes '{}'", "prints more than 32 KiB"),
        ("head -c 40000 /dev/zero; sleep 60", "prints more than 32 KiB"),
    ],
)
def test_whatever_else_it_does_is_said_without_quoting_it(command: str, said: str) -> None:
    with running(command) as sampler:
        threading.Event().wait(0.05 if "40000" in command or "yes" in command else 0)
        found = next_look(sampler)
        assert said in found.problem
        assert "hunter2" not in found.problem
        assert (found.cpu_share, found.custom) == (None, {})


def test_a_command_that_ended_stays_so() -> None:
    with running("""echo '{"queue": 1}'; exit 0""") as sampler:
        threading.Event().wait(0.1)
        seen = [next_look(sampler), next_look(sampler)]
        assert [each.problem for each in seen] == ["", "the command has ended with exit code 0"]


def test_lines_in_parts_are_put_together() -> None:
    with running("""printf '{"que'; sleep 0.1; printf 'ue": 2}\\n'; sleep 60""") as sampler:
        threading.Event().wait(0.05)
        assert sampler.look(0, 0) is None
        assert next_look(sampler).custom == {"queue": 2.0}


def test_closing_kills_all_that_the_command_started(tmp_path: Path) -> None:
    command = (
        f"sleep 60 & echo $! > {tmp_path}/pids; sh -c 'echo $$ >> {tmp_path}/pids; trap : TERM; sleep 60; :'"
    )
    with running(command):
        pids = read_pids(tmp_path / "pids")
        assert all(_runs(pid) for pid in pids)
    assert gone(pids)


def test_a_command_does_not_outlive_squall_that_was_killed(tmp_path: Path) -> None:
    command = f"sleep 60 & echo $! > {tmp_path}/pids; echo $$ >> {tmp_path}/pids; wait"
    code = (
        "import sys\nfrom squall.sampling.command import CommandSampler\n"
        "CommandSampler('a', sys.argv[1], interval_s=1)\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    squall = subprocess.Popen(
        [sys.executable, "-c", code, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        pids = read_pids(tmp_path / "pids")
        squall.send_signal(signal.SIGKILL)
        assert gone(pids)
    finally:
        squall.kill()
        squall.communicate()
