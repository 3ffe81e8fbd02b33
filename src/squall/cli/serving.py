"""`squall serve` and `squall proxy`: become the bundled service, or the fault proxy.

This process turns into the other's, with the same process id: signals reach it without anybody to pass them
on, and nothing can be left behind when this command ends.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from squall.cli.state import State

__all__ = ["become"]


def become(state: State, program: Sequence[str], options: Mapping[str, object]) -> NoReturn:
    """Become `python -m PROGRAM` with these options; None and False stand for not given."""
    command = [sys.executable, "-m", *program]
    for name, value in options.items():
        if value is True:
            command.append(name)
        elif isinstance(value, list):
            command += [f"{name}={each}" for each in value]
        elif value is not None and value is not False:
            command += [f"{name}={value}"]
    state.stdout.flush()
    state.stderr.flush()
    state.replace_process(command, state.environment)
