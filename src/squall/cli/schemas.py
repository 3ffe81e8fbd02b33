"""`squall schema`: the JSON Schemas of what goes in and of what comes out."""

from __future__ import annotations

import json
from typing import Literal

from squall.cli.state import State

__all__ = ["show_schema"]


def show_schema(state: State, what: Literal["scenario", "summary", "progress"]) -> None:
    """Print the schema of a scenario file, of summary.json, or of a line of `--progress json`."""
    if what == "scenario":
        from squall.scenario.schema import json_schema

        schema = json_schema()
    elif what == "summary":
        from squall.metrics.summary_document import summary_schema

        schema = summary_schema()
    else:
        from squall.live.line_document import progress_schema

        schema = progress_schema()
    state.say(json.dumps(schema, indent=2, ensure_ascii=False))
