"""A scenario while it is put together: file, then environment, then flags, each over what was before.

The rule: a stronger layer replaces single settings; lists are replaced whole. Where it changes the kind of a
shape, settings that only the weaker kind had go with it, and of a duration and a doubling time the one that a
stronger layer sets stands alone. Every setting keeps the name of where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from squall.scenario.fields import TOP_OF_SINGLE, find, kinds
from squall.scenario.forms import DEFAULT_KINDS, Origins, canonical, opened
from squall.scenario.mistakes import Mistake, Path

__all__ = ["Draft", "Override", "leaves"]

_EITHER = {"duration": "double_every", "double_every": "duration"}


class Override(NamedTuple):
    """A value that is stronger than the file's, and what to call its source ("flag -c")."""

    value: object
    source: str


class Draft:
    """The scenario so far, as plain data, with the source of each setting."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.origins = Origins()
        self.tree, self.mistakes = canonical(_copied(tree), self.origins)
        self._sources: dict[Path, str] = {}

    def name_sources(self, name: Mapping[Path, str], default: str) -> None:
        """Name the source of each setting that there is so far by its path in the file, or its parent's."""
        for path, _ in leaves(self.tree):
            in_file = self.origins.in_file(path)
            known = (
                name[in_file[:length]] for length in range(len(in_file), 0, -1) if in_file[:length] in name
            )
            self._sources[path] = next(known, default)

    def source(self, path: Path) -> str | None:
        """Where the setting at a path, or the one that it is part of, came from; None for a default."""
        for length in range(len(path), 0, -1):
            if (found := self._sources.get(path[:length])) is not None:
                return found
        return None

    def sources(self) -> Iterator[tuple[Path, str]]:
        """Path and source of each setting that is not a default."""
        for path, _ in leaves(self.tree):
            if (source := self.source(path)) is not None:
                yield path, source

    def overlay(self, layer: Mapping[Path, Override]) -> None:
        """Put a stronger layer over what is there."""
        given = [(self._in_population(path, override), override) for path, override in layer.items()]
        steps = [
            (path, value, override.source)
            for whole, override in sorted(((p, o) for p, o in given if p), key=lambda each: len(each[0]))
            for path, value in self._single(whole, override.value)
        ]
        set_here = {path for path, _, _ in steps}
        for path, _, _ in steps:
            other = (*path[:-1], _EITHER[path[-1]]) if path[-1] in _EITHER else None
            if other is not None and other not in set_here:
                self._remove(other)
            for name in self._same_header(path, set_here):
                self._remove(name)
        # The kind goes first: it decides what of the weaker layers is left.
        for path, value, source in sorted(steps, key=lambda step: step[0][-1] != "kind"):
            self._put(path, value, source)
        self.tree, mistakes = canonical(self.tree, self.origins)
        self.mistakes += mistakes

    def _in_population(self, path: Path, override: Override) -> Path:
        """The path with `traffic`, … put into the one population; () and a mistake if there are more."""
        if path[0] not in TOP_OF_SINGLE:
            return path
        populations = self.tree.setdefault("populations", [{}])
        if isinstance(populations, list) and len(populations) == 1:
            self.origins.move(("populations", 0, path[0]), of=(path[0],))
            return ("populations", 0, *path)
        self.mistakes.append(
            Mistake(
                path, f"{override.source} sets it, but there are several populations; set it in one of them"
            )
        )
        return ()

    def _single(self, path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
        """The settings that a value at a path stands for: a mapping is taken apart, a list is one."""
        value = opened(str(path[-1]), value)
        setting = find(path)
        is_list = setting is not None and setting.many and not isinstance(path[-1], int)
        if isinstance(value, Mapping) and value and not is_list:
            for key, each in value.items():
                yield from self._single((*path, str(key)), each)
        else:
            yield path, value

    def _same_header(self, path: Path, set_here: set[Path]) -> list[Path]:
        """The weaker layers' headers of the name at this path; case makes no difference in header names."""
        if len(path) < 2 or path[-2] != "headers":
            return []
        holder = self._at(path[:-1])
        wanted = str(path[-1]).lower()
        names = [name for name in holder if name.lower() == wanted] if isinstance(holder, dict) else []
        return [same for name in names if (same := (*path[:-1], name)) not in set_here]

    def _put(self, path: Path, value: Any, source: str) -> None:
        holder: Any = self.tree
        for place, part in enumerate(path[:-1]):
            if isinstance(part, int):
                if not isinstance(holder, list) or part >= len(holder):
                    self.mistakes.append(
                        Mistake(path, f"{source} sets it, but there is no {path[place - 1]}[{part}]")
                    )
                    return
                holder = holder[part]
            else:
                empty: list[Any] | dict[str, Any] = [{}] if isinstance(path[place + 1], int) else {}
                if not isinstance(holder.get(part), type(empty)):
                    holder[part] = empty
                holder = holder[part]
            if isinstance(part, int) and not isinstance(holder, dict):
                return  # no mapping, which the models report
        if path[-1] == "kind":
            self._change_kind(holder, path, value)
        self._remove(path)
        holder[path[-1]] = value
        self._sources[path] = source

    def _change_kind(self, holder: dict[str, Any], path: Path, kind: Any) -> None:
        """Drop the settings that only the kind before had."""
        if kind == holder.get("kind", DEFAULT_KINDS.get(str(path[-2]))):
            return
        setting = find(path[:-1])
        model = kinds(setting.models).get(str(kind)) if setting is not None else None
        for key in [key for key in holder if model is not None and key not in model.model_fields]:
            self._remove((*path[:-1], key))

    def _at(self, path: Path) -> Any:
        """What is at a path; None where nothing is."""
        holder: Any = self.tree
        for part in path:
            holder = holder.get(part) if isinstance(holder, dict) else _item(holder, part)
        return holder

    def _remove(self, path: Path) -> None:
        holder = self._at(path[:-1])
        if isinstance(holder, dict):
            holder.pop(path[-1], None)
        self.origins.forget(path)
        for known in [known for known in self._sources if known[: len(path)] == path]:
            del self._sources[known]


def leaves(tree: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every setting in a tree that is no mapping; a list is one setting, but for the populations."""
    entries: Iterable[tuple[str | int, Any]] | None = None
    if isinstance(tree, Mapping):
        entries = tree.items()
    elif isinstance(tree, (list, tuple)) and at == ("populations",):
        entries = enumerate(tree)
    if entries is None:
        yield at, tree
        return
    for key, value in entries:
        yield from leaves(value, (*at, key))


def _copied(value: Any) -> Any:
    """Mappings and lists copied all the way down, so that what was given stays as it was."""
    if isinstance(value, Mapping):
        return {str(key): _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, (list, tuple)) else value


def _item(holder: Any, place: str | int) -> Any:
    is_there = isinstance(holder, list) and isinstance(place, int) and place < len(holder)
    return holder[place] if is_there else None
