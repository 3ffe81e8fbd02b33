"""The settings that there are: one walk over the models, for names, suggestions, schema and reference.

The rule: nobody else looks into annotations. A path here has `[]` for any item of a list of models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from squall.scenario.base import Model
from squall.scenario.mistakes import Path
from squall.scenario.models import Scenario

__all__ = [
    "ITEM",
    "TOP_OF_SINGLE",
    "Setting",
    "find",
    "kinds",
    "known_keys",
    "model_named",
    "resolve",
    "settings",
]

ITEM = "[]"
"""Stands in a path for any item of a list."""

TOP_OF_SINGLE = ("exchange", "traffic", "sessions", "data", "opening")
"""Settings of a population that may stand at the top of a scenario with a single one."""


@dataclass(frozen=True)
class Setting:
    """A field of a model, and where in a scenario it is."""

    path: tuple[str, ...]
    owner: type[Model]
    info: FieldInfo
    models: tuple[type[Model], ...]
    """The models nested in it, several where `kind` chooses; none for a plain value."""
    many: bool
    """It is a list."""

    @property
    def name(self) -> str:
        """The field's name."""
        return self.path[-1]


def settings(model: type[Model] = Scenario, at: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Every setting below a model, each before what is nested in it, in the models' order."""
    for name, info in model.model_fields.items():
        nested, many = _models_in(info.annotation), get_origin(info.annotation) is tuple
        yield Setting((*at, name), model, info, nested, many)
        for each in nested:
            yield from settings(each, (*at, name, ITEM) if many else (*at, name))


def find(path: Path) -> Setting | None:
    """The setting at a path of a scenario, its items numbered; the first one where kinds share a name."""
    wanted = tuple(ITEM if isinstance(part, int) else part for part in path)
    return next((setting for setting in settings() if setting.path == wanted), None)


def kinds(models: tuple[type[Model], ...]) -> dict[str, type[Model]]:
    """The models by the `kind` that chooses them; empty where nothing is to be chosen."""
    return {str(each.model_fields["kind"].default): each for each in models if "kind" in each.model_fields}


def known_keys(models: tuple[type[Model], ...]) -> list[str]:
    """The keys that these models take, under each name they have."""
    named = [(name, info) for model in models for name, info in model.model_fields.items()]
    return list(dict.fromkeys(key for name, info in named for key in (info.alias or name, name)))


def model_named(name: str) -> type[Model] | None:
    """The model of this name, if a scenario is made of it."""
    models: list[type[Model]] = [Scenario, *(model for setting in settings() for model in setting.models)]
    return next((model for model in models if model.__name__ == name), None)


def resolve(loc: Path, root: type[Model] = Scenario) -> tuple[Path, tuple[type[Model], ...]]:
    """Where pydantic says an error is, without the kinds it puts into the path, and the last key's owners."""
    path: list[str | int] = []
    owners: tuple[type[Model], ...] = ()
    inside: tuple[type[Model], ...] = (root,)
    for part in loc:
        if isinstance(part, str) and len(inside) > 1 and part in kinds(inside):
            inside = (kinds(inside)[part],)
            continue
        path.append(part)
        if isinstance(part, int):
            continue
        owners = inside
        info = _field(inside, part)
        inside = _models_in(info.annotation) if info is not None else ()
    return tuple(path), owners


def _field(models: tuple[type[Model], ...], key: str) -> FieldInfo | None:
    for model in models:
        for name, info in model.model_fields.items():
            if key in (name, info.alias):
                return info
    return None


def _models_in(annotation: Any) -> tuple[type[Model], ...]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return (annotation,)
    return tuple(model for argument in get_args(annotation) for model in _models_in(argument))
