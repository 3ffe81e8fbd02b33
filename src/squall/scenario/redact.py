"""A scenario as it may be kept and shown: everything but its secrets.

Secrets are the values of headers, of URLs the user part and the values of the query, and commands whole. What a
data file holds is never part of a scenario.
"""

from __future__ import annotations

from typing import Any

from squall.scenario.draft import leaves
from squall.scenario.mistakes import path_text
from squall.scenario.models import Scenario
from squall.scenario.urls import MASK, public_url

__all__ = ["public_url", "redacted", "redacted_settings"]


def redacted(scenario: Scenario) -> dict[str, Any]:
    """Every setting with defaults, as plain data in base units, its secrets masked as `***`."""
    tree = scenario.model_dump(mode="json")  # masks URLs itself, and headers in a way of pydantic's own
    sources = tree["watch"]["target"]
    for holder in (tree["target"], *tree["populations"], *sources):
        holder["headers"] = dict.fromkeys(holder["headers"], MASK)
    for source in sources:
        source["command"] = source["command"] and MASK
    tree["watch"]["target"] = [
        {key: value for key, value in source.items() if value is not None and value != {}}
        for source in sources
    ]
    return tree


def redacted_settings(scenario: Scenario) -> dict[str, Any]:
    """Every setting by its path ("load.hold"), as `Loaded.sources` has them; secrets masked."""
    return {path_text(path): value for path, value in leaves(redacted(scenario))}
