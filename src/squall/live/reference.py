"""The published schema of the lines of `--progress json`; a test says so when it is not current.

`python -m squall.live.reference > docs/reference/progress.schema.json`
"""

from __future__ import annotations

import json
import sys

from squall.live.line_document import progress_schema

__all__ = ["progress_schema_text"]


def progress_schema_text() -> str:
    """The JSON Schema of a line, as it is published."""
    return json.dumps(progress_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(progress_schema_text())
