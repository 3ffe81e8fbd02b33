"""Who descends from whom: as the system has it at each look, though hardly any process is asked twice."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from squall.sampling import parents
from squall.sampling.parents import Parents
from squall.sampling.processes import parent_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all are asked each time")


PR_SET_CHILD_SUBREAPER = 36


class Watched(Protocol):
    pid: int
    process: subprocess.Popen[str]

    def tell(self, words: str) -> str: ...
    def end(self) -> None: ...


Start = Callable[[], Watched]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were asked for their parent."""
    found: list[int] = []

    def noted(pid: int) -> int | None:
        found.append(pid)
        return parent_of(pid)

    monkeypatch.setattr(parents, "parent_of", noted)
    return found


def pids(family: Parents, root: int) -> list[int]:
    return [each.pid for each in family.descendants([root])]


def test_a_process_is_asked_once_as_long_as_its_parent_is_there(start: Start, asked: list[int]) -> None:
    watched, family = start(), Parents()
    assert pids(family, watched.pid) == [watched.pid]
    assert {os.getpid(), watched.pid} <= set(asked)
    asked.clear()
    child = int(watched.tell("fork"))
    assert pids(family, watched.pid) == [watched.pid, child]
    assert child in asked
    assert not {os.getpid(), watched.pid} & set(asked)


@pytest.fixture
def subreaper() -> Iterator[None]:
    """Whoever loses its parent and descends from this process is its child then."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.mark.usefixtures("subreaper")
def test_who_lost_its_parent_is_found_by_the_one_it_has_now(start: Start) -> None:
    watched, family = start(), Parents()
    child = int(watched.tell("fork"))
    assert {watched.pid, child} < set(pids(family, os.getpid()))
    os.kill(watched.pid, signal.SIGKILL)
    os.waitid(os.P_PID, watched.pid, os.WEXITED | os.WNOWAIT)
    for _ in range(2):
        found = pids(family, os.getpid())
        assert child in found
        assert watched.pid not in found
        assert pids(family, watched.pid) == []
    watched.process.wait()
    assert child in pids(family, os.getpid())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert child not in pids(family, os.getpid())


def test_a_number_that_was_given_to_another_is_another_process(
    start: Start, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, family = start(), Parents()
    pids(family, watched.pid)
    asked.clear()
    folders = parents._folders
    monkeypatch.setattr(parents, "_folders", lambda: folders() | {watched.pid: -1})
    pids(family, watched.pid)
    assert watched.pid in asked


def test_where_the_parent_cannot_be_seen_the_process_is_asked_again(
    start: Start, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, family = start(), Parents()
    folders = parents._folders
    hidden = os.getpid()
    monkeypatch.setattr(
        parents, "_folders", lambda: {pid: each for pid, each in folders().items() if pid != hidden}
    )
    pids(family, watched.pid)
    asked.clear()
    pids(family, watched.pid)
    assert watched.pid in asked
