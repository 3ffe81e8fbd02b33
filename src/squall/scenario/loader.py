"""A scenario from where people write it: a file or a mapping, the environment, flags.

The rule: flag > environment > file > default, and every mistake of all of them in one message, each with its
path as its author wrote it and where it came from, and never a secret's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from squall.errors import ScenarioError
from squall.scenario.disk import mistakes_on_disk, rebased
from squall.scenario.draft import Draft, Override
from squall.scenario.environment import from_environment
from squall.scenario.explain import explained
from squall.scenario.fields import TOP_OF_SINGLE, find, settings
from squall.scenario.forms import with_kinds
from squall.scenario.mistakes import Mistake, did_you_mean, path_text
from squall.scenario.mistakes import Path as SettingPath
from squall.scenario.models import Scenario
from squall.scenario.readers import read_source

__all__ = ["Loaded", "Override", "load_scenario"]


@dataclass(frozen=True)
class Loaded:
    """A scenario, and where its settings came from."""

    scenario: Scenario
    sources: dict[str, str]
    """By path ("load.hold"): "flag --hold", "environment SQUALL_LOAD__HOLD", "scenario.yaml:12", "code"; a
    setting that is not here has its default."""


def load_scenario(
    given: str | Path | Mapping[str, Any] | Scenario,
    *,
    overrides: Mapping[str, Override] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """The scenario that a file, a mapping or a `Scenario` describes, with what is stronger laid over it.

    Args:
        given: the path of a .yaml, .yml, .toml or .py file, or the scenario itself.
        overrides: values by dotted path ("load.hold", "traffic.rate") with their source ("flag -d"). Short
            forms are understood; a mapping changes only the settings that it names.
        environment: variables like SQUALL_LOAD__HOLD; none is read where this is left out.

    Raises:
        ScenarioError: with every mistake there is.
        UserCodeError: a Python file raised.
    """
    source = read_source(given)
    from_flags, mistakes = _from_flags(overrides or {})
    from_variables, mistakes_there = from_environment(environment or {})
    draft = Draft(source.tree)
    if source.folder is not None:
        rebased(draft.tree, source.folder)
    draft.name_sources(source.places, source.name)
    draft.overlay(from_variables)
    draft.overlay(from_flags)
    found = [*source.mistakes, *mistakes, *mistakes_there, *draft.mistakes, *mistakes_on_disk(draft.tree)]
    try:
        scenario = Scenario.model_validate(with_kinds(draft.tree))
    except ValidationError as error:
        found += explained(error)
        raise _error(source.name, found, draft) from None
    if found:
        raise _error(source.name, found, draft)
    return Loaded(scenario, {path_text(path): name for path, name in draft.sources()})


def _from_flags(overrides: Mapping[str, Override]) -> tuple[dict[SettingPath, Override], list[Mistake]]:
    layer: dict[SettingPath, Override] = {}
    mistakes = []
    for dotted, override in overrides.items():
        path: SettingPath = tuple(int(part) if part.isdecimal() else part for part in dotted.split("."))
        full = ("populations", 0, *path) if path[0] in TOP_OF_SINGLE else path
        if find(full) is None:
            names = [".".join(setting.path).removeprefix("populations.[].") for setting in settings()]
            mistakes.append(Mistake(path, f"is no setting{did_you_mean(dotted, names)}"))
        else:
            layer[path] = override
    return layer, mistakes


def _error(name: str, mistakes: list[Mistake], draft: Draft) -> ScenarioError:
    """All mistakes as one error, in the order of the file where that is known."""
    lines = list(dict.fromkeys(_line(mistake, name, draft) for mistake in mistakes))
    lines.sort(key=lambda line: line[0])
    many = f"{len(lines)} mistakes" if len(lines) > 1 else "a mistake"
    text = "\n".join(f"  {line}" for _, line in lines)
    what = "the scenario" if name == "code" else name
    return ScenarioError(f"{what} has {many}:\n{text}", hint="`squall schema` prints every setting there is")


def _line(mistake: Mistake, name: str, draft: Draft) -> tuple[int, str]:
    """A mistake as shown, behind the line of the file that it is on; 0 where that is not known."""
    shown = f"{path_text(draft.origins.in_file(mistake.path))}: {mistake.message}"
    source = draft.source(mistake.path)
    if source is None or source == name:
        return 0, shown
    number = source.removeprefix(f"{name}:")
    if number != source and number.isdecimal():
        return int(number), f"{shown} (line {number})"
    return 0, shown if source in shown else f"{shown} (from {source})"
