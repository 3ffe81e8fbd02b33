"""YAML as a scenario is written in it: plain data, with the line of every key.

The rule: nothing is guessed. `on`, `off`, `yes`, `no`, dates and `1:30` stay the text that they are (YAML
1.2's core rules), a key given twice is a mistake, tags and objects are refused, and anchors cannot blow a
small file up. Messages name lines and never quote what stands there: it may be a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from squall.errors import ScenarioError
from squall.scenario.mistakes import Mistake, Path

__all__ = ["YamlFile", "read_yaml"]

_VALUES_MAX = 100_000
_INT_DIGITS_MAX = 30


@dataclass
class YamlFile:
    """What a YAML text holds."""

    tree: Any
    lines: dict[Path, int]
    """The line, from 1, of every key and list item by its path."""
    mistakes: list[Mistake]


def read_yaml(text: str, *, shown_as: str) -> YamlFile:
    """The data of one YAML document; keys given twice are among its `mistakes`.

    Raises:
        ScenarioError: it is not YAML, or not plain data; `shown_as` is what the message calls the file.
    """
    try:
        root = _Core(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise ScenarioError(f"{shown_as}{where}: not valid YAML: {_discreet(error.problem or '')}") from None
    except yaml.YAMLError:
        raise ScenarioError(f"{shown_as}: not valid YAML: it holds characters that text does not") from None
    except RecursionError:
        raise ScenarioError(f"{shown_as}: nested too deep to be a scenario") from None
    walk = _Walk(shown_as)
    tree = walk.value(root, (), ()) if root is not None else None
    return YamlFile(tree, walk.lines, walk.mistakes)


class _Core(yaml.SafeLoader):
    """The parser with YAML 1.2's core rules for plain scalars, less octal and hexadecimal numbers."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - its base declares it so, and this class must not share it


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass
class _Walk:
    """One walk over the nodes of a document."""

    shown_as: str
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    values: int = 0

    def value(self, node: yaml.Node, path: Path, above: tuple[yaml.Node, ...]) -> Any:
        """The data of a node at a path; `above` are the nodes that it is in."""
        self.values += 1
        if self.values > _VALUES_MAX:
            self._refuse(node, f"more than {_VALUES_MAX:,} values")
        if node in above:
            self._refuse(node, "an anchor that holds itself")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, (*above, node))
        if isinstance(node, yaml.SequenceNode):
            if node.tag != "tag:yaml.org,2002:seq":
                self._refuse(node, "a tag that is not supported")
            items = []
            for place, item in enumerate(node.value):
                self.lines[(*path, place)] = item.start_mark.line + 1
                items.append(self.value(item, (*path, place), (*above, node)))
            return items
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path, above: tuple[yaml.Node, ...]) -> dict[str, Any]:
        if node.tag != "tag:yaml.org,2002:map":
            self._refuse(node, "a tag that is not supported")
        mapping: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, "a key that is a list or a mapping")
            if key_node.tag == "tag:yaml.org,2002:merge":
                several = isinstance(value_node, yaml.SequenceNode)
                for source in value_node.value if several else [value_node]:
                    # The first of several sources is the strongest, keys of its own are stronger.
                    merged = {**self._merged(source, path, above), **merged}
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in mapping:
                self.mistakes.append(
                    Mistake((*path, key), f"given twice, first on line {self.lines[(*path, key)]}")
                )
            self.lines[(*path, key)] = line
            mapping[key] = self.value(value_node, (*path, key), above)
        return {**merged, **mapping}

    def _merged(self, node: yaml.Node, path: Path, above: tuple[yaml.Node, ...]) -> dict[str, Any]:
        own = dict(self.lines)
        merged = self.value(node, path, above)
        self.lines.update(own)
        if not isinstance(merged, dict):
            self._refuse(node, "<< merges mappings only")
        return merged

    def _scalar(self, node: yaml.Node) -> Any:
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind in ("int", "float"):
            return self._number(node, kind, text)
        if kind not in ("str", "merge"):
            self._refuse(node, "a tag that is not supported")
        return text

    def _number(self, node: yaml.Node, kind: str, text: str) -> int | float | str:
        try:
            if kind == "float":
                return float(text)
            return int(text) if len(text) <= _INT_DIGITS_MAX else text
        except ValueError:
            self._refuse(node, "no number where a tag demands one")

    def _refuse(self, node: yaml.Node, what: str) -> NoReturn:
        raise ScenarioError(f"{self.shown_as}:{node.start_mark.line + 1}: not plain YAML: {what}")


def _discreet(problem: str) -> str:
    """The parser's words without what they quote from the text; its own names for tokens stay."""
    return re.sub(r"(['\"])(?!<)(.{2,}?)\1", "…", problem)
