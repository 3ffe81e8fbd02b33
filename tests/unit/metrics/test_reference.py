"""The published reference is what the code says."""

from __future__ import annotations

import json
from pathlib import Path

from squall.metrics.reference import metrics_markdown, summary_schema_text
from squall.metrics.summary_document import summary_schema

FOLDER = Path(__file__).parents[3] / "docs" / "reference"


def test_the_page_is_current() -> None:
    published = (FOLDER / "metrics.md").read_text(encoding="utf-8")
    assert published == metrics_markdown(), (
        "python -m squall.metrics.reference metrics > docs/reference/metrics.md"
    )


def test_the_schema_is_current() -> None:
    published = (FOLDER / "summary.schema.json").read_text(encoding="utf-8")
    assert published == summary_schema_text(), (
        "python -m squall.metrics.reference summary > …/summary.schema.json"
    )
    assert json.loads(published) == summary_schema()
