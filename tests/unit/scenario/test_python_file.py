"""Scenarios as Python files, and whose error is whose."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from squall.errors import ExitCode, ScenarioError, UserCodeError
from squall.scenario.models import Scenario
from squall.scenario.python_file import run_python


def _run(folder: Path, text: str) -> object:
    return run_python(folder / "mine.py", text)


def test_a_scenario_or_a_mapping_is_taken(tmp_path: Path) -> None:
    code = "from squall.scenario.models import *\nscenario = Scenario(target=Target(url=('ws://h/',)))\n"
    assert isinstance(_run(tmp_path, code), Scenario)
    assert _run(tmp_path, "scenario = {'target': 'ws://h/'}") == {"target": "ws://h/"}


def test_neighbours_can_be_imported_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "my_neighbour_of_scenario.py").write_text("URL = 'ws://h/'")
    before = list(sys.path)
    try:
        scenario = _run(tmp_path, "from my_neighbour_of_scenario import URL\nscenario = {'target': URL}")
    finally:
        sys.modules.pop("my_neighbour_of_scenario", None)
    assert scenario == {"target": "ws://h/"}
    assert sys.path == before
    assert not (tmp_path / "__pycache__" / "mine.cpython-311.pyc").exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\nraise RuntimeError('boom')\n", "mine.py:2: RuntimeError: boom"),
        ("def f():\n    return {}['k']\n\nscenario = f()\n", "mine.py:2: KeyError: 'k'"),
        ("import json\n\njson.loads('{')\n", "mine.py:3: JSONDecodeError"),
        ("import sys\nsys.exit(3)\n", "mine.py:2: SystemExit: 3"),
        ("scenario = {\n", "mine.py:1:"),
        ("import no_such_module_at_all\n", "mine.py:1: ModuleNotFoundError"),
        ("assert False\n", "mine.py:1: AssertionError"),
        (
            "from pydantic import BaseModel\nclass Mine(BaseModel):\n    a: int\nMine(a='hunter2')\n",
            "mine.py:4: ValidationError of Mine",
        ),
    ],
)
def test_what_the_users_code_raises_is_the_users(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(UserCodeError) as caught:
        _run(tmp_path, code)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.USER_CODE


def test_mistakes_in_the_models_it_builds_are_the_scenarios(tmp_path: Path) -> None:
    code = (
        "from squall.scenario.models import *\n\nload = Load(hold='x', ramp_up=LinearRamp(strat=1))\n",
        "from squall.scenario.models import *\n\nScenario.model_validate({'target': {'url': ['ws://h/#hunter2']}})\n",
    )
    with pytest.raises(ScenarioError, match=r"mine\.py:3: mistakes in LinearRamp\n  strat: unknown key"):
        _run(tmp_path, code[0])
    with pytest.raises(
        ScenarioError, match=r"mine\.py:3: mistakes in Scenario\n  target\.url\[0\]"
    ) as caught:
        _run(tmp_path, code[1])
    assert "hunter2" not in str(caught.value)


def test_a_file_without_a_scenario_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.py defines no `scenario`"):
        _run(tmp_path, "x = 1")
    with pytest.raises(ScenarioError, match=r"mine\.py has a int as its `scenario`"):
        _run(tmp_path, "scenario = 5")


def test_an_interrupt_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, "raise KeyboardInterrupt")
