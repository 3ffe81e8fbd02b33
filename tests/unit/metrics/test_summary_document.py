"""The published shape of summary.json."""

from __future__ import annotations

import msgspec

from squall.metrics.summary_document import Delivery, Percentiles, Summary, summary_schema


def test_every_key_is_required_and_described() -> None:
    definitions = summary_schema()["$defs"]
    for definition in definitions.values():
        assert definition["required"] == list(definition["properties"])
        assert definition["description"]
    assert {"delivery", "delivery_by_type", "latency", "connections", "verdict"} <= set(
        definitions["Summary"]["required"]
    )


def test_the_schema_says_what_has_no_type() -> None:
    properties = summary_schema()["$defs"]["Delivery"]["properties"]
    for name in ("corrupted_header", "unexpected"):
        assert "null in delivery_by_type" in str(properties[name])


def test_keys_of_what_was_not_measured_are_written_as_null() -> None:
    assert set(msgspec.to_builtins(Delivery()).values()) == {None}
    assert msgspec.to_builtins(Percentiles())["p999"] is None


def test_the_schema_covers_the_whole_document() -> None:
    assert list(summary_schema()["$defs"]["Summary"]["properties"]) == list(Summary.__struct_fields__)
