"""Scenarios by property: identity through bytes, secrets that never show, and mistakes that never crash."""

from __future__ import annotations

import json
import string
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from squall.errors import ScenarioError, SquallError
from squall.scenario.codec import from_bytes, to_bytes
from squall.scenario.data import DataRows, fill, fill_url, parse_rows
from squall.scenario.forms import Origins, canonical
from squall.scenario.loader import Override, load_scenario
from squall.scenario.mistakes import path_text
from squall.scenario.models import Scenario
from squall.scenario.redact import redacted, redacted_settings
from squall.scenario.strict_yaml import read_yaml
from squall.scenario.urls import public_url

# Long enough, and in an alphabet of its own, that a message cannot hold one by chance.
_SECRETS = st.text("QZXVJK0123456789", min_size=10, max_size=24).filter(lambda text: not text.isdigit())
_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
_WEIGHTS = st.floats(0.001, 1000, allow_nan=False)
_SECONDS = st.floats(0.001, 3000, allow_nan=False)


@st.composite
def _shapes(draw: st.DrawFn, connections: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(["constant", "linear", "exponential", "stepped", "sequence"]))
    if kind == "sequence":
        levels = [*draw(st.lists(st.integers(1, 100), max_size=3)), connections]
        return {
            "kind": kind,
            "parts": [{"to": level, "ramp": {"duration": draw(_SECONDS)}} for level in levels],
        }
    shape: dict[str, Any] = {"kind": kind, "duration": draw(_SECONDS)}
    if kind == "stepped":
        shape["steps"] = draw(st.integers(1, 50))
    if kind in ("linear", "exponential") and draw(st.booleans()):
        shape["start"] = draw(st.integers(1, connections))
    return shape


@st.composite
def _populations(draw: st.DrawFn, secret: str) -> dict[str, Any]:
    types = draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True))
    sizes = st.fixed_dictionaries({"size": st.integers(64, 9000), "weight": _WEIGHTS})
    return {
        "name": draw(_NAMES),
        "weight": draw(st.integers(1, 9)),
        "exchange": draw(st.sampled_from(["echo", "idle", {"kind": "echo"}])),
        "traffic": {
            "rate": draw(st.floats(0.01, 100)),
            "format": draw(st.sampled_from(["binary", "text"])),
            "payload": draw(st.lists(sizes, min_size=1, max_size=3)),
            "types": {name: draw(_WEIGHTS) for name in types},
            "during_ramp": draw(st.booleans()),
        },
        "headers": {"X-Token": f"Bearer {secret}"},
    }


@st.composite
def _scenarios(draw: st.DrawFn, secret: str = "none") -> dict[str, Any]:
    connections = draw(st.integers(10, 5000))
    populations = draw(
        st.lists(
            _populations(secret), min_size=1, max_size=3, unique_by=lambda population: population["name"]
        )
    )
    return {
        "seed": draw(st.integers(0, (1 << 63) - 1)),
        "target": {
            "url": [f"wss://user:{secret}@host/p?token={secret}&b=1", f"ws://{secret}@host:80/?{secret}"],
            "headers": {"Authorization": secret},
            "connect_timeout": draw(_SECONDS),
        },
        "load": {"connections": connections, "ramp_up": draw(_shapes(connections)), "hold": draw(_SECONDS)},
        "populations": populations,
        "delivery": {"promise": draw(st.sampled_from(["at-most-once", "at-least-once", "exactly-once"]))},
        "thresholds": {"ws_response_time": {"threshold": "p(95)<200", "abortOnFail": draw(st.booleans())}},
        "engine": {"pacing_window": draw(st.floats(0.0001, 0.1))},
    }


@given(_scenarios())
def test_a_scenario_through_bytes_is_the_same(tree: dict[str, Any]) -> None:
    scenario = load_scenario(tree).scenario
    again = from_bytes(to_bytes(scenario))
    assert again == scenario
    assert to_bytes(again) == to_bytes(scenario)


@given(_scenarios())
def test_a_second_pass_over_the_short_forms_changes_nothing(tree: dict[str, Any]) -> None:
    once, _ = canonical(tree, Origins())
    assert canonical(once, Origins()) == (once, [])


@given(_scenarios())
def test_a_scenario_as_yaml_is_the_same(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree, sort_keys=False)
    assert load_scenario(read_yaml(text, shown_as="s").tree).scenario == load_scenario(tree).scenario


@given(_scenarios())
def test_every_setting_given_has_a_source_and_no_other(tree: dict[str, Any]) -> None:
    loaded = load_scenario(tree)
    assert set(loaded.sources) <= set(redacted_settings(loaded.scenario))
    assert set(loaded.sources.values()) == {"code"}
    assert not any(path.startswith(("outputs.", "target.tls.")) for path in loaded.sources)


@given(st.data(), _SECRETS)
def test_a_secret_is_in_nothing_that_is_kept_or_shown(data: st.DataObject, secret: str) -> None:
    loaded = load_scenario(data.draw(_scenarios(secret)))
    scenario = loaded.scenario
    shown = [
        json.dumps(redacted(scenario)),
        repr(redacted_settings(scenario)),
        repr(scenario),
        str(scenario),
        repr(scenario.target),
        repr(scenario.populations),
        scenario.model_dump_json(),
        str(scenario.model_dump()),
        repr(loaded),
        repr(list(loaded.sources.items())),
    ]
    assert [text for text in shown if secret in text] == []
    assert secret in to_bytes(scenario).decode()


_BREAKS: dict[str, Any] = {
    "unknown key": lambda tree, secret: tree["target"].update(polcy=secret),
    "key that is a URL": lambda tree, secret: tree["target"].update({f"ws://u:{secret}@h": 1}),
    "key that is a header": lambda tree, secret: tree["target"]["headers"].update({f"X: {secret}": "a"}),
    "line break": lambda tree, secret: tree["target"]["headers"].update({"X-A": f"a\r\nX-B: {secret}"}),
    "not ASCII": lambda tree, secret: tree["populations"][0]["headers"].update({"X-A": f"é{secret}"}),
    "header list": lambda tree, secret: tree["target"].update(headers=[secret]),
    "header text": lambda tree, secret: tree["target"].update(headers=f"Authorization: {secret}"),
    "header mapping": lambda tree, secret: tree["target"]["headers"].update({"X-A": {"b": secret}}),
    "scheme": lambda tree, secret: tree["target"].update(url=[f"http://u:{secret}@h/?{secret}"]),
    "no scheme": lambda tree, secret: tree["target"].update(url=[f"{secret}@h"]),
    "secret scheme": lambda tree, secret: tree["target"].update(url=[f"{secret}://h"]),
    "fragment": lambda tree, secret: tree["target"].update(url=[f"ws://h/#{secret}"]),
    "bad port": lambda tree, secret: tree["target"].update(url=[f"ws://u:{secret}/x@h:1"]),
    "bad host": lambda tree, secret: tree["target"].update(url=[f"ws://[{secret}"]),
    "space": lambda tree, secret: tree["target"].update(url=[f"ws://u:{secret} @h"]),
    "url mapping": lambda tree, secret: tree["target"].update(url={"a": secret}),
    "url in a quantity": lambda tree, secret: tree["load"].update(hold={"url": secret}),
    "secret list in a quantity": lambda tree, secret: tree["load"].update(connections=[secret]),
    "secret kind": lambda tree, secret: tree["load"].update(ramp_up={"kind": secret}),
    "secret choice": lambda tree, secret: tree["delivery"].update(promise=secret),
    "secret name": lambda tree, secret: tree.update(name=f"!{secret}"),
    "secret file": lambda tree, secret: tree.update(thresholds={"m": {"treshold": secret}}),
    "secret flag": lambda tree, secret: tree["target"].update(tls={"verify": secret}),
    "secret populations": lambda tree, secret: tree.update(populations=secret),
    "secret population": lambda tree, secret: tree.update(populations=[secret]),
    "secret address": lambda tree, secret: tree["target"].update(source_addresses=[secret]),
    "secret protocol": lambda tree, secret: tree["target"].update(subprotocols=[f"a {secret}"]),
}


@given(st.data(), _SECRETS, st.lists(st.sampled_from(sorted(_BREAKS)), min_size=1, max_size=4))
def test_a_secret_is_in_no_message_about_a_broken_scenario(
    data: st.DataObject, secret: str, names: list[str]
) -> None:
    tree = data.draw(_scenarios(secret))
    for name in names:
        try:
            _BREAKS[name](tree, secret)
        except (AttributeError, TypeError, IndexError):
            continue  # an earlier break took away what this one is about
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tree)
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value)
    if not {"secret kind", "key that is a URL"} & set(names):  # pydantic's own words quote kinds and keys
        with pytest.raises(ValidationError) as direct:
            Scenario.model_validate(tree)
        assert secret not in str(direct.value)


@given(
    _SECRETS,
    st.sampled_from(['"', "'", "[", "{", "*", "&", "!", "%", "@", "`", '"\\', "- ", "? ", "|x", "\t"]),
)
def test_a_secret_is_in_no_message_about_broken_yaml(secret: str, before: str) -> None:
    text = f"target:\n  url: ws://h/\n  headers:\n    Authorization: {before}{secret}\n   X: {secret}\n"
    with pytest.raises(ScenarioError) as caught:
        read_yaml(text, shown_as="s.yaml")
    assert secret not in str(caught.value)


@given(_SECRETS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_a_secret_of_a_data_file_is_in_no_message(tmp_path: Path, secret: str) -> None:
    (tmp_path / "users.csv").write_text(f"{secret},name\n{secret},{secret}é\n{secret}\n")
    (tmp_path / "even.csv").write_text(f"{secret},name\n{secret},{secret}é\n")
    for name in ("users.csv", "even.csv"):
        tree = {"target": "ws://h/?t={token}", "data": str(tmp_path / name)}
        tree = {**tree, "target": {"url": "ws://h/?t={token}", "headers": {"X": "{name}"}}}
        with pytest.raises(ScenarioError) as caught:
            load_scenario(tree)
        assert secret not in str(caught.value)


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = [
    "name",
    "seed",
    "target",
    "load",
    "populations",
    "thresholds",
    "traffic",
    "exchange",
    "data",
    "engine",
]
_INNER = [
    "url",
    "headers",
    "tls",
    "ramp_up",
    "parts",
    "payload",
    "types",
    "kind",
    "traffic",
    "exchange",
    "data",
]


@given(
    st.dictionaries(
        st.sampled_from(_KEYS),
        _JUNK | st.dictionaries(st.sampled_from(_INNER), _JUNK, max_size=4),
        max_size=6,
    ),
    st.dictionaries(
        st.sampled_from(
            ["SQUALL_LOAD", "SQUALL_LOAD__RAMP_UP", "SQUALL_TRAFFIC__TYPES", "SQUALL_POPULATIONS__0__NAME"]
        ),
        st.text(max_size=8) | st.sampled_from(['{"kind": 5}', "[]", "{}", "null"]),
        max_size=2,
    ),
    st.dictionaries(
        st.sampled_from(["load.ramp_up.kind", "traffic.payload", "target.url", "load"]), _JUNK, max_size=2
    ),
)
def test_junk_is_a_scenario_error_and_never_a_crash(
    tree: dict[str, Any], environment: dict[str, str], flags: dict[str, Any]
) -> None:
    overrides = {path: Override(value, "flag -x") for path, value in flags.items()}
    with pytest.raises(SquallError) as caught:
        load_scenario({"zzz": 1, **tree}, environment=environment, overrides=overrides)
    assert "zzz: unknown key" in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_data_or_a_scenario_error_and_never_a_crash(text: str) -> None:
    with suppress(ScenarioError):
        read_yaml(text, shown_as="s.yaml")


@given(st.text(string.printable, max_size=40), _SECRETS)
def test_any_url_can_be_shown(text: str, secret: str) -> None:
    assert isinstance(public_url(text), str)
    assume(secret not in text)
    assert secret not in public_url(f"ws://a:{secret}@h/{text.replace('?', '')}?x={secret}&{secret}#{secret}")


_CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12
)


@given(st.integers(1, 4), st.data(), st.booleans(), st.integers(1, 5))
def test_rows_are_partitioned_exactly(columns: int, data: st.DataObject, cycle: bool, workers: int) -> None:
    row = st.tuples(*[_CELLS] * columns)
    rows = data.draw(st.lists(row, min_size=1, max_size=20))
    held = DataRows(tuple(f"c{place}" for place in range(columns)), rows, cycle=cycle)
    sessions = range(len(rows) * (2 if cycle else 1))
    taken = {
        g: tuple(held.row_for(g).values()) for worker in range(workers) for g in sessions[worker::workers]
    }
    assert [taken[g] for g in sessions] == list(rows) * (2 if cycle else 1)
    assert held.enough_for(len(sessions) + 1) is cycle


@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=8))
def test_what_is_written_as_csv_is_read(rows: list[tuple[str, str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    held = parse_rows("\n".join(["a,b", *quoted]) + "\n", shown_as="x.csv")
    assert [tuple(held.row_for(g).values()) for g in range(len(held))] == rows


@given(_CELLS, _CELLS)
def test_what_is_filled_in_stays_in_its_place(value: str, around: str) -> None:
    frame = around.replace("{", "").replace("}", "")
    assert fill(f"{frame}{{c}}{frame}", {"c": value}) == f"{frame}{value}{frame}"
    query = fill_url("ws://h/?q={c}", {"c": value}).partition("?q=")[2]
    assert set(query) <= set(string.ascii_letters + string.digits + "%-._~")


@given(st.lists(st.text(max_size=10) | st.integers(0, 9), max_size=5))
def test_any_path_can_be_shown(path: list[str | int]) -> None:
    assert "\n" not in path_text(tuple(path))
