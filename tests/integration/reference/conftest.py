"""The bundled service as a process of its own, started for a test and always ended with it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import IO, Any

import psutil
import pytest

START_TIMEOUT_S = 30


@dataclass
class Running:
    """A service that accepts connections."""

    process: subprocess.Popen[str]
    url: str
    port: int
    health_port: int
    processes: int

    @property
    def pid(self) -> int:
        return self.process.pid

    def nodes(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children()

    def everyone(self) -> list[psutil.Process]:
        return [psutil.Process(self.pid), *self.nodes()]

    def stderr_after_end(self) -> str:
        self.process.wait(START_TIMEOUT_S)
        assert self.process.stderr is not None
        return self.process.stderr.read()


Start = Callable[..., AbstractContextManager[Running]]


def launch(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "squall.reference", "serve", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    process = launch("--stdin-lifeline", *arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            _, said = process.communicate(timeout=START_TIMEOUT_S)
            pytest.fail(f"the service did not start: {said}")
        facts: dict[str, Any] = json.loads(line)
        assert facts.pop("pid") == process.pid
        assert set(facts.pop("pids")) == {each.pid for each in psutil.Process(process.pid).children()}
        yield Running(process=process, **facts)
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End the service and close our ends of its pipes; its nodes follow the parent by themselves."""
    process.kill()
    process.wait()
    pipes: list[IO[str] | None] = [process.stdin, process.stdout, process.stderr]
    for pipe in pipes:
        if pipe is not None:
            pipe.close()


@pytest.fixture(scope="session")
def start() -> Start:
    """`with start("--processes", "2") as service:`."""
    return running


@pytest.fixture
def refused() -> Callable[..., tuple[int, str, str]]:
    """Start a service that cannot be: its exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        process = launch(*arguments)
        try:
            out, said = process.communicate(timeout=START_TIMEOUT_S)
            return process.returncode, out, said
        finally:
            end(process)

    return run


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    """One plain service for the tests of a module that leave it as they found it."""
    with running() as it:
        yield it


@pytest.fixture
def get() -> Callable[[int, str], tuple[HTTPResponse, str]]:
    """A plain GET on a port of this machine: the answer and its body."""

    def ask(port: int, path: str) -> tuple[HTTPResponse, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    return ask


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something holds, for at most ten seconds."""
    import time

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.02)  # noqa: TID251 - a real process is waited for: there is no clock to fake

    return wait
