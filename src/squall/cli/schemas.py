"""`squall schema`: the JSON Schemas of what goes in and of what comes out."""

from __future__ import annotations

import json
from typing import Literal

from squall.cli.state import State

__all__ = ["show_schema"]


def show_schema(state: State, what: Literal["scenario", "summary"]) -> None:
    """Print the schema of a scenario file, or of summary.json."""
    if what == "scenario":
        from squall.scenario.schema import json_schema

        schema = json_schema()
    else:
        from squall.metrics.summary_document import summary_schema

        schema = summary_schema()
    state.say(json.dumps(schema, indent=2, ensure_ascii=False))
