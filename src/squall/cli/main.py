"""The door: one call of `squall`, from its arguments to its exit code.

The rule: what squall raises on purpose is one message on standard error, with what to do about it, and its
exit code. Anything else is a bug of squall, and is called that; its traceback goes into a file, never on the
screen (unless SQUALL_DEBUG=1). No message shows a secret of the arguments, the environment or the scenario.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from typing import Final, NoReturn

import typer

from squall.cli.secrecy import public_argument
from squall.cli.state import State, real_state
from squall.errors import ExitCode, SquallError

__all__ = ["call", "entry"]

_USAGE: Final[type[Exception]] = next(  # type: ignore[assignment] # found by its name, a subclass all the same
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException"
)
"""The root of what the parser raises about arguments; typer shows no name of its own for it."""


def entry() -> NoReturn:
    """The console script: exits with the code of the call."""
    code = call(real_state())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # It cannot be written. Python would try once more while it ends, and complain.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def call(state: State) -> int:
    """One call of squall; returns the exit code and raises nothing."""
    code = int(ExitCode.PASSED)
    # Whoever reads what is shown may want no more of it (`squall runs | head`): that is no failure.
    with contextlib.suppress(BrokenPipeError):
        code = _answered(state)
    try:
        state.stdout.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        state.complain(f"cannot write to standard output: {error.strerror}")
        code = code or int(ExitCode.ENVIRONMENT)
    return code


def _answered(state: State) -> int:
    with contextlib.redirect_stdout(state.stdout), contextlib.redirect_stderr(state.stderr):
        try:
            return _invoked(state)
        except SquallError as error:
            if state.debugs and error.__cause__ is not None:
                state.tell("".join(traceback.format_exception(error.__cause__)))
            state.complain(error.message, error.hint)
            return int(error.exit_code)
        except _USAGE as error:
            return _misused(state, error)
        except KeyboardInterrupt:
            state.complain("interrupted")
            return int(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - the last one that can turn a bug into words
            return _bug(state, error)


def _invoked(state: State) -> int:
    """Not by calling the app: that would turn Ctrl-C and a closed pipe into exit codes of its own."""
    from squall.cli.app import app
    from squall.cli.flags import with_values

    command = typer.main.get_command(app)
    try:
        with command.make_context("squall", with_values(state.arguments), obj=state) as context:
            command.invoke(context)
    except typer.Exit as end:
        return int(end.exit_code)
    return int(ExitCode.PASSED)


def _misused(state: State, error: Exception) -> int:
    """The parser's own words, without arguments that may be secret, and how to find the right ones."""
    words = getattr(error, "format_message", lambda: str(error))()
    for argument in sorted(state.arguments, key=len, reverse=True):
        words = words.replace(argument, public_argument(argument))
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "squall"
    state.complain(words, f"`{path} --help` lists what there is")
    return int(ExitCode.SCENARIO)


def _bug(state: State, error: Exception) -> int:
    """What to say where squall itself is wrong: no traceback, but where to find it."""
    text = "".join(traceback.format_exception(error))
    where = ""
    if state.debugs:
        state.tell(text)
    else:
        where = _kept(state.hide(f"{state.command}\n\n{text}"))
    said = f"{type(error).__name__}: {error}".strip(": ")
    state.complain(f"a bug of squall, not of your service: {said}", where)
    return int(ExitCode.BUG)


def _kept(text: str) -> str:
    """Puts a traceback into a file; where that is, in words."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="squall-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError:
        return "SQUALL_DEBUG=1 shows where it happened; please report that"
    return f"please report it with {file.name}, which says where it happened"
