"""A data file that is too short is said before the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.errors import ExitCode, PlanError
from squall.runner.rows import check_rows
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
