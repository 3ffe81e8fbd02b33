"""`squall serve` becomes the bundled service, with the same options."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import typer

from squall.cli.app import app


def test_it_becomes_the_service_with_what_was_given(world: Any, replaced: type[BaseException]) -> None:
    with pytest.raises(replaced):
        world.call("serve", "--port", "8123", "--processes", "2", "--stdin-lifeline", environment={"A": "b"})
    ((command, environment),) = world.replaced
    assert command[:4] == [sys.executable, "-m", "squall.reference", "serve"]
    assert {"--port=8123", "--processes=2", "--stdin-lifeline", "--host=127.0.0.1"} <= set(command)
    assert not any(each.startswith("--tls") for each in command)
    assert environment == {"A": "b"}


def test_it_takes_the_options_that_the_service_takes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "squall.reference", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    group: Any = typer.main.get_command(app)
    ours = {option for each in group.commands["serve"].params for option in each.opts}
    assert ours == set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", done.stdout, re.MULTILINE)) - {"--help"}
