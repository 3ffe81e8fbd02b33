"""What the command line takes from outside, in one place, so that a test can put something else there.

No other module of this room but `main` touches arguments, environment, standard streams or the process's end.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TextIO

from squall.cli.secrecy import command_line, scrubbed, secrets_in_arguments, secrets_in_environment
from squall.errors import EnvironmentFailure

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
    masks: list[Callable[[str], str]] = field(default_factory=list)
    """Each takes secrets out of a text: those of arguments and environment, later also the scenario's."""

    def __post_init__(self) -> None:
        secrets = secrets_in_arguments(self.arguments) | secrets_in_environment(self.environment)
        self.masks.append(lambda text: scrubbed(text, secrets))

    @property
    def settings(self) -> dict[str, str]:
        """The environment as far as it can hold settings of a scenario."""
        return {name: value for name, value in self.environment.items() if name != DEBUG}

    @property
    def command(self) -> str:
        """What was typed, secrets masked."""
        return self.hide(command_line(self.arguments))

    @property
    def debugs(self) -> bool:
        """Whether a bug's traceback is wanted on the terminal."""
        return self.environment.get(DEBUG, "") not in ("", "0")

    @property
    def is_dumb(self) -> bool:
        """Whether the terminal, if there is one, can show lines only: no cursor, no colours."""
        return self.environment.get("TERM", "") in ("dumb", "unknown")

    def has_colour(self, stream: TextIO) -> bool:
        """Whether what is written to a stream may be coloured."""
        is_terminal = self.is_terminal if stream is self.stderr else stream.isatty()
        return is_terminal and not self.is_dumb and not self.environment.get("NO_COLOR")

    def hide(self, text: str) -> str:
        """The text without any secret that is known so far."""
        for mask in self.masks:
            text = mask(text)
        return text

    def say(self, text: str = "") -> None:
        """A line of result, to standard output.

        Raises:
            BrokenPipeError: whoever read it wants no more.
            EnvironmentFailure: it cannot be written.
        """
        try:
            print(text, file=self.stdout)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise EnvironmentFailure(f"cannot write to standard output: {error.strerror}") from None

    def tell(self, text: str) -> None:
        """A line beside the result (a warning, an error), to standard error, secrets masked; never fails."""
        with contextlib.suppress(OSError):
            print(self.hide(text), file=self.stderr)

    def complain(self, message: str, hint: str = "") -> None:
        """An error, and what to do about it."""
        red, plain = ("\x1b[31m", "\x1b[0m") if self.has_colour(self.stderr) else ("", "")
        self.tell(f"{red}squall: {message}{plain}")
        if hint:
            self.tell(f"  hint: {hint}")


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
