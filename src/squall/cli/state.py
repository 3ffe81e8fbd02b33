"""What the command line takes from outside, in one place, so that a test can put something else there.

No other module of this room but `main` touches arguments, environment, standard streams or the process's end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TextIO

from squall.cli.secrecy import secrets_in_arguments, secrets_in_environment

__all__ = ["DEBUG", "State", "real_state"]

DEBUG = "SQUALL_DEBUG"
"""The variable that, set to 1, shows a bug's traceback on the terminal; it is no setting of a scenario."""


@dataclass(kw_only=True)
class State:
    """The world as the command line sees it."""

    arguments: list[str]
    environment: Mapping[str, str]
    stdout: TextIO
    stderr: TextIO
    cwd: Path
    is_terminal: bool
    """Whether `stderr`, where progress goes, is a terminal."""
    replace_process: Callable[[Sequence[str], Mapping[str, str]], NoReturn]
    """Become another program: command line and environment."""
    secrets: set[str] = field(default_factory=set)
    """What must not be shown: found in arguments and environment, later also in the scenario."""

    def __post_init__(self) -> None:
        self.secrets |= secrets_in_arguments(self.arguments) | secrets_in_environment(self.environment)

    @property
    def settings(self) -> dict[str, str]:
        """The environment as far as it can hold settings of a scenario."""
        return {name: value for name, value in self.environment.items() if name != DEBUG}

    @property
    def has_colour(self) -> bool:
        """Whether errors may be red."""
        return self.is_terminal and not self.environment.get("NO_COLOR")

    @property
    def debugs(self) -> bool:
        """Whether a bug's traceback is wanted on the terminal."""
        return self.environment.get(DEBUG, "") not in ("", "0")

    def say(self, text: str = "") -> None:
        """A line of result, to standard output."""
        print(text, file=self.stdout)

    def tell(self, text: str) -> None:
        """A line beside the result (a warning, where something was written), to standard error."""
        print(text, file=self.stderr)


def real_state() -> State:
    """The process's own arguments, environment, streams and folder."""
    return State(
        arguments=sys.argv[1:],
        environment=os.environ,
        stdout=sys.stdout,
        stderr=sys.stderr,
        cwd=Path.cwd(),
        is_terminal=sys.stderr.isatty(),
        replace_process=_exec,
    )


def _exec(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    os.execve(command[0], list(command), dict(environment))
