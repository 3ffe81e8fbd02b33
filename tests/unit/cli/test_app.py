"""The commands: quick to start, and `plan` and `run` take the same flags."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import typer

from squall.cli.app import app
from squall.cli.flags import FLAGS

Squall = Callable[..., Any]

HEAVY = ("numpy", "picows", "uvloop", "asyncio", "squall.engine", "squall.runner", "rich.console")


def test_the_version_is_said_without_loading_what_a_run_needs() -> None:
    script = (
        "import sys; sys.argv[1:] = ['--version']\n"
        "from squall.cli.main import entry\n"
        "try:\n    entry()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"]


@pytest.mark.parametrize("name", ["run", "plan", "echo", "connect"])
def test_the_commands_about_a_scenario_take_every_flag(name: str) -> None:
    group: Any = typer.main.get_command(app)
    command = group.commands[name]
    taken = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    wanted = {option for flag in FLAGS for text in flag.names for option in text.split("/")}
    assert wanted <= taken


@pytest.mark.parametrize(
    ("what", "title"),
    [("scenario", "squall scenario"), ("summary", "The summary of a"), ("progress", "A line of squall")],
)
def test_schemas_are_json(squall: Squall, what: str, title: str) -> None:
    called = squall("schema", what)
    assert called.code == 0
    assert json.loads(called.out)["title"].startswith(title)


def test_the_scenario_is_what_a_schema_is_of_by_default(squall: Squall) -> None:
    assert squall("schema").out == squall("schema", "scenario").out
