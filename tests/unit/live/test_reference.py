"""The published schema is what the code says."""

from __future__ import annotations

from pathlib import Path

from squall.live.reference import progress_schema_text

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "progress.schema.json"


def test_the_schema_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == progress_schema_text(), (
        "python -m squall.live.reference > docs/reference/progress.schema.json"
    )
