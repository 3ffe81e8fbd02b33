"""From what was typed to a scenario: the file, with environment and flags over it.

Paths in flags are relative to the working folder, those in a file to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from squall.cli.flags import Flag, flag_values
from squall.cli.secrecy import public_argument
from squall.cli.state import State
from squall.errors import ScenarioError
from squall.runner.masking import masker
from squall.scenario.loader import Loaded, Override, load_scenario

__all__ = ["Settings", "loaded"]

Settings = Mapping[str, tuple[Any, str]]
"""Settings that a command itself makes, by path, with what a plan calls their source."""

_PATHS = (
    "target.tls.ca_file",
    "target.tls.cert_file",
    "target.tls.key_file",
    "outputs.out",
    "outputs.junit",
)


def loaded(
    state: State, file: str | None, flags: Mapping[str, Any], *, fixed: Settings, instead: Settings
) -> Loaded:
    """The scenario that a command is about; its secrets are known to the state from now on.

    Args:
        state: the environment and the working folder.
        file: a scenario file; None where there is none.
        flags: as the command was given them.
        fixed: what the command itself means; only flags are stronger.
        instead: what it has instead of defaults; the environment is stronger, too.

    Raises:
        ScenarioError: with every mistake there is.
        UserCodeError: a Python file raised.
        typer.BadParameter: a flag's value is not written as it must be.
    """
    left = {path: setting for path, setting in instead.items() if not _is_in_environment(path, state)}
    overrides = {path: Override(value, source) for path, (value, source) in {**left, **fixed}.items()}
    for flag, value in flag_values(flags):
        own = Override(_value(state, flag, value, fixed), flag.source)
        overrides[flag.setting] = _beside(overrides[flag.setting], own) if flag.setting in overrides else own
    _check_there_is_a_target(state, file, overrides)
    given: Any = {} if file is None else state.cwd / file
    found = load_scenario(given, overrides=overrides, environment=state.settings)
    state.masks.append(masker(found.scenario))
    return found


def _is_in_environment(path: str, state: State) -> bool:
    """Whether a variable sets this setting, or all that it is part of."""
    parts = path.upper().split(".")
    names = ("SQUALL_" + "__".join(parts[:length]) for length in range(1, len(parts) + 1))
    return any(state.settings.get(name) for name in names)


def _value(state: State, flag: Flag, value: Any, fixed: Settings) -> Any:
    if flag.setting in _PATHS:
        return str(state.cwd / value)
    if flag.setting == "target.url" and flag.setting in fixed:
        return [*fixed[flag.setting][0], *value]  # more entry points beside the URL
    return value


def _beside(before: Override, own: Override) -> Override:
    """The lists of two flags for one setting as one; else the later value."""
    if isinstance(before.value, list) and isinstance(own.value, list) and before.source.startswith("flag "):
        return Override([*before.value, *own.value], f"{before.source} and {own.source}")
    return own


def _check_there_is_a_target(state: State, file: str | None, overrides: Mapping[str, Override]) -> None:
    if file is None:
        is_set = any(
            name == "SQUALL_TARGET" or name.startswith("SQUALL_TARGET__URL") for name in state.settings
        )
        if "target.url" not in overrides and not is_set:
            raise ScenarioError(
                "no target is given", hint="squall run scenario.yaml, or squall run --target ws://host/path"
            )
    elif "://" in file:
        raise ScenarioError(
            f"{public_argument(file)} is a URL, not a scenario file", hint="give it with --target"
        )
