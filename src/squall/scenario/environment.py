"""Settings from environment variables: `SQUALL_LOAD__HOLD=5m` is `load.hold`, `__` separates levels.

A list is comma-separated or JSON, a mapping is JSON, `null` is none; an empty variable is as good as absent.
`SQUALL_POPULATIONS__1__TRAFFIC__RATE` is the second population's, `SQUALL_TRAFFIC__RATE` the only one's. In
`SQUALL_TARGET__HEADERS__X_API_KEY` the header is `x-api-key`. The rule: a name that starts with SQUALL_ and
means nothing is a mistake, and no message shows a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from squall.scenario.draft import Override
from squall.scenario.fields import ITEM, TOP_OF_SINGLE, settings
from squall.scenario.mistakes import Mistake, Path, did_you_mean

__all__ = ["OTHER_NAMES", "PREFIX", "from_environment"]

PREFIX = "SQUALL_"
"""What the names of all our variables start with."""

OTHER_NAMES = frozenset({"SQUALL_PURE", "SQUALL_SCALE"})
"""Variables that are no settings of a scenario, and are read elsewhere."""


def from_environment(environment: Mapping[str, str]) -> tuple[dict[Path, Override], list[Mistake]]:
    """The settings that the environment makes, by path, and what is wrong with them."""
    layer: dict[Path, Override] = {}
    mistakes: list[Mistake] = []
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX) or name in OTHER_NAMES or not text:
            continue
        path = _path(name)
        if path is None:
            mistakes.append(Mistake((name,), f"is no setting{did_you_mean(name, _names())}"))
            continue
        try:
            layer[path] = Override(_value(text), f"environment {name}")
        except json.JSONDecodeError as error:
            mistakes.append(Mistake((name,), f"is no JSON: {error.msg} at character {error.pos + 1}"))
    return layer, mistakes


def _path(name: str) -> Path | None:
    """The path that a variable's name means; None if there is no such setting."""
    parts = name.removeprefix(PREFIX).lower().split("__")
    path: Path = tuple(int(part) if part.isascii() and part.isdecimal() else part for part in parts)
    if path[-2:-1] == ("headers",) and parts[-1]:
        return (*path[:-1], parts[-1].replace("_", "-")) if _pattern(path[:-1]) in _known() else None
    return path if _pattern(path) in _known() else None


def _pattern(path: Path) -> tuple[str, ...]:
    return tuple(ITEM if isinstance(part, int) else part for part in path)


@cache
def _known() -> frozenset[tuple[str, ...]]:
    """The paths that can be set: all but those inside lists other than the populations."""
    at_top = {setting.path for setting in settings() if ITEM not in setting.path}
    in_one = {
        path for setting in settings() if (path := setting.path)[1:2] == (ITEM,) and ITEM not in path[2:]
    }
    in_populations = {path for path in in_one if path[0] == "populations"}
    short = {path[2:] for path in in_populations if path[2] in TOP_OF_SINGLE}
    return frozenset(at_top | in_populations | short)


def _names() -> list[str]:
    return [PREFIX + "__".join(path).replace(ITEM, "0").upper() for path in sorted(_known())]


def _value(text: str) -> Any:
    return json.loads(text) if text.lstrip()[:1] in ("{", "[") or text.strip() == "null" else text
