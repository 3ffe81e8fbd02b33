"""Header and phases as data: named fields, so that a newer record with more of them is read, and an older one too."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from squall.record.run import FORMAT_VERSION, Phase, RunHeader

PHASE: dict[str, Any] = {
    "id": 1,
    "name": "hold",
    "kind": "sustained",
    "start_ns": 5,
    "end_ns": None,
    "level_start": 10,
    "level_end": 10,
    "words": "constant at 10 connections",
}
HEADER: dict[str, Any] = {
    "format_version": FORMAT_VERSION,
    "run_id": "x",
    "name": "x",
    "squall_version": "0.1.0",
    "started_wall_ns": 1,
    "seed": 1,
    "run_number": 2,
    "scenario": {"target": {"url": ["ws://host/"]}},
    "populations": ["main"],
    "types": [["message"]],
    "plan": ["hold"],
    "environment": {"cores": 2},
}


@pytest.mark.parametrize(("kind", "fields"), [(Phase, PHASE), (RunHeader, HEADER)])
def test_fields_that_came_later_may_be_missing_or_unknown(
    kind: type[msgspec.Struct], fields: dict[str, Any]
) -> None:
    read = msgspec.convert(fields | {"added_in_a_later_version": 1}, type=kind)
    assert {name: getattr(read, name) for name in fields} == fields


@pytest.mark.parametrize(("kind", "fields"), [(Phase, PHASE), (RunHeader, HEADER)])
def test_fields_of_the_first_version_stay(kind: type[msgspec.Struct], fields: dict[str, Any]) -> None:
    assert {field.name for field in msgspec.structs.fields(kind) if field.required} == set(fields)


def test_a_phase_of_no_known_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(PHASE | {"kind": "pause"}, type=Phase)
