"""A scenario from file, environment and flags, and all its mistakes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squall.errors import ExitCode, ScenarioError
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import (
    EchoExchange,
    ExponentialRamp,
    IdleExchange,
    LinearRamp,
    Load,
    Scenario,
    SteppedRamp,
    Target,
)

_TEN_MISTAKES = """\
name: ten
target:
  url: http://user:hunter2@host/?token=hunter2
  headers:
    Authorization: "Bearer hunter2\\r\\nX-More: hunter2"
  polcy: random
load:
  connections: lots
  ramp_up: exponentail
  hold: 1m
  hold: 2m
traffic:
  payload: 100,10
  rate: 0
  messages_per_session: 5
  types: {chat: 3, typing: 0}
data: nowhere.csv
"""


def _file(folder: Path, text: str, name: str = "s.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def _mistakes(given: Any, **more: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(given, **more)
    assert caught.value.exit_code is ExitCode.SCENARIO
    assert "hunter2" not in str(caught.value)
    return [line.strip() for line in caught.value.message.splitlines()]


def test_ten_mistakes_are_shown_at_once_each_with_its_place(tmp_path: Path) -> None:
    head, *lines = _mistakes(_file(tmp_path, _TEN_MISTAKES))
    assert head == "s.yaml has 10 mistakes:"
    starts = [
        "target.url: the scheme is http; did you mean ws://? (line 3)",
        "target.headers.Authorization: its value has a line break (line 5)",
        'target.polcy: unknown key; did you mean "policy"? (line 6)',
        "load.connections: 'lots' is not a count",
        "load.ramp_up: no such kind; constant | linear | exponential | stepped | sequence | adaptive; did you mean",
        "load.hold: given twice, first on line 10 (line 11)",
        "traffic.payload: 10 bytes; a binary message has at least 48, its envelope (line 13)",
        "traffic.messages_per_session: cannot be sent at a rate of 0 (line 15)",
        "traffic.types.typing: must be above 0 (line 16)",
        f"data: {tmp_path}/nowhere.csv: No such file or directory (line 17)",
    ]
    assert len(lines) == len(starts) == 10
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)


def test_the_least_scenario_is_a_url(tmp_path: Path) -> None:
    loaded = load_scenario(_file(tmp_path, "target: ws://h/\n"))
    assert loaded.scenario == Scenario(target=Target(url=("ws://h/",)))
    assert loaded.sources == {"target.url": "s.yaml:1"}


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = _file(tmp_path, "target: ws://file/\nload:\n  hold: 1m\n  connections: 5\n  warm_up: 1s\n")
    loaded = load_scenario(
        file,
        environment={"SQUALL_LOAD__HOLD": "2m", "SQUALL_LOAD__CONNECTIONS": "6", "HOME": "/"},
        overrides={"load.hold": Override("3m", "flag -d"), "traffic.rate": Override("2/s", "flag --rate")},
    )
    assert (loaded.scenario.load.hold, loaded.scenario.load.connections) == (180.0, 6)
    assert loaded.scenario.populations[0].traffic.rate == 2.0
    assert loaded.sources == {
        "target.url": "s.yaml:1",
        "load.hold": "flag -d",
        "load.connections": "environment SQUALL_LOAD__CONNECTIONS",
        "load.warm_up": "s.yaml:5",
        "populations[0].traffic.rate": "flag --rate",
    }


def test_mistakes_of_flags_and_environment_say_where_they_come_from() -> None:
    lines = _mistakes(
        {"target": "ws://h/", "load": {"hold": "x"}},
        environment={"SQUALL_LOAD__WARM_UP": "y", "SQUALL_LOD__HOLD": "1"},
        overrides={"load.connections": Override("z", "flag -c"), "load.holt": Override(1, "flag -d")},
    )
    assert lines[0] == "the scenario has 5 mistakes:"
    text = "\n".join(lines)
    assert 'load.holt: is no setting; did you mean "load.hold"?' in text
    assert 'SQUALL_LOD__HOLD: is no setting; did you mean "SQUALL_LOAD__HOLD"?' in text
    assert text.count("(from environment SQUALL_LOAD__WARM_UP)") == 1
    assert text.count("(from flag -c)") == 1


def test_one_mistake_is_not_many() -> None:
    assert _mistakes({})[0] == "the scenario has a mistake:"


def test_the_environment_is_read_only_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUALL_LOAD__HOLD", "9m")
    assert load_scenario({"target": "ws://h/"}).scenario.load.hold == 30.0


@pytest.mark.parametrize(
    ("ramp_up", "shape"),
    [
        ("linear", LinearRamp()),
        ("5m", ExponentialRamp(duration=300.0)),
        ({"duration": 5}, ExponentialRamp(duration=5.0)),
        ({"kind": "stepped", "steps": "4"}, SteppedRamp(steps=4)),
    ],
)
def test_a_shape_is_written_in_short(ramp_up: Any, shape: Any) -> None:
    assert load_scenario({"target": "ws://h/", "load": {"ramp_up": ramp_up}}).scenario.load.ramp_up == shape


def test_flags_for_kind_and_duration_make_one_shape() -> None:
    overrides = {
        "load.ramp_up.kind": Override("linear", "flag --ramp"),
        "load.ramp_up.duration": Override("2m", "flag --ramp-up"),
    }
    given = {"target": "ws://h/", "load": {"ramp_up": {"double_every": "5s", "start": 4}}}
    assert load_scenario(given, overrides=overrides).scenario.load.ramp_up == LinearRamp(
        start=4, duration=120.0
    )


def test_the_other_forms_reach_the_models(tmp_path: Path) -> None:
    text = """
target: {url: ws://h/, headers: {X-Version: 2}, tls: {verify: no}}
exchange: echo
traffic: {payload: "100,1KiB", types: {chat: 3, typing: 1}, during_ramp: off}
thresholds:
  ws_response_time{type:chat}: [p(95)<200, {threshold: p(99)<500, abortOnFail: yes, delayAbortEval: 30s}]
"""
    scenario = load_scenario(_file(tmp_path, text)).scenario
    population = scenario.populations[0]
    assert scenario.target.headers["X-Version"].get_secret_value() == "2"
    assert scenario.target.tls.verify is False
    assert population.exchange == EchoExchange()
    assert [each.size for each in population.traffic.payload] == [100, 1024]
    assert [(each.name, each.weight) for each in population.traffic.types] == [("chat", 3.0), ("typing", 1.0)]
    assert population.traffic.during_ramp is False
    assert [(each.metric, each.threshold) for each in scenario.thresholds] == [
        ("ws_response_time{type:chat}", "p(95)<200"),
        ("ws_response_time{type:chat}", "p(99)<500"),
    ]
    assert (scenario.thresholds[1].abort_on_fail, scenario.thresholds[1].delay_abort_eval) == (True, 30.0)


def test_a_list_from_the_environment() -> None:
    loaded = load_scenario(
        {},
        environment={
            "SQUALL_TARGET__URL": "ws://a/,ws://b/",
            "SQUALL_TRAFFIC__PAYLOAD": "100,200",
            "SQUALL_TRAFFIC__TYPES": '["a", "b"]',
            "SQUALL_EXCHANGE": "idle",
        },
    )
    population = loaded.scenario.populations[0]
    assert loaded.scenario.target.url == ("ws://a/", "ws://b/")
    assert [each.size for each in population.traffic.payload] == [100, 200]
    assert [each.name for each in population.traffic.types] == ["a", "b"]
    assert population.exchange == IdleExchange()


def test_a_scenario_from_code_can_be_overridden() -> None:
    scenario = Scenario(target=Target(url=("ws://h/",)), load=Load(connections=5))
    assert load_scenario(scenario).scenario == scenario
    loaded = load_scenario(scenario, overrides={"load.connections": Override(500, "flag -c")})
    assert loaded.scenario.load.ramp_up == ExponentialRamp(start=10)
    assert loaded.sources["target.url"] == "code"


def test_a_toml_and_a_python_file_name_themselves(tmp_path: Path) -> None:
    toml = _file(tmp_path, 'target = "ws://h/"\n[load]\nhold = "1m"\n', "s.toml")
    assert load_scenario(toml).sources == {"target.url": "s.toml", "load.hold": "s.toml"}
    python = _file(tmp_path, "scenario = {'target': 'ws://h/', 'load': {'holt': 1}}\n", "s.py")
    assert _mistakes(python)[1] == 'load.holt: unknown key; did you mean "hold"?'


def test_files_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    _file(tmp_path, "token\nt1\n", "users.csv")
    _file(tmp_path, "pem", "ca.pem")
    text = "target: {url: 'wss://h/?t={token}', tls: {ca_file: ca.pem}}\ndata: {file: users.csv}\n"
    scenario = load_scenario(_file(tmp_path, text)).scenario
    assert scenario.target.tls.ca_file == str(tmp_path / "ca.pem")
    assert scenario.populations[0].data is not None
    assert scenario.populations[0].data.file == str(tmp_path / "users.csv")


def test_both_populations_and_settings_of_one_are_a_mistake() -> None:
    lines = _mistakes({"target": "ws://h/", "populations": [{"name": "a"}], "traffic": {"rate": 2}})
    assert lines[1] == "traffic: stands beside populations; put it into each of them"


def test_what_was_loaded_shows_no_secret() -> None:
    loaded = load_scenario({"target": {"url": "ws://u:hunter2@h/?t=hunter2", "headers": {"A": "hunter2"}}})
    assert "hunter2" not in repr(loaded)
