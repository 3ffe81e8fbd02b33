"""The models of the proxy's faults: what is read, what is refused and how that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.errors import ScenarioError
from squall.record.fault_log import DEEDS, FaultEntry
from squall.scenario.faults import (
    FAULTS_MAX,
    PROXY_KINDS,
    CloseFrame,
    Drop,
    FaultKind,
    Latency,
    Reorder,
    parse_fault,
    read_fault,
    read_faults,
)

NEEDED = {"bandwidth": {"rate": "10kB"}, "slice": {"size": 10}, "byte_limit": {"bytes": "1KiB"}}
"""What has no default."""


def test_text_is_read_as_people_write_it() -> None:
    assert parse_fault("drop") == Drop()
    assert parse_fault("drop:0.01:direction=up") == Drop(probability=0.01, direction="up")
    assert parse_fault("latency:delay=50ms:jitter=10ms:at=1m:for=30s:name=slow") == Latency(
        name="slow", delay=0.05, jitter=0.01, at=60, lasts=30
    )
    assert parse_fault(" reorder:by=3:seed=7") == Reorder(by=3, seed=7)
    assert parse_fault("close:probability=0.5:code=4000") == CloseFrame(probability=0.5, code=4000)


@pytest.mark.parametrize("kind", PROXY_KINDS)
def test_each_kind_survives_its_way_through_json(kind: str) -> None:
    fault = read_fault({"kind": kind, "probability": 0.25, "for": "1s", **NEEDED.get(kind, {})})
    assert type(fault) is PROXY_KINDS[kind]
    assert fault.label == kind
    assert read_fault(fault.model_dump(mode="json", by_alias=True)) == fault


def test_a_direction_may_be_both() -> None:
    assert Drop().directions == ("up", "down")
    assert Drop(direction="down").directions == ("down",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drp", 'there is no fault "drp"; did you mean "drop"?'),
        ("drop:2", "probability"),
        ("drop:0", "probability"),
        ("drop:half", "probability"),
        ("drop:0.1:0.2", "no KEY=VALUE"),
        ("drop:0.1:probability=0.2", "twice"),
        ("drop:for=0", "for"),
        ("drop:delay=1s", "delay"),
        ("drop:direction=left", "direction"),
        ("bandwidth", "rate"),
        ("close:code=1005", "no code of a close frame"),
        ("close:code=2000", "no code of a close frame"),
        ("truncate:keep=1", "keep"),
        ("latency:delay=soon", "delay"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        parse_fault(text)
    assert caught.value.hint


def test_names_in_a_list_are_unique_and_lists_are_short() -> None:
    twice = [{"kind": "drop"}, {"kind": "drop", "direction": "up"}]
    with pytest.raises(ScenarioError, match="two faults are called drop"):
        read_faults(twice)
    named: list[object] = [twice[0], {**twice[1], "name": "other"}, Latency()]
    assert [each.label for each in read_faults(named)] == ["drop", "other", "latency"]
    with pytest.raises(ScenarioError, match="more than"):
        read_faults([{"kind": "drop", "name": f"d{index}"} for index in range(FAULTS_MAX + 1)])
    for wrong in ({"kind": "drop"}, "drop", None):
        with pytest.raises(ScenarioError, match="list"):
            read_faults(wrong)


@pytest.mark.parametrize("given", [None, "drop", {}, {"kind": 3}, {"kind": ["drop"]}])
def test_what_is_no_fault_is_refused(given: object) -> None:
    with pytest.raises(ScenarioError, match="fault"):
        read_fault(given)


def test_each_kind_says_what_it_does() -> None:
    for model in PROXY_KINDS.values():
        assert issubclass(model, FaultKind)
        assert model.__doc__
        assert model.__doc__ != FaultKind.__doc__
        assert all(info.description for name, info in model.model_fields.items() if name != "kind")


def test_the_reference_explains_each_kind_with_its_settings() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "faults.md").read_text()
    kinds = page.partition("## The log")[0]
    rows = {row.split("`")[1]: row for row in kinds.splitlines() if row.startswith("| `")}
    shared = set(FaultKind.model_fields) | {"kind"}
    for kind, model in PROXY_KINDS.items():
        own = [name for name in model.model_fields if name not in shared]
        assert [name for name in own if f"`{name}`" not in rows[kind]] == []
    assert all(f"`{info.alias or name}`" in page for name, info in FaultKind.model_fields.items())


def test_the_reference_explains_each_deed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "faults.md").read_text()
    assert [deed for deed in DEEDS if f"`{deed}`" not in page.partition("## The log")[2]] == []
    assert [name for name in FaultEntry.__struct_fields__ if f"`{name}`" not in page] == []
