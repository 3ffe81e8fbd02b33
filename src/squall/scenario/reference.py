"""The reference page of scenarios, written from the models: each one's path, type, default, meaning.

The rule: the page is generated, and a test says so when it is not current:
`python -m squall.scenario.reference docs/reference` writes the page and the schema beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from squall.scenario.addresses import Address
from squall.scenario.base import Model
from squall.scenario.fields import ITEM, Setting, kinds, settings
from squall.scenario.forms import DEFAULT_KINDS
from squall.scenario.models import Scenario
from squall.scenario.quantities import Count, Duration, Rate, Size
from squall.scenario.schema import json_schema
from squall.units import format_count, format_duration, format_rate, format_size

__all__ = ["reference_markdown", "write"]

_QUANTITIES: dict[Any, tuple[str, Any]] = {
    Duration: ("duration", format_duration),
    Size: ("size", format_size),
    Count: ("count", format_count),
    Rate: ("rate", format_rate),
    Address: ("address", str),
}
_WORDS = {str: "text", int: "whole number", float: "number", bool: "yes or no", SecretStr: "secret text"}

_HEAD = """\
# The scenario

Every setting of a run, written from the code (`python -m squall.scenario.reference docs/reference`).
A file is YAML (`.yaml`, `.yml`), TOML (`.toml`) or Python (`.py`, a module that defines `scenario` as a
`squall.Scenario` or a mapping). The schema for editors is [`scenario.schema.json`](scenario.schema.json);
`squall schema` prints it.

## Quantities

| type | as people write it | held in |
|---|---|---|
| duration | `30s` `5m` `1h30m` `250ms` `100us`, or seconds as a number | seconds |
| size | `128` `1KiB` (1024) `8kB` (8000) `1MiB` | bytes |
| count | `100` `10k` `1.5k` `2M` | a whole number |
| rate | `1/s` `2k/s` `30/min`, or a number per second | events per second |

In YAML, `yes`, `no`, `on` and `off` are text, and are understood where a setting is yes or no; a key given
twice is a mistake.

## Short forms

| in short | stands for |
|---|---|
| `target: ws://host/` (or a list) | `target: {url: [ws://host/]}` |
| `ramp_up: linear` | `ramp_up: {kind: linear}` |
| `ramp_up: 5m` | `ramp_up: {duration: 5m}`: the default shape over that time |
| `exchange: echo` | `exchange: {kind: echo}` |
| `payload: 100,1KiB` (or a list) | `payload: [{size: 100}, {size: 1KiB}]` |
| `types: [chat, typing]` | `types: [{name: chat}, {name: typing}]` |
| `types: {chat: 3, typing: 1}` | `types: [{name: chat, weight: 3}, {name: typing, weight: 1}]` |
| `stop_when: {error_rate: ">0.02"}` (or one text) | `stop_when: ["error_rate: >0.02"]` |
| `reconnect: yes` | `reconnect: {after_drop: yes}` |
| `length: 30s`, `think_time: 2s` | `length: {mean: 30s}`, `think_time: {mean: 2s}` |
| `data: users.csv` | `data: {file: users.csv}` |
| `thresholds: {ws_sessions: count>9}` | `thresholds: [{metric: ws_sessions, threshold: count>9}]` |
| `traffic:`, `exchange:`, `sessions:`, `data:` at the top | those of the only population |

A threshold of the mapping may also be `{threshold, abortOnFail, delayAbortEval, required}`, or a list of both
forms.

## Which value counts

Flag, then environment, then file, then default; a stronger one replaces single settings, and lists whole.
`squall plan` shows where each came from. A variable is named after the path, `__` between levels:
`SQUALL_LOAD__HOLD=5m`, `SQUALL_TARGET__URL=ws://a/,ws://b/`, `SQUALL_TRAFFIC__RATE=2/s` (or
`SQUALL_POPULATIONS__1__TRAFFIC__RATE` for the second of several). Lists are comma-separated or JSON, mappings
JSON, `null` is none, and an empty variable counts as absent. `SQUALL_TARGET__HEADERS__X_API_KEY` sets the
header `x-api-key`. Other names that start with `SQUALL_` are mistakes, but for `SQUALL_PURE` and
`SQUALL_SCALE`, which are no settings.

## Data of its own for each connection

`data` names a CSV file whose first line names its columns. `{column}` in a header's value or in the query of
a URL is filled from it: session *g* of the population takes row *g*, whichever worker holds it. Values in a
query are percent-encoded. `{{name}}` stands for a literal `{name}`; braces around anything else are literal.

Secrets are the values of headers, of a URL its user part and the values of its query, and what a data file
holds: none of them is shown or recorded. The path of a URL is: a token in it is no secret here, so give it in
the query or in a header. Paths of files are relative to the scenario file.
"""


def reference_markdown() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    for title, words, rows in _sections():
        lines += [f"## {title}", "", words, "", "| setting | type | default | meaning |", "|---|---|---|---|"]
        lines += [f"| `{path}` | {kind} | {default} | {meaning} |" for path, kind, default, meaning in rows]
        lines.append("")
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write the page and the schema into a folder."""
    (folder / "scenario.md").write_text(reference_markdown(), encoding="utf-8")
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    (folder / "scenario.schema.json").write_text(f"{schema}\n", encoding="utf-8")


def _sections() -> Iterator[tuple[str, str, list[tuple[str, str, str, str]]]]:
    """Title, words and rows for each model, in the order in which a scenario reaches them."""
    plain = [setting for setting in settings() if len(setting.path) == 1]
    yield "At the top", _sentence(Scenario), [_row(setting, "") for setting in plain]
    done: set[type[Model]] = set()
    for setting in settings():
        for model in setting.models:
            if model in done:
                continue
            done.add(model)
            path = ".".join(setting.path).replace(f".{ITEM}", ITEM) + (ITEM if setting.many else "")
            by_kind = model in kinds(setting.models).values()
            title = f"`{path}`" + (f", kind `{model.model_fields['kind'].default}`" if by_kind else "")
            rows = [_row(each, path) for each in settings(model) if len(each.path) == 1]
            yield title, _sentence(model), rows


def _row(setting: Setting, above: str) -> tuple[str, str, str, str]:
    path = f"{above}.{setting.name}" if above else setting.name
    names = f"{path}` or `{setting.info.alias}" if setting.info.alias else path
    annotation = _annotation(setting)
    kind = _kind(setting, annotation)
    meaning = (setting.info.description or "").replace("|", "\\|")
    return names, kind.replace("|", "\\|"), _default(setting, annotation), meaning


def _annotation(setting: Setting) -> Any:
    """The declared type, with the quantity that pydantic takes out of a plain field's annotation put back."""
    for quantity in _QUANTITIES:
        if get_args(quantity)[1] in setting.info.metadata:
            return quantity
    return setting.info.annotation


def _kind(setting: Setting, annotation: Any) -> str:
    if setting.models:
        what = " | ".join(f"`{kind}`" for kind in kinds(setting.models)) or "mapping"
        return "list of mappings" if setting.many else what
    if annotation in _QUANTITIES:
        return _QUANTITIES[annotation][0]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"`{value}`" for value in arguments)
    if origin is Annotated:
        return _kind(setting, arguments[0])
    if origin is tuple:
        return f"list of {_kind(setting, arguments[0])}"
    if origin is dict:
        return f"mapping name → {_kind(setting, arguments[1])}"
    if arguments:
        return _kind(setting, next(each for each in arguments if each is not NoneType))
    return _WORDS[annotation]


def _default(setting: Setting, annotation: Any) -> str:
    default = setting.info.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if default in (None, "", (), {}):
        return "–"
    if setting.name in DEFAULT_KINDS:
        return f"`{default.kind}`, {_short(default)}" if _short(default) else f"`{default.kind}`"
    if isinstance(default, tuple) and all(isinstance(each, str) for each in default):
        return ", ".join(f"`{each}`" for each in default)
    if isinstance(default, (Model, tuple)):
        return "see below"
    if annotation in _QUANTITIES:
        return str(_QUANTITIES[annotation][1](default))
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"`{default}`"


def _short(shape: Any) -> str:
    duration = getattr(shape, "duration", None)
    return format_duration(duration) if duration is not None and "duration" in shape.model_fields_set else ""


def _sentence(model: type[Model]) -> str:
    return " ".join((model.__doc__ or "").split())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
