"""The published shape of the lines of `--progress json`."""

from __future__ import annotations

from squall.live.line_document import IntervalLine, LineDelivery, progress_schema
from squall.live.picture import Delivery


def test_every_key_is_required_and_every_kind_described() -> None:
    definitions = progress_schema()["$defs"]
    for name, definition in definitions.items():
        assert definition["description"], name
        if name != "ResourceSample":
            assert definition["required"] == list(definition["properties"]), name
    assert definitions["ResourceSample"]["required"] == ["at_ns", "source", "role"]


def test_the_kinds_are_told_apart() -> None:
    kinds = ["run", "phase", "interval", "event", "resources", "check", "verdict"]
    assert list(progress_schema()["discriminator"]["mapping"]) == kinds


def test_the_line_has_every_figure_of_the_account() -> None:
    assert set(LineDelivery.__struct_fields__) == set(Delivery.__slots__)
    assert "delivery" in IntervalLine.__struct_fields__
