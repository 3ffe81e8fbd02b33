"""The short forms in which people write a scenario, turned into the one form that the models read.

    target: ws://…                         target: {url: [ws://…]}
    ramp_up: 5m | linear                   ramp_up: {duration: 5m} | {kind: linear}
    exchange: echo                         exchange: {kind: echo}
    payload: 100,1KiB                      payload: [{size: 100}, {size: 1KiB}]
    types: [a, b] | {a: 3, b: 1}           types: [{name: a, weight: 3}, {name: b, weight: 1}]
    stop_when: {metric: p(95)>200}         stop_when: ["metric: p(95)>200"]
    data: users.csv                        data: {file: users.csv}
    opening: {send: hi}                    opening: [{send: hi}]
    correct: {field: ok, equals: true}     correct: [{field: ok, equals: true}]; so expect, refuse, foreign
    watch: {target: {port: 80}}            watch: {target: [{port: 80}]}
    sessions: {length: 30s}                sessions: {length: {mean: 30s}}
    reconnect: yes                         reconnect: {after_drop: yes}
    thresholds: {metric: p(95)<200}        thresholds: [{metric: metric, threshold: p(95)<200}]
    traffic, exchange, sessions, …          at the top: those of the one population

The rule: what is no short form is passed on as it is, for the models to judge, and a second pass changes
nothing. `Origins` remembers what was moved, so that a mistake is shown where its author wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from squall.scenario.fields import TOP_OF_SINGLE
from squall.scenario.mistakes import Mistake, Path
from squall.scenario.templates import CONDITIONS

__all__ = ["DEFAULT_KINDS", "Origins", "canonical", "opened", "with_kinds"]

DEFAULT_KINDS = {"ramp_up": "exponential", "ramp_down": "linear", "ramp": "linear", "exchange": "echo"}
"""The kind of a shape or exchange that names none."""

_COMMA = re.compile(r"\s*,\s*")
_COMMA_BEFORE_URL = re.compile(r"\s*,\s*(?=wss?://)", re.IGNORECASE)  # a query may hold commas


class Origins:
    """Where in the file something stands that a short form moved."""

    def __init__(self) -> None:
        self._moved: dict[Path, tuple[Path, bool]] = {}

    def move(self, path: Path, *, of: Path, whole: bool = False) -> None:
        """What is now at `path` stands at `of` in the file; `whole`: so does all that is in it."""
        self._moved.setdefault(path, (self.in_file(of), whole))

    def forget(self, path: Path) -> None:
        """What is at this path, and in it, no longer comes from the file."""
        for known in [known for known in self._moved if known[: len(path)] == path]:
            del self._moved[known]

    def in_file(self, path: Path) -> Path:
        """The path in the file of what is at this path."""
        for length in range(len(path), 0, -1):
            if (found := self._moved.get(path[:length])) is not None:
                origin, whole = found
                return origin if whole else origin + path[length:]
        return path


def canonical(tree: Mapping[str, Any], origins: Origins) -> tuple[dict[str, Any], list[Mistake]]:
    """The scenario with every short form written out, and what the short forms themselves get wrong."""
    top, mistakes = _with_populations(dict(tree), origins)
    for key in top:
        if key in _FORMS:
            top[key] = _FORMS[key](top[key], origins)
    if "threshold_sets" in top:
        top["threshold_sets"] = _texts(top["threshold_sets"])
    return top, mistakes


def opened(key: str, value: Any) -> Any:
    """The mapping that a short form at this key stands for; anything else as it is."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key == "target" and _is_urls(value):
        return {"url": value}
    if key == "data" and isinstance(value, str):
        return {"file": value}
    if key == "exchange" and isinstance(value, str):
        return {"kind": value}
    if key in ("length", "think_time") and (number or isinstance(value, str)):
        return {"mean": value}
    if key == "reconnect" and isinstance(value, (bool, str)):
        return {"after_drop": value}
    if key in ("ramp_up", "ramp_down", "ramp") and (number or isinstance(value, str)):
        is_duration = number or any(character.isdigit() for character in value)
        return {"duration": value} if is_duration else {"kind": value.strip()}
    return value


def _is_urls(value: Any) -> bool:
    """Texts; mappings at a key of this name are the sources of `watch`."""
    listed = [value] if isinstance(value, str) else value
    return isinstance(listed, (list, tuple)) and not any(isinstance(each, Mapping) for each in listed)


def with_kinds(tree: Any) -> Any:
    """The tree with the default kind wherever a shape or an exchange names none."""
    if isinstance(tree, list):
        return [with_kinds(item) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    done = {}
    for key, value in tree.items():
        inner = with_kinds(value)
        if key in DEFAULT_KINDS and isinstance(inner, dict) and "kind" not in inner:
            inner = {"kind": DEFAULT_KINDS[key], **inner}
        done[key] = inner
    return done


def _with_populations(top: dict[str, Any], origins: Origins) -> tuple[dict[str, Any], list[Mistake]]:
    short = {key: top.pop(key) for key in TOP_OF_SINGLE if key in top}
    if not short:
        return top, []
    if "populations" in top:
        return top, [Mistake((key,), "stands beside populations; put it into each of them") for key in short]
    top["populations"] = [short]
    for key in short:
        origins.move(("populations", 0, key), of=(key,))
    return top, []


def _open(holder: dict[str, Any], key: str, path: Path, origins: Origins) -> None:
    """Write out the short form at a key, if there is one."""
    if key in holder and (mapping := opened(key, holder[key])) is not holder[key]:
        holder[key] = mapping
        for inner in mapping:
            origins.move((*path, key, inner), of=(*path, key), whole=True)


def _target(value: Any, origins: Origins) -> Any:
    holder = {"target": value}
    _open(holder, "target", (), origins)
    if not isinstance(holder["target"], Mapping):
        return value
    target = dict(holder["target"])
    if isinstance(target.get("url"), str):
        target["url"] = _COMMA_BEFORE_URL.split(target["url"].strip())
        if len(target["url"]) == 1:
            origins.move(("target", "url", 0), of=("target", "url"), whole=True)
    for key in ("subprotocols", "source_addresses"):
        if key in target:
            target[key] = _texts(target[key])
    if "headers" in target:
        target["headers"] = _headers(target["headers"])
    return target


def _load(value: Any, origins: Origins) -> Any:
    if not isinstance(value, Mapping):
        return value
    load = dict(value)
    _open(load, "reconnect", ("load",), origins)
    for key in ("ramp_up", "ramp_down"):
        _open(load, key, ("load",), origins)
        shape = load.get(key)
        if isinstance(shape, Mapping) and isinstance(shape.get("parts"), (list, tuple)):
            path = ("load", key, "parts")
            parts = [_part(part, (*path, place), origins) for place, part in enumerate(shape["parts"])]
            load[key] = shape = {**shape, "parts": parts}
        for when in ("slow_when", "stop_when"):
            if isinstance(shape, Mapping) and when in shape:
                load[key] = shape = {**shape, when: _bounds_in_words(shape[when])}
    return load


def _bounds_in_words(value: Any) -> Any:
    """One condition or several; each as text, or as `metric: bound`."""
    if isinstance(value, (str, Mapping)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        return value
    found: list[Any] = []
    for item in value:
        if isinstance(item, Mapping):
            found += [f"{metric}: {bound}" for metric, bound in item.items()]
        else:
            found.append(item)
    return found


def _part(value: Any, path: Path, origins: Origins) -> Any:
    if not isinstance(value, Mapping):
        return value
    part = dict(value)
    _open(part, "ramp", path, origins)
    return part


def _populations(value: Any, origins: Origins) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return [_population(one, ("populations", place), origins) for place, one in enumerate(value)]


def _population(value: Any, path: Path, origins: Origins) -> Any:
    if not isinstance(value, Mapping):
        return value
    population = dict(value)
    _open(population, "exchange", path, origins)
    _open(population, "data", path, origins)
    _as_list(population, "opening", path, origins)
    if "exchange" in population:
        population["exchange"] = _conditions(population["exchange"], (*path, "exchange"), origins)
    if isinstance(population.get("opening"), (list, tuple)):
        population["opening"] = [
            _conditions(step, (*path, "opening", place), origins)
            for place, step in enumerate(population["opening"])
        ]
    if isinstance(population.get("sessions"), Mapping):
        sessions = population["sessions"] = dict(population["sessions"])
        for key in ("length", "think_time"):
            _open(sessions, key, (*path, "sessions"), origins)
    if "headers" in population:
        population["headers"] = _headers(population["headers"])
    if isinstance(population.get("traffic"), Mapping):
        traffic = dict(population["traffic"])
        if "payload" in traffic:
            traffic["payload"] = _payload(traffic["payload"], (*path, "traffic", "payload"), origins)
        if "types" in traffic:
            traffic["types"] = _types(traffic["types"], (*path, "traffic", "types"), origins)
        population["traffic"] = traffic
    return population


def _conditions(value: Any, path: Path, origins: Origins) -> Any:
    """An exchange or a step of an opening, its single conditions as lists of one."""
    if not isinstance(value, Mapping):
        return value
    holder = dict(value)
    for name in CONDITIONS:
        _as_list(holder, name, path, origins)
    return holder


def _as_list(holder: dict[str, Any], key: str, path: Path, origins: Origins) -> None:
    """A single mapping at a key as a list of one."""
    if isinstance(holder.get(key), Mapping):
        origins.move((*path, key, 0), of=(*path, key))
        holder[key] = [holder[key]]


def _payload(value: Any, path: Path, origins: Origins) -> Any:
    listed = isinstance(value, (list, tuple))
    if not listed:
        for place in range(len(_COMMA.split(value)) if isinstance(value, str) else 1):
            origins.move((*path, place), of=path, whole=not isinstance(value, Mapping))
        value = _COMMA.split(value.strip()) if isinstance(value, str) else [value]
    items = []
    for place, item in enumerate(value):
        if isinstance(item, Mapping):
            items.append(item)
        else:
            origins.move((*path, place, "size"), of=(*path, place), whole=True)
            items.append({"size": item})
    return items


def _types(value: Any, path: Path, origins: Origins) -> Any:
    if isinstance(value, str):
        value = _COMMA.split(value.strip())
        for place in range(len(value)):
            origins.move((*path, place), of=path, whole=True)
    if isinstance(value, Mapping) and not isinstance(value.get("name"), str):
        return [
            _type_of_name(name, of, (*path, place), origins) for place, (name, of) in enumerate(value.items())
        ]
    if isinstance(value, Mapping):
        origins.move((*path, 0), of=path)
        return [value]
    if not isinstance(value, (list, tuple)):
        return value
    for place, item in enumerate(value):
        if isinstance(item, str):
            origins.move((*path, place, "name"), of=(*path, place), whole=True)
    return [{"name": item} if isinstance(item, str) else item for item in value]


def _type_of_name(name: str, value: Any, path: Path, origins: Origins) -> dict[str, Any]:
    """A type from `name: weight`, `name: {weight, max_latency}` or `name:` alone."""
    is_mapping = isinstance(value, Mapping)
    origins.move((*path, "name"), of=(*path[:-1], name), whole=True)
    origins.move(path, of=(*path[:-1], name), whole=not is_mapping)
    if is_mapping:
        return {"name": name, **value}
    return {"name": name} if value is None else {"name": name, "weight": value}


def _thresholds(value: Any, origins: Origins) -> Any:
    if not isinstance(value, Mapping):
        return value
    bounds: list[Any] = []
    for metric, given in value.items():
        several = isinstance(given, (list, tuple))
        for place, bound in enumerate(given if several else [given]):
            path: Path = ("thresholds", len(bounds))
            is_mapping = isinstance(bound, Mapping)
            of: Path = ("thresholds", metric, place) if several else ("thresholds", metric)
            origins.move(path, of=of, whole=not is_mapping)
            bounds.append({"metric": metric, **(bound if is_mapping else {"threshold": bound})})
    return bounds


def _watch(value: Any, origins: Origins) -> Any:
    if not isinstance(value, Mapping) or not isinstance(value.get("target"), (Mapping, list, tuple)):
        return value
    sources = value["target"]
    if isinstance(sources, Mapping):
        origins.move(("watch", "target", 0), of=("watch", "target"))
        sources = [sources]
    return {**value, "target": [_source(source) for source in sources]}


def _source(value: Any) -> Any:
    if isinstance(value, Mapping) and "headers" in value:
        return {**value, "headers": _headers(value["headers"])}
    return value


def _texts(value: Any) -> Any:
    return _COMMA.split(value.strip()) if isinstance(value, str) else value


def _headers(value: Any) -> Any:
    """Whole numbers as the text that they are in the file; other values must be text already."""
    if not isinstance(value, Mapping):
        return value
    return {key: str(each) if type(each) is int else each for key, each in value.items()}


_FORMS: dict[str, Callable[[Any, Origins], Any]] = {
    "target": _target,
    "load": _load,
    "populations": _populations,
    "thresholds": _thresholds,
    "watch": _watch,
}
