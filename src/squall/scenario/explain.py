"""What pydantic found, in words for whoever wrote the scenario. Quotes no value that may be a secret."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from squall.scenario.base import Model
from squall.scenario.fields import kinds, known_keys, resolve, settings
from squall.scenario.mistakes import Mistake, did_you_mean
from squall.scenario.models import Scenario

__all__ = ["explained"]

_WORDS = {
    "missing": "is required",
    "model_type": "must be a mapping of settings",
    "model_attributes_type": "must be a mapping of settings",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "string_type": "must be text; write it in quotes",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "union_tag_not_found": "names no kind",
}
_LIMITS = {
    "greater_than": ("gt", "must be above {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be below {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "too_short": ("min_length", "needs at least {} of them"),
    "too_long": ("max_length", "takes at most {} of them"),
    "string_too_short": ("min_length", "needs at least {} character"),
    "string_too_long": ("max_length", "takes at most {} characters"),
    "string_pattern_mismatch": ("pattern", "does not match {}"),
}


def explained(error: ValidationError, root: type[Model] = Scenario) -> list[Mistake]:
    """Each mistake with its path below the model that refused, without those that only follow from others."""
    mistakes = []
    for detail in error.errors(include_url=False, include_input=False):
        path, owners = resolve(detail["loc"], root)
        if detail["type"].startswith("union_tag"):
            path = (*path, "kind")
        mistakes.append((detail["type"], Mistake(path, _message(detail, owners))))
    paths = [mistake.path for _, mistake in mistakes]
    return [
        mistake
        for kind, mistake in mistakes
        # A list whose only items are wrong counts as empty, too.
        if not (kind == "too_short" and any(_is_inside(path, mistake.path) for path in paths))
    ]


def _is_inside(path: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
    return len(path) > len(outer) and path[: len(outer)] == outer


def _message(detail: Any, owners: tuple[type[Model], ...]) -> str:
    kind, context, message = detail["type"], detail.get("ctx", {}), str(detail["msg"])
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(detail['loc'][-1]), known_keys(owners))}"
    if kind == "union_tag_invalid":
        tag, models = str(context["tag"]), _models_of(owners, detail["loc"])
        return f"no such kind; {' | '.join(kinds(models))}{did_you_mean(tag, kinds(models))}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        limit = context[name]
        return words.format(
            limit if isinstance(limit, str) else f"{limit:,g}" if limit < 1 else f"{limit:,.0f}"
        )
    return _WORDS.get(kind, message.removeprefix("Value error, "))


def _models_of(owners: tuple[type[Model], ...], loc: tuple[str | int, ...]) -> tuple[type[Model], ...]:
    """The models between which the field at the end of `loc` chooses."""
    name = next(part for part in reversed(loc) if isinstance(part, str))
    return next(
        (setting.models for owner in owners for setting in settings(owner) if setting.path == (name,)), ()
    )
