"""The JSON Schema of a scenario file: all settings with their short forms, for editors and `squall schema`.

The rule: what this schema takes as to its shape, the loader takes; what contradicts itself (a ramp above its
own target, a payload below the envelope) only the loader sees. The target is not required here, since it can
come from the environment or a flag.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import annotated_types
from pydantic.fields import FieldInfo

from squall.scenario.base import Model
from squall.scenario.fields import TOP_OF_SINGLE, kinds, settings
from squall.scenario.forms import DEFAULT_KINDS
from squall.scenario.models import Condition, OpeningStep, Scenario

__all__ = ["json_schema"]

Schema = dict[str, Any]

_BOUNDS: dict[type, tuple[str, str]] = {
    annotated_types.Gt: ("gt", "exclusiveMinimum"),
    annotated_types.Ge: ("ge", "minimum"),
    annotated_types.Lt: ("lt", "exclusiveMaximum"),
    annotated_types.Le: ("le", "maximum"),
}
_YES_NO: Schema = {"enum": [True, False, "true", "false", "yes", "no", "on", "off"]}
_LIST_AS_TEXT = ("url", "subprotocols", "source_addresses", "threshold_sets")


def json_schema() -> Schema:
    """The schema (draft 2020-12) of what a scenario file may contain."""
    models: set[type[Model]] = {Scenario, *(model for setting in settings() for model in setting.models)}
    raw = Scenario.model_json_schema(by_alias=True)
    found = {"Scenario": raw, **raw["$defs"]}
    defs = {model.__name__: _object(model, found[model.__name__]) for model in models}
    defs["Bound"] = _without(defs["Threshold"], "metric")
    defs["TypeOfName"] = _without(defs["MessageType"], "name")
    top = defs.pop("Scenario")
    for key in TOP_OF_SINGLE:
        top["properties"][key] = defs["Population"]["properties"][key]
    del top["required"]
    del defs["Target"]["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "squall scenario",
        **top,
        "allOf": [{"not": {"required": ["populations", key]}} for key in TOP_OF_SINGLE],
        "$defs": dict(sorted(defs.items())),
    }


def _object(model: type[Model], raw: Schema) -> Schema:
    properties: Schema = {}
    for name, info in model.model_fields.items():
        schema = _property(name, info, raw["properties"][info.alias or name])
        properties[info.alias or name] = schema
        if info.alias is not None:
            properties[name] = schema
    shown: Schema = {"type": "object", "description": raw["description"], "additionalProperties": False}
    return {**shown, "properties": properties, **{key: raw[key] for key in ("required",) if key in raw}}


def _property(name: str, info: FieldInfo, raw: Schema) -> Schema:
    """A setting's schema: pydantic's, with bounds in the schema's own words, and its short forms."""
    schema = _plain(raw, _bounds(info))
    nested = next((each.models for each in settings() if each.info is info), ())
    if len(kinds(nested)) > 1 and name not in DEFAULT_KINDS:
        items = [{**_ref(model), "required": ["kind"]} for model in nested]
        schema = {**schema, "items": {"anyOf": items}}
    elif len(kinds(nested)) > 1:
        schema = {"anyOf": _by_kind(name, nested)}
    elif nested in ((Condition,), (OpeningStep,)):
        schema = {"anyOf": [schema["items"], schema]}
    elif name in _SHORT_FORMS:
        schema = _SHORT_FORMS[name]()
    elif name in _LIST_AS_TEXT:
        schema = {"anyOf": [{"type": "string"}, _bare(schema)]}
    shown: Schema = {"description": raw["description"]}
    if "default" in raw and not isinstance(raw["default"], (dict, list)):
        shown["default"] = raw["default"]
    return {**_bare(schema), **shown}


def _plain(raw: Any, bounds: Schema) -> Any:
    """pydantic's schema less what editors do not need, with `yes` and `no`, and bounds beside numbers."""
    if not isinstance(raw, dict):
        return raw
    dropped = ("title", "discriminator", "gt", "ge", "lt", "le", "format", "writeOnly")
    schema = {
        key: [_plain(each, bounds) for each in value] if key in ("anyOf", "oneOf") else value
        for key, value in raw.items()
        if key not in dropped
    }
    kind = schema.get("type")
    if kind == "boolean":
        return {**_YES_NO, **{key: value for key, value in schema.items() if key != "type"}}
    if kind in ("integer", "number") or (isinstance(kind, list) and "null" not in kind):
        return {**schema, **bounds}
    return schema


def _bounds(info: FieldInfo) -> Schema:
    found: Schema = {}
    for constraint in info.metadata:
        if type(constraint) in _BOUNDS:
            attribute, keyword = _BOUNDS[type(constraint)]
            found[keyword] = getattr(constraint, attribute)
    return found


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("default", "description")}


def _by_kind(name: str, models: tuple[type[Model], ...]) -> list[Schema]:
    """A shape or exchange: its kind alone, a duration, its mapping (without a kind, the default one's)."""
    default = DEFAULT_KINDS[name]
    alone = [kind for kind, model in kinds(models).items() if not _needs_more(model)]
    short: list[Schema] = [{"enum": alone}]
    if name != "exchange":
        short.append({"type": ["string", "number"], "pattern": "[0-9]", "description": "its duration"})
    return short + [
        {**_ref(model), **({} if kind == default else {"required": ["kind"]})}
        for kind, model in kinds(models).items()
    ]


def _needs_more(model: type[Model]) -> bool:
    """Whether a kind cannot stand alone: it has settings without a default."""
    return any(info.is_required() for info in model.model_fields.values())


def _ref(model: type[Model] | str) -> Schema:
    return {"$ref": f"#/$defs/{model if isinstance(model, str) else model.__name__}"}


def _without(schema: Schema, name: str) -> Schema:
    properties = {key: value for key, value in schema["properties"].items() if key != name}
    required = [key for key in schema.get("required", ()) if key != name]
    return {**schema, "properties": properties, **({"required": required} if "required" in schema else {})}


def _target() -> Schema:
    return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, _ref("Target")]}


def _headers() -> Schema:
    return {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}


def _payload() -> Schema:
    size: Schema = {"type": ["string", "integer"]}
    items = {"anyOf": [size, _ref("Payload")]}
    return {"anyOf": [size, _ref("Payload"), {"type": "array", "minItems": 1, "items": items}]}


def _types() -> Schema:
    items = {"anyOf": [{"type": "string"}, _ref("MessageType")]}
    by_name = {"anyOf": [{"type": ["number", "string", "null"]}, _ref("TypeOfName")]}
    return {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "minItems": 1, "maxItems": 250, "items": items},
            {"type": "object", "minProperties": 1, "maxProperties": 250, "additionalProperties": by_name},
            _ref("MessageType"),
        ]
    }


def _data() -> Schema:
    return {"anyOf": [{"type": "string"}, _ref("PerConnectionData"), {"type": "null"}]}


def _mean(model: str) -> Schema:
    """A time that may be given as its mean alone."""
    mean = {"type": ["string", "number"]}
    none: list[Schema] = [{"type": "null"}] if model == "SessionLength" else []
    return {"anyOf": [mean, _ref(model), *none]}


def _reconnect() -> Schema:
    return {"anyOf": [_YES_NO, _ref("Reconnect")]}


def _thresholds() -> Schema:
    bound = {"anyOf": [{"type": "string"}, _ref("Bound")]}
    by_metric = {"anyOf": [*bound["anyOf"], {"type": "array", "items": bound}]}
    return {
        "anyOf": [
            {"type": "object", "additionalProperties": by_metric},
            {"type": "array", "items": _ref("Threshold")},
        ]
    }


def _conditions() -> Schema:
    by_metric = {"type": "object", "additionalProperties": {"type": "string"}}
    one = {"anyOf": [{"type": "string"}, by_metric]}
    return {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}


_SHORT_FORMS: dict[str, Callable[[], Schema]] = {
    "target": _target,
    "headers": _headers,
    "payload": _payload,
    "types": _types,
    "data": _data,
    "length": lambda: _mean("SessionLength"),
    "think_time": lambda: _mean("ThinkTime"),
    "reconnect": _reconnect,
    "thresholds": _thresholds,
    "slow_when": _conditions,
    "stop_when": _conditions,
}
