"""What is missing outside the scenario is said before the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.errors import ExitCode, PlanError, ScenarioError, UserCodeError
from squall.runner.named import check_functions, check_rows
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario


def scenario(folder: Path, **data: object) -> Scenario:
    file = folder / "users.csv"
    file.write_text("user\nada\nben\ncid\n")
    long, short = {"name": "long", "weight": 2}, {"name": "short", "data": {"file": str(file), **data}}
    return load_scenario({"target": "ws://h/", "populations": [long, short]}).scenario


def test_each_session_has_a_row_or_the_plan_says_so(tmp_path: Path) -> None:
    made = scenario(tmp_path)
    check_rows(made, 9)
    with pytest.raises(PlanError) as caught:
        check_rows(made, 12)
    assert caught.value.message == "population short: 4 sessions, and 3 rows in its data file"
    assert "data.cycle" in caught.value.hint
    assert caught.value.exit_code is ExitCode.SCENARIO


def test_rows_that_are_used_again_are_enough(tmp_path: Path) -> None:
    check_rows(scenario(tmp_path, cycle=True), 12)


def judged_by(check: str) -> Scenario:
    exchange = {"kind": "request", "send": "{id}", "reply": {"field": "id"}, "check": check}
    return load_scenario({"target": "ws://h/", "exchange": exchange}).scenario


def test_a_function_must_be_there_and_its_module_importable(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("def is_right(reply, request):\n    return True\nis_none = None\n")
    bad.write_text("x = 1\nraise ValueError('a secret')\n")
    check_functions(judged_by(f"{good}:is_right"))
    check_functions(judged_by("json:loads"))
    for name in (f"{good}:is_left", f"{good}:is_none", "json:is_right"):
        with pytest.raises(ScenarioError, match="has no function called is_"):
            check_functions(judged_by(name))
    with pytest.raises(ScenarioError, match="there is no no_such_module_here"):
        check_functions(judged_by("no_such_module_here:is_right"))
    with pytest.raises(UserCodeError) as caught:
        check_functions(judged_by(f"{bad}:is_right"))
    assert "ValueError at line 2 when it was imported" in str(caught.value)
    assert "secret" not in str(caught.value)
