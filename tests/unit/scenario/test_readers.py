"""Which file is read how."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.errors import ScenarioError
from squall.scenario.models import Scenario, Target
from squall.scenario.readers import read_source


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.yaml", "target: ws://h/"),
        ("s.YML", "\ufefftarget: ws://h/"),
        ("s.toml", 'target = "ws://h/"'),
        ("s.py", "scenario = {'target': 'ws://h/'}"),
    ],
)
def test_a_file_is_read_by_its_suffix(tmp_path: Path, name: str, content: str) -> None:
    source = read_source(_file(tmp_path, name, content))
    assert source.tree == {"target": "ws://h/"}
    assert (source.name, source.folder) == (name, tmp_path)


def test_yaml_knows_its_lines_and_the_others_do_not(tmp_path: Path) -> None:
    assert read_source(_file(tmp_path, "s.yaml", "\ntarget: ws://h/")).places == {("target",): "s.yaml:2"}
    assert read_source(_file(tmp_path, "s.toml", 'target = "ws://h/"')).places == {}


def test_a_scenario_in_code_gives_what_was_set_in_it(tmp_path: Path) -> None:
    scenario = Scenario(target=Target(url=("ws://u:p@h/",)))
    assert read_source(scenario).tree == {"target": {"url": ["ws://u:p@h/"]}}
    code = "from squall.scenario.models import *\nscenario = Scenario(target=Target(url=('ws://u:p@h/',)))\n"
    assert read_source(_file(tmp_path, "s.py", code)).tree == {"target": {"url": ["ws://u:p@h/"]}}
    assert read_source({"a": 1}).name == "code"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.json", "{}", "ends in .yaml, .yml, .toml, .py"),
        ("s", "target: ws://h/", "ends in .yaml"),
        ("s.yaml", "", "it is empty"),
        ("s.yaml", "- hunter2", "no mapping"),
        ("s.yaml", "hunter2", "no mapping"),
        ("s.yaml", b"target: \xff", "byte 8 is not UTF-8"),
        ("s.yaml", b"#" * (1 << 20) + b"\n", "larger than a scenario"),
        ("s.toml", "a = hunter2", "not valid TOML"),
        ("s.toml", "a = 1\na = 2", "not valid TOML"),
        ("s.toml", "a = " + "[" * 5000, "nested too deep"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_source(_file(tmp_path, name, content))
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.yaml: No such file"):
        read_source(tmp_path / "nowhere.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ScenarioError, match=r"folder\.yaml: Is a directory"):
        read_source(str(tmp_path / "folder.yaml"))
