"""Processes to be watched, and what they were told to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

WATCHED = """\
import socket, sys, threading, os
held, threads = [], []
def burn(end):
    while not end.is_set():
        sum(range(1000))
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "allocate":
        held.append(bytearray(os.urandom(1)) * int(rest))
    elif word == "burn":
        held.append(threading.Event())
        threads.append(threading.Thread(target=burn, args=(held[-1],), daemon=True))
        threads[-1].start()
    elif word == "open":
        held += [open(os.devnull) for _ in range(int(rest))]
    elif word == "fork":
        pid = os.fork()
        if not pid:
            os.read(0, 1)
            os._exit(0)
        print(pid, flush=True)
        continue
    elif word == "listen":
        port, _, backlog = rest.partition(" ")
        held.append(socket.create_server(("127.0.0.1", int(port)), backlog=int(backlog)))
        print(held[-1].getsockname()[1], flush=True)
        continue
    elif word == "accept":
        held.append(held[-1].accept()[0])
    elif word == "echo":
        for _ in range(int(rest)):
            held[-1].sendall(held[-1].recv(1, socket.MSG_WAITALL))
    print("done", flush=True)
"""


class Watched:
    """A process that does as it is told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCHED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid
        self.tell("be there")

    def tell(self, words: str) -> str:
        """Let it do this; what it answers, once it is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """Kill it, and wait for that."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[[], Watched]]:
    """Start processes; they are ended."""
    started: list[Watched] = []

    def one() -> Watched:
        started.append(Watched())
        return started[-1]

    yield one
    for each in started:
        each.end()
