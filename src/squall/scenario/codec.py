"""A scenario as bytes, for the message from the coordinator to its workers. Holds every secret in clear.

The rule: the bytes are written to a worker's channel and nowhere else; what is kept or shown is `redact`'s.
Only settings that were set are in them, so that a default stays one on the other side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr, ValidationError

from squall.errors import ScenarioError
from squall.scenario.base import Model
from squall.scenario.explain import explained
from squall.scenario.mistakes import path_text
from squall.scenario.models import Scenario

__all__ = ["from_bytes", "to_bytes", "tree_of"]


def to_bytes(scenario: Scenario) -> bytes:
    """The scenario, secrets in clear; `from_bytes` gives an equal one."""
    return json.dumps(tree_of(scenario), allow_nan=False).encode()


def from_bytes(content: bytes) -> Scenario:
    """The scenario that `to_bytes` was given.

    Raises:
        ScenarioError: it is none, or one of another version.
    """
    try:
        return Scenario.model_validate(json.loads(content))
    except ValidationError as error:
        paths = ", ".join(path_text(each.path) for each in explained(error))
        raise ScenarioError(f"a scenario of another version of squall: {paths}") from None
    except ValueError:
        raise ScenarioError("these bytes are no scenario") from None


def tree_of(scenario: Scenario) -> dict[str, Any]:
    """The settings that were set, in their long form and in clear, as plain data."""
    return _settings_of(scenario)


def _settings_of(model: Model) -> dict[str, Any]:
    chosen = [name for name in type(model).model_fields if name in model.model_fields_set or name == "kind"]
    return {name: _plain(getattr(model, name)) for name in chosen}


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return _settings_of(value)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    # A plain str, where it is one of a kind that shows itself masked.
    return str(value) if isinstance(value, str) else value
