from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import pytest

from squall.metrics.summary_document import Summary
from squall.reports.json_report import summary_json
from unit.reports import reported
from unit.reports.reported import Run

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "summary.schema.json"
RUNS = [reported.passed, reported.troubled, reported.killed, reported.nothing, reported.only_held]


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_every_summary_keeps_to_the_published_schema(make: Callable[[], Run]) -> None:
    written = json.loads(summary_json(make()[1]))
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(written, schema)
    del written["delivery"]["lost"]
    with pytest.raises(jsonschema.ValidationError, match="'lost' is a required property"):
        jsonschema.validate(written, schema)


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_a_summary_reads_back_and_keeps_its_order(make: Callable[[], Run]) -> None:
    summary = make()[1]
    written = summary_json(summary)
    assert msgspec.json.decode(written, type=Summary) == summary
    assert list(json.loads(written)) == list(Summary.__struct_fields__)
    assert written.endswith(b"}\n")
