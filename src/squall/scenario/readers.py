"""Scenario files: YAML, TOML or Python, chosen by the suffix, as plain data with the place of each setting.

Reads one file and checks nothing but its syntax. No message quotes what a file holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from squall.errors import ScenarioError
from squall.scenario.codec import tree_of
from squall.scenario.mistakes import Mistake
from squall.scenario.mistakes import Path as SettingPath
from squall.scenario.models import Scenario
from squall.scenario.python_file import run_python
from squall.scenario.strict_yaml import read_yaml

__all__ = ["SUFFIXES", "Source", "read_source"]

SUFFIXES: Final = (".yaml", ".yml", ".toml", ".py")
"""The suffixes of scenario files."""

_FILE_MAX_BYTES = 1 << 20  # a larger file is something else, given by mistake


@dataclass
class Source:
    """What was given as a scenario: a file's content, or a mapping or `Scenario` from code."""

    tree: Mapping[str, Any]
    name: str
    """What messages call it."""
    folder: Path | None = None
    """What relative paths in it are relative to; None for the working directory."""
    places: dict[SettingPath, str] = field(default_factory=dict)
    """"scenario.yaml:12" by path, where the line is known."""
    mistakes: list[Mistake] = field(default_factory=list)


def read_source(given: str | Path | Mapping[str, Any] | Scenario) -> Source:
    """What is given, as plain data.

    Raises:
        ScenarioError: a file cannot be read, or has no syntax that is known.
        UserCodeError: a Python file raised.
    """
    if isinstance(given, Scenario):
        return Source(tree_of(given), "code")
    if isinstance(given, Mapping):
        return Source(given, "code")
    file = Path(given)
    if file.suffix.lower() not in SUFFIXES:
        raise ScenarioError(f"{file}: a scenario file ends in {', '.join(SUFFIXES)}")
    text = _text(file)
    if file.suffix.lower() == ".toml":
        return Source(_toml(file, text), file.name, file.parent)
    if file.suffix.lower() == ".py":
        scenario = run_python(file, text)
        tree = tree_of(scenario) if isinstance(scenario, Scenario) else scenario
        return Source(tree, file.name, file.parent)
    parsed = read_yaml(text, shown_as=file.name)
    if not isinstance(parsed.tree, Mapping):
        what = "it is empty" if parsed.tree is None else "it holds no mapping of settings"
        raise ScenarioError(f"{file.name}: {what}", hint="the least is a line: target: ws://127.0.0.1:8080/")
    places = {path: f"{file.name}:{line}" for path, line in parsed.lines.items()}
    return Source(parsed.tree, file.name, file.parent, places, parsed.mistakes)


def _toml(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file.name}: not valid TOML: {error}") from None
    except RecursionError:
        raise ScenarioError(f"{file.name}: nested too deep to be a scenario") from None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_FILE_MAX_BYTES + 1)
    except OSError as error:
        raise ScenarioError(f"{file}: {error.strerror}") from None
    if len(content) > _FILE_MAX_BYTES:
        raise ScenarioError(f"{file}: larger than a scenario can be ({_FILE_MAX_BYTES >> 20} MiB)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{file}: byte {error.start} is not UTF-8") from None
