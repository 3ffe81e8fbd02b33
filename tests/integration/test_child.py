"""A process that says when it is ready: started, ended in order, killed where it does not end."""

from __future__ import annotations

import sys

import psutil
import pytest

from squall import child
from squall.child import Child
from squall.errors import EnvironmentFailure

READY = "import sys; print('{\"port\": 7}', flush=True); "


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_it_is_started_and_ends_with_its_input() -> None:
    each = Child(program(READY + "sys.stdin.read()"), "the thing")
    assert each.start() == {"port": 7}
    pid = each.pid
    assert pid is not None
    assert each.ended_with is None
    each.stop()
    each.stop()
    assert each.pid is None
    assert not psutil.pid_exists(pid)


def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "STOP_TIMEOUT_S", 0.1)
    each = Child(program(READY + "import time\nwhile True: time.sleep(9)"), "the thing")
    each.start()
    pid = each.pid
    each.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_one_that_was_killed_says_so() -> None:
    each = Child(program(READY + "sys.stdin.read()"), "the thing")
    each.start()
    each.kill()
    assert each.ended_with == -9
    each.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit('no room\\n  hint: make some')", "the thing did not start: no room"),
        ("import sys; sys.exit(3)", "the thing did not start: exit code 3"),
    ],
)
def test_one_that_does_not_start_says_why(text: str, said: str) -> None:
    each = Child(program(text), "the thing")
    with pytest.raises(EnvironmentFailure, match=said):
        each.start()
    assert each.pid is None


def test_one_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "START_TIMEOUT_S", 0.1)
    with pytest.raises(EnvironmentFailure, match="the thing did not start: nothing for"):
        Child(program("import sys; sys.stdin.read()"), "the thing").start()
