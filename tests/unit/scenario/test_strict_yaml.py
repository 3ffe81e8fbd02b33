"""YAML without surprises."""

from __future__ import annotations

from typing import Any

import pytest

from squall.errors import ScenarioError
from squall.scenario.strict_yaml import read_yaml


def _tree(text: str) -> Any:
    return read_yaml(text, shown_as="s.yaml").tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("7", 7),
        ("-7", -7),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("~", None),
        ("", None),
        ("null", None),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("9" * 40, "9" * 40),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, value: Any) -> None:
    read = _tree(f"a: {text}\n")["a"]
    assert read == value
    assert type(read) is type(value)


def test_keys_are_text_and_lists_and_mappings_nest() -> None:
    assert _tree("on: [1, {2: x}]\nnull: 3\n") == {"on": [1, {"2": "x"}], "null": 3}


def test_every_key_and_item_knows_its_line() -> None:
    parsed = read_yaml("a: 1\nb:\n  c: 2\n  d:\n    - x\n    - y\n", shown_as="s.yaml")
    assert parsed.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "d"): 4,
        ("b", "d", 0): 5,
        ("b", "d", 1): 6,
    }


def test_a_key_given_twice_is_a_mistake_at_its_path() -> None:
    parsed = read_yaml("load:\n  hold: 1\n  hold: 2\n", shown_as="s.yaml")
    (mistake,) = parsed.mistakes
    assert mistake.path == ("load", "hold")
    assert mistake.message == "given twice, first on line 2"


def test_anchors_and_merges_are_understood() -> None:
    tree = _tree("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{z: 1, x: 9}, *a]}\nd: *a\n")
    assert tree["b"] == {"x": 1, "y": 3}
    assert tree["c"] == {"z": 1, "x": 9, "y": 2}
    assert tree["d"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2\nb: 3\n", "s.yaml:2:2: not valid YAML"),
        ("a: 1\n\tb: 2\n", "s.yaml:2:1: not valid YAML"),
        ("a: *hunter2\n", "s.yaml:1:4: not valid YAML"),
        ('a: "\\hunter2"\n', "s.yaml:1:6: not valid YAML"),
        ("a: 'hunter2\n", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a: !hunter2 x\n", "s.yaml:1: not plain YAML: a tag that is not supported"),
        ("a: !hunter2 [x]\n", "not plain YAML"),
        ("a: !hunter2 {x: 1}\n", "not plain YAML"),
        ("a: !!python/object/apply:os.system [hunter2]\n", "not plain YAML"),
        ("a: !!int hunter2\n", "no number"),
        ("? [hunter2]\n: 1\n", "a key that is a list"),
        ("a: &a [*a]\n", "an anchor that holds itself"),
        ("a: {<<: hunter2}\n", "<< merges mappings only"),
        ("a: hunter2\x00\n", "characters that text does not"),
        ("[" * 5000 + "]" * 5000, "nested too deep"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_without_quoting_it(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        _tree(text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_anchors_cannot_blow_a_small_file_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ScenarioError, match="more than 100,000 values"):
        _tree("\n".join(lines))


def test_an_empty_file_is_none() -> None:
    assert _tree("# nothing\n") is None
