"""summary.json, and the schema that it keeps to (docs/reference/summary.schema.json).

Keys stand in the order of the document's definition, so that two summaries can be compared line by line.
"""

from __future__ import annotations

import msgspec

from squall.metrics.summary_document import Summary

__all__ = ["summary_json"]


def summary_json(summary: Summary) -> bytes:
    """The summary as it is written to its file. What was not measured is null."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
