"""squall called in this process, with a world of the test's own."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from squall.cli.main import call
from squall.cli.state import State


class Replaced(BaseException):
    """The process would now be another program."""


@dataclass
class Called:
    """What came of a call."""

    code: int
    out: str
    err: str


class World:
    """Makes states, and calls squall with them."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.replaced: list[tuple[list[str], dict[str, str]]] = []

    def state(
        self, *arguments: str, environment: Mapping[str, str] | None = None, is_terminal: bool = False
    ) -> State:
        return State(
            arguments=list(arguments),
            environment=dict(environment or {}),
            stdout=io.StringIO(),
            stderr=io.StringIO(),
            cwd=self.cwd,
            is_terminal=is_terminal,
            replace_process=self._replace,
        )

    def call(
        self, *arguments: str, environment: Mapping[str, str] | None = None, is_terminal: bool = False
    ) -> Called:
        state = self.state(*arguments, environment=environment, is_terminal=is_terminal)
        code = call(state)
        assert isinstance(state.stdout, io.StringIO)
        assert isinstance(state.stderr, io.StringIO)
        return Called(code, state.stdout.getvalue(), state.stderr.getvalue())

    def _replace(self, command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
        self.replaced.append((list(command), dict(environment)))
        raise Replaced


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def squall(world: World) -> Callable[..., Called]:
    return world.call


@pytest.fixture
def replaced() -> type[BaseException]:
    return Replaced
