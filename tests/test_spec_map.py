"""Where the specification's operations, options, results and bounds live: `docs/reference/spec-map.csv`, resolved.

A row's `name` says what stands for it in squall, several things separated by `; `:

- a dotted path, as in `squall.api.RampUpResult.peak_latency_ms`; with a parameter, `…execute_ramp_up(duration)`;
- `scenario: load.hold`, a setting;
- `readiness: peak latency`, a bound of that set.

`value` is the specification's figure in squall's unit: of an option the default, which one of the names must have;
with a sign before it a bound, which the named one of the set must state. Absolute numbers of connections are shares of
the planned level. A row that is not built says `planned`.
"""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from squall.metrics.readiness import READINESS, judge_readiness
from squall.metrics.totals import Totals
from squall.scenario.fields import settings

ROOT = Path(__file__).parents[1]
PLANNED = "planned"
PARTS = {"load", "delivery", "failover", "analysis", "suite"}
NOTHING_LEFT = "nothing left behind"
"""The bound that is made for each run: its figure comes from what the workers count at the end."""

with (ROOT / "docs" / "reference" / "spec-map.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))
BUILT = [row for row in ROWS if row["name"] != PLANNED]
IDS = [row["id"] for row in BUILT]


def attribute(path: str) -> tuple[Any, str, Any]:
    """The owner, the last name and the thing at a dotted path, whose module is the longest part that imports."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        owner = found
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1], member(owner, parts[-1])
    raise AssertionError(f"{path} does not import")


def member(owner: Any, name: str) -> Any:
    """An attribute; of a pydantic model a field."""
    if isinstance(owner, type) and issubclass(owner, BaseModel) and name in owner.model_fields:
        return owner.model_fields[name]
    return getattr(owner, name)


def defaults(name: str) -> Any:
    """The default of the option that is named; None for what has none, and for what is no option."""
    if name.startswith("readiness: "):
        return None
    if name.startswith("scenario: "):
        info = next(each.info for each in settings() if ".".join(each.path) == dotted(name))
        return plain(info.get_default(call_default_factory=True))
    path, _, parameter = name.rstrip(")").partition("(")
    owner, last, thing = attribute(path)
    if parameter:
        return plain(inspect.signature(thing).parameters[parameter].default)
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return plain(owner.model_fields[last].default)
    if inspect.isclass(owner):
        return plain(inspect.signature(owner).parameters[last].default)
    return None


def dotted(name: str) -> str:
    """The path of a setting as the settings' own paths are joined."""
    return name.removeprefix("scenario: ").replace("[]", ".[]")


def plain(default: Any) -> Any:
    """A shape stands for its kind; a tuple for the text that the table has."""
    if isinstance(default, BaseModel):
        return getattr(default, "kind", None)
    return ", ".join(str(each) for each in default) if isinstance(default, tuple) else default


@cache
def bounds() -> dict[str, tuple[str, float]]:
    """Sign and limit of each bound of the set `readiness`."""
    found = {requirement.name: (requirement.sign, requirement.limit) for requirement in READINESS}
    made = {ruling.judgement.name: ruling.judgement.bound for ruling in judge_readiness(Totals([], []))}
    sign, limit = made[NOTHING_LEFT].split()[:2]
    return found | {NOTHING_LEFT: (sign, float(limit))}


def figure(value: str) -> float | str:
    """The figure of the table without its unit; text stays text."""
    number = re.fullmatch(r"(?:[<>=]+ )?(-?\d+(?:\.\d+)?)(?: [a-z ]+)?", value)
    return float(number[1]) if number else value


def test_every_row_of_the_specification_has_a_line_of_its_own() -> None:
    ids = [row["id"] for row in ROWS]
    assert len(ids) == 459
    assert len(set(ids)) == len(ids)
    assert {row["part"] for row in ROWS} == PARTS
    lines = [int(row["line"]) for row in ROWS]
    assert lines == sorted(lines)


def test_what_is_planned_says_so_in_every_column() -> None:
    halves = [row["id"] for row in ROWS if (row["name"] == PLANNED) != (row["test"] == PLANNED)]
    assert halves == []
    assert [row["id"] for row in ROWS if row["name"] == PLANNED and row["value"]] == []


@pytest.mark.parametrize("row", BUILT, ids=IDS)
def test_name_is_there(row: dict[str, str]) -> None:
    for name in row["name"].split("; "):
        if name.startswith("readiness: "):
            assert name.removeprefix("readiness: ") in bounds()
        elif name.startswith("scenario: "):
            assert dotted(name) in {".".join(each.path) for each in settings()}
        else:
            path, _, parameter = name.rstrip(")").partition("(")
            _, _, thing = attribute(path)
            assert not parameter or parameter in inspect.signature(thing).parameters


@pytest.mark.parametrize("row", BUILT, ids=IDS)
def test_test_is_there(row: dict[str, str]) -> None:
    for test in row["test"].split("; "):
        path, _, function = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", [row for row in BUILT if row["value"]], ids=lambda row: row["id"])
def test_figure_is_the_specifications(row: dict[str, str]) -> None:
    value, names = row["value"], row["name"].split("; ")
    if value[0] in "<>=":
        stated = [
            bounds()[name.removeprefix("readiness: ")] for name in names if name.startswith("readiness: ")
        ]
        assert stated == [(value.split()[0], figure(value))]
    else:
        assert figure(value) in [defaults(name) for name in names]
