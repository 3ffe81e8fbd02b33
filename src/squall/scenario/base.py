"""What all models of a scenario share: frozen, closed to unknown keys, and discreet.

The rule: no error quotes what was given, for it may be a secret.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler

from squall.scenario.checks import repeated_names
from squall.scenario.mistakes import Mistakes

__all__ = ["NAME", "Model", "with_unique_names"]

NAME = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
"""What populations and message types may be called: their names become tags of metrics."""


class Model(BaseModel):
    """The base of all: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def with_unique_names(items: Any, inner: ValidatorFunctionWrapHandler, *, what: str, default: str) -> Any:
    """The items as `inner` validates them, with those that repeat a name reported beside its own findings.

    Raises:
        ValidationError: with all that is wrong.
    """
    found = Mistakes()
    for place, name in repeated_names(items, default=default):
        found.add(f"two {what} are called {name}", place, "name")
    try:
        validated = inner(items)
    except ValidationError as error:
        found.adopt(error)
    found.raise_any()
    return validated
